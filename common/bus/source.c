/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/bus/source.h"

#include <errno.h>
#include <poll.h>

typedef struct {
    GSource source;
    sd_bus *bus;
    GPollFD poll;
    gint64 deadline; /* of the last prepare; monotonic µs */
    BusSourceLost lost;
    void *data;
    int error; /* of the last prepare; reported by dispatch */
} BusSource;

/* Events and deadline are read again in every turn, so GLib may prepare twice without a check in
 * between. The poll record and the time-out are changed in place: g_source_modify_unix_fd and
 * g_source_set_ready_time would, in every turn, wake the context that is about to sleep. */
static gboolean
bus_source_prepare(GSource *source, int *ret_timeout)
{
    BusSource *self = (BusSource *)source;
    gint64 now = g_source_get_time(source);
    uint64_t until = UINT64_MAX;
    int events, r;

    *ret_timeout = -1;
    self->deadline = G_MAXINT64;
    events = sd_bus_get_events(self->bus);
    r = events < 0 ? events : sd_bus_get_timeout(self->bus, &until);
    if (r < 0) {
        self->error = r;
        return TRUE;
    }
    self->poll.events = (gushort)(events | POLLHUP | POLLERR);
    /* UNTIL is absolute CLOCK_MONOTONIC, as g_source_get_time. 0: messages wait inside the
     * connection, and the descriptor will not become readable for them again. */
    if (until == 0)
        return TRUE;
    if (until != UINT64_MAX) {
        self->deadline = (gint64)until;
        *ret_timeout = (int)CLAMP((self->deadline - now + 999) / 1000, 0, G_MAXINT);
    }
    return FALSE;
}

static gboolean
bus_source_check(GSource *source)
{
    BusSource *self = (BusSource *)source;

    return self->poll.revents != 0 || self->deadline <= g_source_get_time(source);
}

/* One message per turn, so that a busy client does not starve others. */
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
    self->deadline = G_MAXINT64;
    self->poll.fd = sd_bus_get_fd(bus);
    g_source_add_poll(source, &self->poll);
    return source;
}
