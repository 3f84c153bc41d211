/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/bus-source.h"

#include <errno.h>
#include <poll.h>

typedef struct {
    GSource source;
    sd_bus *bus;
    gpointer tag;
    BusSourceLost lost;
    void *data;
    int events; /* what the descriptor is polled for */
    int error;  /* of the last prepare; told by dispatch */
} BusSource;

/* Events and deadline are read afresh in every turn, so it does no harm when GLib prepares twice
 * without a check in between. To set the events wakes the context, even when they are the same: in
 * every turn that would be a loop that never sleeps. (A ready time that is the same does not.) */
static gboolean
bus_source_prepare(GSource *source, int *ret_timeout)
{
    BusSource *self = (BusSource *)source;
    uint64_t until;
    int events, r;

    *ret_timeout = -1;
    events = sd_bus_get_events(self->bus);
    if (events < 0) {
        self->error = events;
        return TRUE;
    }
    if (events != self->events)
        g_source_modify_unix_fd(source, self->tag, (GIOCondition)(events | POLLHUP | POLLERR));
    self->events = events;
    r = sd_bus_get_timeout(self->bus, &until);
    if (r < 0) {
        self->error = r;
        return TRUE;
    }
    /* Absolute CLOCK_MONOTONIC, as g_get_monotonic_time. 0: messages wait inside the connection,
     * and the descriptor will not become readable for them again. */
    if (r > 0 && until == 0)
        return TRUE;
    g_source_set_ready_time(source, r == 0 || until == UINT64_MAX ? -1 : (gint64)until);
    return FALSE;
}

static gboolean
bus_source_check(GSource *source)
{
    BusSource *self = (BusSource *)source;
    gint64 ready = g_source_get_ready_time(source);

    return g_source_query_unix_fd(source, self->tag) != 0 ||
           (ready >= 0 && ready <= g_source_get_time(source));
}

/* One message per turn: a chatty client starves nobody. */
static gboolean
bus_source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    BusSource *self = (BusSource *)source;
    int r = self->error;

    if (r >= 0)
        r = sd_bus_process(self->bus, NULL);
    if (r >= 0)
        return G_SOURCE_CONTINUE;
    if (self->lost != NULL)
        self->lost(self->bus, r, self->data);
    return G_SOURCE_REMOVE;
}

static void
bus_source_finalize(GSource *source)
{
    BusSource *self = (BusSource *)source;

    self->bus = sd_bus_unref(self->bus);
}

GSource *
bus_source_new(sd_bus *bus, BusSourceLost lost, void *data)
{
    static GSourceFuncs functions = {
        .prepare = bus_source_prepare,
        .check = bus_source_check,
        .dispatch = bus_source_dispatch,
        .finalize = bus_source_finalize,
    };
    GSource *source = g_source_new(&functions, sizeof(BusSource));
    BusSource *self = (BusSource *)source;

    g_source_set_static_name(source, "sd-bus");
    self->bus = sd_bus_ref(bus);
    self->lost = lost;
    self->data = data;
    self->tag = g_source_add_unix_fd(source, sd_bus_get_fd(bus), (GIOCondition)(POLLHUP | POLLERR));
    return source;
}
