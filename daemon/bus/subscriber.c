/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/subscriber.h"

#include "daemon/bus/admission.h"
#include "daemon/bus/agent.h"
#include "daemon/bus/server-private.h"

#include <errno.h>

struct Viewers {
    BusServer *server; /* weak */
    GHashTable *table; /* Caller -> Viewer */
};

typedef struct {
    Viewers *viewers; /* weak */
    Caller *caller;   /* weak; good while WATCH is */
    CallerWatch *watch;
    gboolean all;
} Viewer;

static void
viewer_free(gpointer data)
{
    Viewer *viewer = data;

    caller_unwatch(viewer->watch);
    g_free(viewer);
}

static void
viewer_gone(void *data)
{
    const Viewer *viewer = data;

    (void)g_hash_table_remove(viewer->viewers->table, viewer->caller);
}

Viewers *
viewers_new(BusServer *server)
{
    Viewers *viewers = g_new0(Viewers, 1);

    viewers->server = server;
    viewers->table = g_hash_table_new_full(NULL, NULL, NULL, viewer_free);
    return viewers;
}

void
viewers_free(Viewers *viewers)
{
    if (viewers == NULL)
        return;
    g_hash_table_unref(viewers->table);
    g_free(viewers);
}

void
viewers_add(Viewers *viewers, Caller *caller, gboolean all)
{
    Viewer *viewer = g_hash_table_lookup(viewers->table, caller);

    if (viewer == NULL) {
        viewer = g_new0(Viewer, 1);
        viewer->viewers = viewers;
        viewer->caller = caller;
        viewer->watch = caller_watch(caller, viewer_gone, viewer);
        g_hash_table_insert(viewers->table, caller, viewer);
    }
    viewer->all |= all;
}

gboolean
viewers_sees_all(Viewers *viewers, const Caller *caller)
{
    const Viewer *viewer = g_hash_table_lookup(viewers->table, caller);

    return (viewer != NULL && viewer->all) || bus_admission_is_privileged(viewers->server, caller);
}

gboolean
viewers_sees(Viewers *viewers, const Caller *caller, uid_t owner)
{
    return caller_uid(caller) == owner || viewers_sees_all(viewers, caller);
}

gboolean
viewers_sees_requests(Viewers *viewers, const Caller *caller)
{
    return viewers_sees_all(viewers, caller) ||
           agents_have(bus_server_agents(viewers->server), caller);
}

/* A message is for one destination, so each gets one of its own. */
static int
viewer_send(const Viewer *viewer, sd_bus *bus, sd_bus_message *signal)
{
    g_autoptr(sd_bus_message) copy = NULL;
    int r;

    r = sd_bus_message_new_signal(bus, &copy, sd_bus_message_get_path(signal),
                                  sd_bus_message_get_interface(signal),
                                  sd_bus_message_get_member(signal));
    if (r >= 0)
        r = sd_bus_message_set_destination(copy, caller_name(viewer->caller));
    if (r >= 0)
        r = sd_bus_message_rewind(signal, 1);
    if (r >= 0)
        r = sd_bus_message_copy(copy, signal, 1);
    return r < 0 ? r : sd_bus_send(bus, copy, NULL);
}

/* Which of its signals a viewer gets; NULL: none. */
typedef sd_bus_message *(*ViewersPick)(Viewers *viewers, const Caller *caller, const void *data);

static void
viewers_send(Viewers *viewers, ViewersPick pick, const void *data)
{
    sd_bus *bus = bus_server_bus(viewers->server);
    GHashTableIter iter;
    gpointer viewer;
    int r = 0;

    g_hash_table_iter_init(&iter, viewers->table);
    while (r >= 0 && g_hash_table_iter_next(&iter, NULL, &viewer)) {
        sd_bus_message *signal = pick(viewers, ((const Viewer *)viewer)->caller, data);

        if (signal == NULL)
            continue;
        r = sd_bus_message_seal(signal, 1, 0); /* so that it can be read; it is never sent */
        if (r >= 0 || r == -EPERM)             /* it is already */
            r = viewer_send(viewer, bus, signal);
    }
    if (r < 0)
        g_debug("Cannot send a signal: %s", g_strerror(-r));
}

typedef struct {
    uid_t before, owner;
    sd_bus_message *added, *changed, *removed;
} Told;

static sd_bus_message *
pick_by_owner(Viewers *viewers, const Caller *caller, const void *data)
{
    const Told *told = data;
    gboolean sees = viewers_sees(viewers, caller, told->owner);

    if (viewers_sees(viewers, caller, told->before))
        return sees ? told->changed : told->removed;
    return sees ? told->added : NULL;
}

static sd_bus_message *
pick_by_right(Viewers *viewers, const Caller *caller, const void *data)
{
    return viewers_sees_requests(viewers, caller) ? ((const Told *)data)->changed : NULL;
}

void
viewers_tell(Viewers *viewers, uid_t owner, sd_bus_message *signal)
{
    viewers_send(viewers, pick_by_owner, &(Told){owner, owner, NULL, signal, NULL});
}

void
viewers_tell_requests(Viewers *viewers, sd_bus_message *signal)
{
    viewers_send(viewers, pick_by_right, &(Told){.changed = signal});
}

void
viewers_tell_moved(Viewers *viewers, uid_t before, uid_t owner, sd_bus_message *added,
                   sd_bus_message *changed, sd_bus_message *removed)
{
    viewers_send(viewers, pick_by_owner, &(Told){before, owner, added, changed, removed});
}
