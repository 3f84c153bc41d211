/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/presence.h"

#include <errno.h>
#include <string.h>

struct BusPresence {
    App *app;      /* weak */
    char *address; /* of the bus */
    sd_bus *bus;   /* set together with SERVER */
    BusServerOptions options;
    const BusPresenceEvents *events;
    void *data;
    BusServer *server; /* NULL: there is no bus */
    guint timer;       /* stops the server, or starts the next try */
    guint pause;       /* ms before the next try */
    gboolean was_named;
    gboolean told;                       /* the loss of the bus was reported */
    guint64 started_at, policy_revision; /* kept from one server to the next */
};

static gboolean presence_try(gpointer data);

char *
bus_presence_address(const char *address)
{
    g_auto(GStrv) servers = g_strsplit(address, ";", -1);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; servers[i] != NULL; i++) {
        char *rest = strchr(servers[i], ':');
        g_auto(GStrv) pairs = g_strsplit(rest != NULL ? rest + 1 : "", ",", -1);
        const char *mark = ":";

        g_string_append_printf(text, "%s%.*s", i > 0 ? ";" : "", (int)strcspn(servers[i], ":"),
                               servers[i]);
        for (guint k = 0; pairs[k] != NULL; k++) {
            if (g_str_has_prefix(pairs[k], "guid="))
                continue;
            g_string_append_printf(text, "%s%s", mark, pairs[k]);
            mark = ",";
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Opens without waiting for the end of the handshake; messages sent meanwhile follow it. */
static int
presence_open(const BusPresence *presence, sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    int r = presence->address != NULL ? sd_bus_new(&bus) : -ENOTCONN;

    if (r >= 0)
        r = sd_bus_set_address(bus, presence->address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_set_trusted(bus, !presence->options.system);
    if (r >= 0)
        r = sd_bus_set_description(bus, "streamd");
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        *ret_bus = bus;
    else
        sd_bus_close_unref(bus);
    return r;
}

static void
presence_drop(BusPresence *presence)
{
    const BusContext *context;

    if (presence->server == NULL)
        return;
    context = bus_server_context(presence->server);
    presence->started_at = context->started_at;
    presence->policy_revision = context->policy_revision;
    presence->events->left(presence->data);
    g_clear_pointer(&presence->server, bus_server_free);
    /* Sends the last messages. On a lost bus, or during its handshake, this would block. */
    if (sd_bus_is_ready(presence->bus) > 0)
        (void)sd_bus_flush(presence->bus);
    g_clear_pointer(&presence->bus, sd_bus_close_unref);
}

static void
presence_wait(BusPresence *presence)
{
    presence->timer = g_timeout_add(presence->pause, presence_try, presence);
    presence->pause = MIN(presence->pause * 2, PRESENCE_RETRY_MAX);
}

/* Runs from the main loop, because the server must not be freed inside one of its own calls. */
static gboolean
presence_on_gone(gpointer data)
{
    BusPresence *presence = data;

    bus_server_end_apps(presence->server);
    presence_drop(presence);
    presence_wait(presence);
    return G_SOURCE_REMOVE;
}

static void
presence_on_lost(const char *why, void *data)
{
    BusPresence *presence = data;

    if (!presence->was_named) {
        presence->events->refused(why, presence->data);
        return;
    }
    if (!presence->told)
        g_warning("%s; streams and hub links go on; connecting to the bus again", why);
    presence->told = TRUE;
    if (presence->timer == 0)
        presence->timer = g_idle_add(presence_on_gone, presence);
}

static void
presence_on_named(void *data)
{
    BusPresence *presence = data;

    presence->pause = PRESENCE_RETRY_MIN;
    if (presence->told)
        g_message("Owns the name on the bus again");
    presence->told = FALSE;
    if (!presence->was_named)
        presence->events->named(presence->data);
    presence->was_named = TRUE;
}

/* BUS is taken. */
static void
presence_serve(BusPresence *presence, sd_bus *bus)
{
    BusContext *context;

    presence->bus = bus;
    presence->server =
        bus_server_new(bus, presence->app, &presence->options, presence_on_lost, presence);
    context = bus_server_context(presence->server);
    if (presence->started_at != 0) {
        context->started_at = presence->started_at;
        context->policy_revision = presence->policy_revision;
    }
    presence->events->appeared(context, presence->data);
}

static int
presence_ask(BusPresence *presence)
{
    return bus_server_take_name(presence->server, presence_on_named, presence);
}

static gboolean
presence_try(gpointer data)
{
    BusPresence *presence = data;
    sd_bus *bus;

    presence->timer = 0;
    if (presence_open(presence, &bus) >= 0) {
        presence_serve(presence, bus);
        if (presence_ask(presence) >= 0)
            return G_SOURCE_REMOVE;
        presence_drop(presence);
    }
    presence_wait(presence);
    return G_SOURCE_REMOVE;
}

BusPresence *
bus_presence_new(sd_bus *bus, App *app, const BusServerOptions *options,
                 const BusPresenceEvents *events, void *data)
{
    BusPresence *presence = g_new0(BusPresence, 1);
    const char *address;
    int r;

    presence->app = app;
    presence->options = *options;
    presence->events = events;
    presence->data = data;
    presence->pause = PRESENCE_RETRY_MIN;
    if (sd_bus_get_address(bus, &address) >= 0)
        presence->address = bus_presence_address(address);
    presence_serve(presence, bus);
    r = presence_ask(presence);
    if (r < 0) {
        g_autofree char *why = g_strdup_printf("cannot ask for the bus name: %s", g_strerror(-r));

        presence_on_lost(why, presence);
    }
    return presence;
}

void
bus_presence_free(BusPresence *presence)
{
    if (presence == NULL)
        return;
    if (presence->timer != 0)
        g_source_remove(presence->timer);
    presence_drop(presence);
    g_free(presence->address);
    g_free(presence);
}
