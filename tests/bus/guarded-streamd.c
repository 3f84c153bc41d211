/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guarded-streamd [TIMEOUT_MS]: the system's instance, made of the daemon's libraries, that asks
 * polkit about everybody, itself and root included; so that it can be tested with one user. An
 * object of its own tells how many questions are open. */
#include "common/bus/util.h"
#include "common/log/journal.h"
#include "daemon/app.h"
#include "daemon/bus/bouncer.h"
#include "daemon/bus/presence.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>

static gboolean
on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static int
get_queries(sd_bus *bus, const char *path, const char *interface, const char *property,
            sd_bus_message *reply, void *context, sd_bus_error *error)
{
    return sd_bus_message_append(reply, "u",
                                 bouncer_queries(((const BusContext *)context)->bouncer));
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Queries", "u", get_queries, 0, 0),
    SD_BUS_VTABLE_END,
};

typedef struct {
    App *app;
    sd_bus_slot *slot; /* of the object, while there is a bus */
} Guarded;

static void
on_bus(BusContext *context, void *data)
{
    Guarded *guarded = data;

    g_assert_cmpint(sd_bus_add_object_vtable(context->bus, &guarded->slot, "/test",
                                             "io.streamd.Test", vtable, context),
                    >=, 0);
}

static void
on_no_bus(void *data)
{
    Guarded *guarded = data;

    guarded->slot = sd_bus_slot_unref(guarded->slot);
}

static void
on_name(void *data)
{
    app_start(((Guarded *)data)->app);
}

static void
on_refused(const char *why, void *data)
{
    g_error("%s", why);
}

static const BusPresenceEvents events = {on_bus, on_no_bus, on_name, on_refused};

int
main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GError) error = NULL;
    g_autoptr(App) app = NULL;
    g_autoptr(BusPresence) presence = NULL;
    BusServerOptions options = {.system = TRUE, .ask_everybody = TRUE};
    Guarded guarded = {0};
    sd_bus *bus = NULL;
    Journal *journal;

    (void)signal(SIGPIPE, SIG_IGN);
    journal = journal_install("streamd");
    if (argc > 1)
        options.polkit_timeout = atoi(argv[1]) * G_TIME_SPAN_MILLISECOND;
    g_assert_cmpint(sd_bus_open_system(&bus), >=, 0);
    app = app_new(&(AppOptions){.state_dir = g_getenv("STATE_DIRECTORY"), .threads = 1}, &error);
    g_assert_no_error(error);
    guarded.app = app;
    presence = bus_presence_new(bus, app, &options, &events, &guarded);
    (void)g_unix_signal_add(SIGTERM, on_signal, loop);
    g_main_loop_run(loop);
    journal_flush(journal);
    return EXIT_SUCCESS;
}
