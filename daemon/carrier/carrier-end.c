/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/carrier/carrier-private.h"

/* Progress is looked for this many times within the wait. */
#define CARRIER_LOOKS 8

/* How many bytes the peer's kernel has not taken. This shows earlier than the room for more, which
 * the kernel makes in large pieces, that a slow reader reads. */
static gsize
left_at(Connection *connection)
{
    return connection ? connection_outstanding(connection) : 0;
}

/* Its bytes may stand still for a while only, from now on. */
static void
carrier_hurry(Carrier *carrier)
{
    gint64 wait = carrier->times.wait;

    /* Who tells us of the end may have waited already, so less is left. Some remains, because a
     * slow reader's progress shows only once it is watched. */
    carrier->hurried =
        reactor_now(carrier->reactor) - (carrier->last & CARRIER_LATE ? wait - wait / 4 : 0);
    carrier->local.left = left_at(carrier->local.connection);
    carrier->leg.left = left_at(carrier->leg.connection);
    carrier_wake_by(carrier, wait / CARRIER_LOOKS);
}

void
carrier_ends(Carrier *carrier, Reason reason, guint last)
{
    if (carrier->reason != REASON_NONE) {
        carrier->last |= last & CARRIER_TOLD;
        return;
    }
    carrier->reason = reason;
    carrier->last = last;
    carrier_hurry(carrier);
    carrier_run_again(carrier); /* whoever finds the end is in the midst of something */
}

void
carrier_cut_short(Carrier *carrier, Reason reason)
{
    if (reason_is_orderly(carrier->reason) && local_waiting(carrier) > 0)
        carrier->reason = reason;
    carrier->last &= ~(guint)(CARRIER_SENDS | CARRIER_DELIVERS);
    local_close(carrier);
}

void
carrier_broken(Carrier *carrier)
{
    if (carrier->leg.close_code == 0)
        carrier->leg.close_code = WS_CLOSE_PROTOCOL;
    carrier_ends(carrier, REASON_PROTOCOL, 0);
}

void
carrier_local_cut(Carrier *carrier)
{
    carrier->local.broken = TRUE;
    carrier_ends(carrier, REASON_LOCAL_CUT, carrier->suspended == 0 ? CARRIER_SENDS : 0);
}

/* What the other end has not given up may still be on its way into the local socket. An orderly
 * reason is one only when the data have come to their end. */
void
carrier_told(Carrier *carrier, Reason reason)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);
    gboolean cut = reason_is_orderly(reason) && !figures.peer_ended;

    carrier_ends(carrier, cut ? REASON_CUT : reason,
                 CARRIER_TOLD | CARRIER_DELIVERS | CARRIER_LATE);
}

static void
carrier_resumed(Carrier *carrier)
{
    gint64 now = reactor_now(carrier->reactor);
    gint64 pause = carrier->suspended > 0 ? now - carrier->suspended : 0;

    /* Idleness and stall are not measured meanwhile. */
    carrier->leg.moved = MIN(carrier->leg.moved + pause, now);
    carrier->local.moved = MIN(carrier->local.moved + pause, now);
    carrier->suspended = 0;
    carrier->leg.talking = TRUE;
    carrier_tell_talking(carrier);
}

void
carrier_heard(Carrier *carrier)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    if (!carrier->leg.talking && resume_stream_is_talking(carrier->stream))
        carrier_resumed(carrier);
    if (figures.kept_from > carrier->acked) {
        carrier->leg.moved = reactor_now(carrier->reactor);
        atomic_store(&carrier->advanced, TRUE);
    }
    carrier->acked = figures.kept_from;
}

static void
carrier_suspend(Carrier *carrier, Reason reason)
{
    gint64 now = reactor_now(carrier->reactor);
    ResumeFigures figures;

    leg_drop(carrier);
    resume_stream_detach(carrier->stream, now);
    if (carrier->suspended == 0)
        carrier->suspended = now;
    figures = resume_stream_figures(carrier->stream);
    carrier_tell_lost(carrier, reason_is_orderly(reason) ? REASON_CUT : reason,
                      figures.kept_to - figures.kept_from);
}

void
carrier_lost(Carrier *carrier, Reason reason)
{
    if (carrier->reason != REASON_NONE) {
        leg_drop(carrier);
        return;
    }
    if (resume_stream_is_completed(carrier->stream)) {
        /* Only an orderly close comes from an end that knows. */
        carrier->missed = !(carrier->leg.close_received && reason_is_orderly(reason));
        carrier->unsaid |= carrier->missed && !carrier->device;
        if (!carrier->leg.close_received)
            leg_drop(carrier);
        carrier_ends(carrier, REASON_COMPLETED, CARRIER_TOLD);
    } else if (resume_stream_is_resumable(carrier->stream)) {
        carrier_suspend(carrier, reason);
    } else {
        carrier_ends(carrier, reason_is_orderly(reason) ? REASON_CUT : reason,
                     CARRIER_TOLD | CARRIER_DELIVERS | CARRIER_LATE);
    }
}

static Reason
close_reason(const WsEvent *event)
{
    Reason told = reason_from_code((const char *)event->payload, (gssize)event->payload_len);

    if (told != REASON_NONE && reason_close_code(told) == event->code)
        return told;
    switch (event->code) {
    case WS_CLOSE_GOING_AWAY:
        return REASON_HUB_STOPPING;
    case WS_CLOSE_POLICY:
        return REASON_REVOKED;
    case WS_CLOSE_PROTOCOL:
        return REASON_PROTOCOL;
    default:
        return REASON_CUT;
    }
}

