/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-private.h"

/* Progress is checked this many times within the wait. */
#define RELAY_LOOKS 8

/* What a peer sent before it went lies in the kernel, which holds less than this. */
#define RELAY_LAST_BYTES (8 * 1024 * 1024)

gint64
flow_give_up_at(const Flow *flow, gint64 wait)
{
    gint64 went = MAX(flow->moved, flow->worded);

    if (flow->hurried == 0)
        return went + RELAY_PATIENCE;
    /* Limited also when a few bytes move each time. */
    return MIN(MAX(went, flow->hurried) + wait, flow->hurried + RELAY_PATIENCE);
}

/* How many bytes the destination's kernel has not taken. This shows earlier than the room for more,
 * which the kernel makes in large pieces, that a slow reader reads. */
static gsize
flow_left(const Relay *relay, int from)
{
    const Side *to = &relay->sides[1 - from];

    return to->lost ? 0 : connection_outstanding(to->connection);
}

void
flow_hurry(Relay *relay, int from, gboolean first_hand)
{
    Flow *flow = &relay->flows[from];
    gint64 wait = relay->times.wait;

    if (flow->hurried != 0)
        return;
    /* When the news comes second hand, the other hub or daemon has already waited, so less is left.
     * Some remains, because a slow reader's progress shows only once it is watched. */
    flow->hurried = reactor_now(relay->reactor) - (first_hand ? 0 : wait - wait / 4);
    flow->left = flow_left(relay, from);
    relay_wake_by(relay, wait / RELAY_LOOKS);
}

/* Decodes what came from a leg, up to its close frame, and drops the rest. REASON_NONE: there is
 * none among it. */
static Reason
flow_find_close(Relay *relay, int from, uint8_t *bytes, size_t len)
{
    Side *side = &relay->sides[from];
    WsEvent event;

    while (len > 0) {
        size_t used;

        ws_decoder_run(&side->decoder, bytes, len, &used, &event);
        if (event.type == WS_EVENT_CLOSE)
            return side_close_reason(side, &event);
        if (event.type == WS_EVENT_ERROR)
            return REASON_CUT;
        bytes += used;
        len -= used;
    }
    return REASON_NONE;
}

/* Why the peer of a worded leg went, of which the kernel knows that it is gone: its close frame may
 * lie behind data for which the other side has no room. These are not wanted any more, because they
 * come again on its next leg (section 8a), but the end that it gave for its stream is. */
static Reason
flow_last_word(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    uint8_t *buffer = reactor_buffer_take(relay->reactor);
    Reason reason = flow_find_close(relay, from, flow->raw, flow->raw_len);
    size_t all = 0;

    flow->raw_len = 0;
    while (reason == REASON_NONE && all < RELAY_LAST_BYTES) {
        const ssize_t n =
            connection_read(relay->sides[from].connection, buffer + BUFFER_HEADROOM, BUFFER_DATA);

        if (n <= 0)
            break;
        all += (size_t)n;
        reason = flow_find_close(relay, from, buffer + BUFFER_HEADROOM, (size_t)n);
    }
    reactor_buffer_give(relay->reactor, buffer);
    return reason != REASON_NONE ? reason : REASON_CUT;
}

void
relay_find_cuts(Relay *relay)
{
    for (int i = 0; i < 2 && relay->reason == REASON_NONE; i++) {
        const Side *side = &relay->sides[i];

        /* A side that is being read reports its end itself. */
        if (relay->flows[i].out_len == 0 || !side->connection)
            continue;
        /* After a FIN, a leg's peer may have ended in order; the bytes that it sent tell. */
        if (!(side->framed ? connection_was_cut(side->connection)
                           : connection_is_broken(side->connection)))
            continue;
        if (relay->worded)
            side_gone(relay, i, flow_last_word(relay, i));
        else
            flow_hurry(relay, i, !side->framed);
    }
}

gboolean
relay_awaits(const Relay *relay, int from)
{
    const Flow *flow = &relay->flows[from];

    if (flow->out_len == 0 || flow->stuck || relay->sides[1 - from].lost)
        return FALSE;
    if (relay->closing == RELAY_CLOSES_FRAMES)
        return flow->begun;
    return relay->closing == RELAY_CLOSES_ALL || from == relay->ender;
}

/* TRUE when, as far as is known, the source has ended and its bytes wait for the destination, or
 * nothing has come from the source since its end was reported. */
static gboolean
flow_may_be_stuck(const Relay *relay, int from)
{
    const Flow *flow = &relay->flows[from];
    const Side *side = &relay->sides[from];
    gboolean waits = flow->out_len > 0 && !relay->sides[1 - from].lost;

    if (flow->stuck)
        return FALSE;
    if (relay->reason != REASON_NONE)
        return relay_awaits(relay, from);
    if (side->told != REASON_NONE)
        return TRUE;
    if (flow->hurried != 0 || side->lost)
        return waits;
    return waits && (side->framed ? connection_hung_up(side->connection)
                                  : connection_has_left(side->connection));
}

gint64
relay_end_due(const Relay *relay, int from)
{
    const Flow *flow = &relay->flows[from];

    if (!flow_may_be_stuck(relay, from))
        return G_MAXINT64;
    if (relay->closing == RELAY_CLOSES_FRAMES)
        return MIN(flow_give_up_at(flow, relay->times.wait), relay->close_by);
    return flow_give_up_at(flow, relay->times.wait);
}

static void
flow_give_up(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    const Side *side = &relay->sides[from];

    flow->stuck = TRUE;
    if (relay->reason != REASON_NONE) {
        if (reason_is_orderly(relay->reason))
            relay_cut_short(relay, REASON_CUT);
    } else if (side->told != REASON_NONE) {
        relay_end(relay, side->told, from);
    } else if (side->framed) {
        /* All that it sent up to its end is here, and the last frame says why: read on and drop the
         * data. */
        flow->out_len = 0;
        flow->word_len = 0;
    } else {
        relay_end(relay, REASON_LOCAL_CUT, from);
    }
}

void
relay_end_check(Relay *relay, gint64 now)
{
    for (int from = 0; from < 2; from++) {
        Flow *flow = &relay->flows[from];

        if (flow->hurried != 0) {
            gsize left = flow_left(relay, from);

            if (left < flow->left)
                flow->moved = now;
            flow->left = left;
        }
        if (now >= relay_end_due(relay, from))
            flow_give_up(relay, from);
    }
}

gint64
relay_end_next(const Relay *relay, gint64 now)
{
    gint64 next = G_MAXINT64;

    for (int from = 0; from < 2; from++) {
        gint64 due = relay_end_due(relay, from);

        if (due == G_MAXINT64)
            continue;
        next = MIN(next, MAX(due - now, 0));
        if (relay->flows[from].hurried != 0)
            next = MIN(next, relay->times.wait / RELAY_LOOKS);
    }
    return next;
}
