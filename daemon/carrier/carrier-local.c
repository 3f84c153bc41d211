/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/carrier/carrier-private.h"

#include <errno.h>

static void
local_ready(Connection *connection G_GNUC_UNUSED, void *data)
{
    carrier_pump(data);
}

void
carrier_start(Carrier *carrier)
{
    int r = connection_attach(carrier->local.connection, carrier->reactor, local_ready, carrier);

    if (r < 0)
        carrier_local_cut(carrier);
}

/* It is read only when all that was read before is on its way: what waits for credit, or for a leg,
 * waits in the kernel and slows the application down, as without a carrier. */
static gboolean
local_may_read(const Carrier *carrier)
{
    const CarrierLocal *local = &carrier->local;

    return carrier->reason == REASON_NONE && local->connection && !local->ended &&
           leg_waiting(carrier) == 0;
}

static void
local_took(Carrier *carrier, size_t len)
{
    gint64 now = reactor_now(carrier->reactor);

    len = carrier_limit_take(carrier, len);
    carrier->leg.moved = now;
    if (len == 0) {
        resume_stream_rest(carrier->stream);
        return;
    }
    resume_stream_filled(carrier->stream, len, now);
    atomic_fetch_add_explicit(&carrier->meter->bytes[0], len, memory_order_relaxed);
}

size_t
local_read(Carrier *carrier)
{
    CarrierLocal *local = &carrier->local;
    gsize len = 0;
    uint8_t *room;
    ssize_t n;

    if (!local_may_read(carrier))
        return 0;
    room = resume_stream_room(carrier->stream, &len);
    if (!room) {
        carrier_wake_by(carrier, CARRIER_RETRY);
        return 0;
    }
    n = connection_read(local->connection, room, MIN(len, WS_FULL_MASKED));
    if (n > 0) {
        local_took(carrier, (size_t)n);
        return (size_t)n;
    }
    resume_stream_rest(carrier->stream);
    if (n == -EAGAIN)
        return 0;
    if (n < 0) {
        carrier_local_cut(carrier);
        return 0;
    }
    local->ended = TRUE;
    resume_stream_local_ended(carrier->stream);
    carrier_wake_by(carrier, carrier->times.patience); /* carrier_end_check */
    return 1;                                          /* there is something to say */
}

/* An application with a Unix socket may have gone for good: what it wrote before is still read. */
static void
local_failed(Carrier *carrier)
{
    carrier->local.broken = TRUE;
    if (connection_has_left(carrier->local.connection))
        carrier_run_again(carrier);
    else
        carrier_local_cut(carrier);
}

static gboolean
local_may_write(const Carrier *carrier)
{
    const CarrierLocal *local = &carrier->local;

    return local->connection && !local->broken && !local->given_up &&
           (carrier->reason == REASON_NONE || (carrier->last & CARRIER_DELIVERS));
}

/* Returns how many bytes the socket has taken. */
static size_t
local_put(Carrier *carrier, const uint8_t *data, size_t len)
{
    CarrierLocal *local = &carrier->local;
    size_t most = carrier_limit_take(carrier, len), done = 0;

    while (done < most) {
        ssize_t n = connection_write(local->connection, data + done, most - done);

        if (n < 0) {
            if (n != -EAGAIN)
                local_failed(carrier);
            break;
        }
        done += (size_t)n;
    }
    carrier_limit_give(carrier, most - done);
    if (done == 0)
        return 0;
    local->moved = reactor_now(carrier->reactor);
    resume_stream_consumed(carrier->stream, done, local->moved);
    atomic_fetch_add_explicit(&carrier->meter->bytes[1], done, memory_order_relaxed);
    return done;
}

void
local_arrived(Carrier *carrier, const uint8_t *data, size_t len)
{
    size_t done = 0;
    gsize held;

    if (carrier->reason != REASON_NONE)
        return;
    if (resume_stream_arrived(carrier->stream, len) != RESUME_GOES_ON) {
        carrier_broken(carrier);
        return;
    }
    if (resume_stream_held(carrier->stream, &held) == NULL) {
        carrier->local.moved = reactor_now(carrier->reactor);
        done = local_may_write(carrier) ? local_put(carrier, data, len) : 0;
    }
    if (done < len && local_may_write(carrier))
        resume_stream_keep(carrier->stream, data + done, len - done);
}

static void
local_finish(Carrier *carrier)
{
    if (!resume_stream_wants_fin(carrier->stream) || !local_may_write(carrier))
        return;
    /* It was reset while we neither read from it nor wrote to it. */
    if (connection_shutdown_write(carrier->local.connection) < 0)
        local_failed(carrier);
    else
        resume_stream_fin_given(carrier->stream, reactor_now(carrier->reactor));
}

void
local_write(Carrier *carrier)
{
    const uint8_t *data;
    gsize len;

    while (local_may_write(carrier) && (data = resume_stream_held(carrier->stream, &len)) != NULL)
        if (local_put(carrier, data, len) == 0)
            break;
    local_finish(carrier);
}

gsize
local_waiting(const Carrier *carrier)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    if (!carrier->local.connection || carrier->local.broken || carrier->local.given_up ||
        figures.fin_given)
        return 0;
    return (gsize)MIN(figures.received - figures.consumed, carrier->allowance);
}

/* When an application has closed both directions of a Unix socket, and all its bytes are with the
 * other end, this ends the stream; else the other side could wait for it without end. It is no cut,
 * though bytes may have come for it: it wanted none. */
static void
local_check_left(Carrier *carrier)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    if (figures.end_acked && !figures.fin_given && connection_has_left(carrier->local.connection))
        carrier_ends(carrier, carrier->device ? REASON_DEVICE_CLOSED : REASON_SERVICE_CLOSED,
                     CARRIER_FINISH);
}

/* An application that leaves in order is none, though what came for it cannot be written any more;
 * one that had bytes unread is. */
static gboolean
local_is_cut(const Connection *connection)
{
    return connection_has_left(connection) ? connection_was_cut(connection)
                                           : connection_is_broken(connection);
}

void
local_check(Carrier *carrier)
{
    const CarrierLocal *local = &carrier->local;

    if (carrier->reason != REASON_NONE || !local->connection)
        return;
    if (local->ended)
        local_check_left(carrier);
    if (!local_is_cut(local->connection) || carrier->reason != REASON_NONE ||
        (local->ended && resume_stream_fin_was_given(carrier->stream)))
        return;
    /* What it wrote before is still carried, as long as it moves. */
    if (local->ended || !carrier->leg.connection)
        carrier_local_cut(carrier);
    else if (carrier->hurried == 0) {
        carrier->hurried = reactor_now(carrier->reactor);
        carrier_wake_by(carrier, carrier->times.wait);
    }
}

void
local_close(Carrier *carrier)
{
    Connection *connection = g_steal_pointer(&carrier->local.connection);

    if (!connection)
        return;
    if (reason_is_orderly(carrier->reason) || (carrier->last & CARRIER_FINISH))
        connection_finish_patiently(connection, RELAY_PATIENCE);
    else
        connection_reset(connection);
}