void
carrier_closed(Carrier *carrier, const WsEvent *event)
{
    const gboolean final = event->code == WS_CLOSE_POLICY || event->code == WS_CLOSE_PROTOCOL;

    if (carrier->reason != REASON_NONE)
        carrier->last |= CARRIER_TOLD;
    else if (final)
        carrier_ends(carrier, close_reason(event), CARRIER_TOLD | CARRIER_DELIVERS | CARRIER_LATE);
    else
        carrier_lost(carrier, close_reason(event));
}

/* Both directions are consumed: the service's side closes, as soon as the other end knows all. */
static void
carrier_check_completed(Carrier *carrier)
{
    gint64 now = reactor_now(carrier->reactor);
    ResumePiece piece;
    gboolean all_said;

    if (!resume_stream_is_completed(carrier->stream))
        return;
    if (carrier->completed == 0) {
        carrier->completed = now;
        carrier_wake_by(carrier, CARRIER_LAST_CLOSE);
    }
    all_said = !carrier->leg.connection ||
               (leg_is_free(carrier) &&
                resume_stream_next(carrier->stream, 1, now, &piece) == RESUME_SENDS_NOTHING &&
                resume_stream_due(carrier->stream, now) == G_MAXINT64);
    if (!carrier->leg.connection || (all_said && !carrier->device))
        carrier_ends(carrier, REASON_COMPLETED, 0);
}

/* Something is still to be done before it is over. */
static gboolean
carrier_awaits(const Carrier *carrier)
{
    const CarrierLeg *leg = &carrier->leg;

    if ((carrier->last & CARRIER_DELIVERS) && local_waiting(carrier) > 0)
        return TRUE;
    if (!leg->connection || leg->deaf || leg->given_up || (carrier->last & CARRIER_TOLD))
        return FALSE;
    return leg->begun || ((carrier->last & CARRIER_SENDS) && leg_waiting(carrier) > 0);
}

/* It ended in order, but some of its bytes can no longer be delivered. */
static void
carrier_fall_short(Carrier *carrier)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    if (reason_is_orderly(carrier->reason) && !(carrier->last & CARRIER_FINISH) &&
        figures.received > figures.consumed)
        carrier->reason = REASON_CUT;
}

static void
carrier_finish(Carrier *carrier)
{
    carrier->finished = TRUE;
    reactor_cancel(carrier->reactor, &carrier->again);
    reactor_clear_timer(carrier->reactor, &carrier->timer);
    carrier_fall_short(carrier);
    leg_close(carrier);
    local_close(carrier);
    carrier_tell_ended(carrier);
}

void
carrier_settle(Carrier *carrier)
{
    if (carrier->reason == REASON_NONE)
        carrier_check_completed(carrier);
    if (carrier->reason != REASON_NONE && !carrier_awaits(carrier))
        carrier_finish(carrier);
}

/* When bytes that stand still since MOVED are given up. */
static gint64
give_up_at(const Carrier *carrier, gint64 moved)
{
    if (reason_is_orderly(carrier->reason))
        return moved + carrier->times.patience;
    /* Limited also when a few bytes move each time. */
    return MIN(MAX(moved, carrier->hurried) + carrier->times.wait,
               carrier->hurried + carrier->times.patience);
}

static void
note_progress(Connection *connection, gsize *left, gint64 *moved, gint64 now)
{
    gsize left_now = left_at(connection);

    if (left_now < *left)
        *moved = now;
    *left = left_now;
}

/* A local socket that was reset, whose last bytes cannot be read because nobody takes them. */
static gint64
check_broken_local(Carrier *carrier, gint64 now)
{
    gint64 due = MAX(carrier->hurried, carrier->leg.moved) + carrier->times.wait;

    if (carrier->hurried == 0)
        return G_MAXINT64;
    if (now >= due)
        carrier_ends(carrier, REASON_LOCAL_CUT, 0);
    return MAX(due - now, 0);
}

/* An application that has gone for good, whose last bytes the other end's takes no more. While it
 * is suspended that has a time of its own. */
static gint64
check_left_local(Carrier *carrier, gint64 now)
{
    const CarrierLocal *local = &carrier->local;
    gint64 due = carrier->leg.moved + carrier->times.patience;

    if (!local->ended || carrier->suspended > 0 ||
        resume_stream_figures(carrier->stream).end_acked || !connection_has_left(local->connection))
        return G_MAXINT64;
    if (now >= due)
        carrier_ends(carrier, REASON_CUT, 0);
    return MAX(due - now, 0);
}

gint64
carrier_end_check(Carrier *carrier, gint64 now)
{
    CarrierLocal *local = &carrier->local;
    CarrierLeg *leg = &carrier->leg;

    if (carrier->reason == REASON_NONE && carrier->completed > 0) {
        gint64 left = carrier->completed + CARRIER_LAST_CLOSE - now;

        if (left <= 0)
            carrier_ends(carrier, REASON_COMPLETED, 0);
        return MAX(left, 0);
    }
    if (carrier->reason == REASON_NONE)
        return MIN(check_broken_local(carrier, now), check_left_local(carrier, now));
    note_progress(local->connection, &local->left, &local->moved, now);
    note_progress(leg->connection, &leg->left, &leg->moved, now);
    local->given_up |= now >= give_up_at(carrier, local->moved);
    leg->given_up |= now >= give_up_at(carrier, leg->moved) ||
                     (carrier->close_by > 0 && now >= carrier->close_by);
    return carrier->times.wait / CARRIER_LOOKS;
}
