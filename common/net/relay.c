/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-private.h"

#include <errno.h>

/* When a timer is later than this, the machine was not just busy: nothing ran. */
#define RELAY_LATE (1 * G_TIME_SPAN_SECOND)

Relay *
relay_ref(Relay *relay)
{
    atomic_fetch_add(&relay->references, 1);
    return relay;
}

void
relay_release(Relay *relay)
{
    if (atomic_fetch_sub(&relay->references, 1) != 1)
        return;
    side_clear(&relay->sides[0]);
    side_clear(&relay->sides[1]);
    g_free(relay);
}

static void
relay_over(Message *message)
{
    Relay *relay = CONTAINER_OF(message, Relay, over);
    RelayEnded ended = relay->ended;

    relay->ended = NULL;
    relay->is_over = TRUE;
    if (ended)
        ended(relay, relay->reason, relay->data);
    relay_release(relay); /* the reactor's reference */
}

static void
relay_finish(Relay *relay)
{
    relay->finished = TRUE;
    reactor_cancel(relay->reactor, &relay->again);
    reactor_clear_timer(relay->reactor, &relay->timer);
    side_close(relay, 0);
    side_close(relay, 1);
    flow_drop(relay, &relay->flows[0]);
    flow_drop(relay, &relay->flows[1]);
    (void)queue_post(relay->owner, &relay->over);
}

/* It ended in order, but some of its bytes can no longer be delivered. */
static void
relay_fall_short(Relay *relay, Reason reason)
{
    gboolean dropped = relay->flows[0].out_len > 0 || relay->flows[1].out_len > 0;

    if (dropped && reason_is_orderly(relay->reason))
        relay->reason = reason_is_orderly(reason) ? REASON_CUT : reason;
}

void
relay_end(Relay *relay, Reason reason, int side)
{
    if (relay->reason == REASON_NONE) {
        /* Its reason came behind bytes that can no longer be delivered. */
        gboolean dropped = side >= 0 && relay->flows[side].stuck && reason_is_orderly(reason);

        relay->reason = dropped ? REASON_CUT : reason;
        relay->ender = side;
        if (side >= 0 && !reason_is_orderly(relay->reason))
            flow_hurry(relay, side, !relay->sides[side].framed);
    } else if (side >= 0 && side != relay->ender) {
        /* The other side went as well, so nobody can take what is left. */
        relay_fall_short(relay, reason);
        relay->ender = -1;
    }
}

void
relay_cut_short(Relay *relay, Reason reason)
{
    if (relay->reason == REASON_NONE)
        relay->reason = reason;
    else
        relay_fall_short(relay, reason);
    relay->ender = -1;
}

/* The hub leaves it to the ends to close a complete stream, if they know that it is complete. */
static gboolean
relay_leaves_close(const Relay *relay)
{
    const Side *sides = relay->sides;

    return sides[0].framed && sides[1].framed &&
           ((sides[0].caps | sides[1].caps) & CAP_HALF_CLOSE) != 0;
}

/* Everything was delivered to the side, and it was told of the end or cannot be told. */
static gboolean
relay_is_delivered(const Relay *relay, int to)
{
    const Flow *flow = &relay->flows[1 - to];
    const Side *side = &relay->sides[to];
    gboolean tellable = !side->framed || (side->caps & CAP_HALF_CLOSE);

    return flow->told || (flow->ended && flow->out_len == 0 && !tellable);
}

/* Both directions have ended, and no more can come. */
static gboolean
relay_is_complete(const Relay *relay)
{
    return relay_is_delivered(relay, 0) && relay_is_delivered(relay, 1) &&
           !relay_leaves_close(relay);
}

/* Ends the relay when it is complete, or has a reason to end and what came before is delivered. */
static void
relay_settle(Relay *relay)
{
    if (relay->reason == REASON_NONE && relay_is_complete(relay))
        relay_end(relay, REASON_COMPLETED, -1);
    side_check_left(relay, 0);
    side_check_left(relay, 1);
    if (relay->reason == REASON_NONE)
        return;
    if (!relay_awaits(relay, 0) && !relay_awaits(relay, 1))
        relay_finish(relay);
}

static void
relay_flush(Relay *relay, int index)
{
    Side *side = &relay->sides[index];
    int r = side->lost ? -EAGAIN : connection_flush(side->connection);

    if (r < 0 && r != -EAGAIN)
        side_unwritable(relay, index, r);
}

static gint64
relay_period(const Relay *relay)
{
    return MIN(relay->times.quiet, relay->times.ping > 0 ? relay->times.ping : G_MAXINT64) / 2;
}

static void
relay_set_timer(Relay *relay, gint64 delay)
{
    relay->due = reactor_now(relay->reactor) + delay;
    reactor_set_timer(relay->reactor, &relay->timer, delay);
}

void
relay_wake_by(Relay *relay, gint64 delay)
{
    if (reactor_now(relay->reactor) + delay < relay->due)
        relay_set_timer(relay, delay);
}

/* An empty message with nothing behind it for a while ends the data. */
static gboolean
relay_check_empty(Relay *relay)
{
    gint64 now = reactor_now(relay->reactor);
    gboolean first = side_check_empty(relay, 0, now), second = side_check_empty(relay, 1, now);

    return first || second;
}

static void
relay_pump(Relay *relay)
{
    gboolean more = FALSE;

    /* The end was asked for. That reason counts, not what follows from it; the message is on its
     * way. */
    if (relay->reason == REASON_NONE && atomic_load(&relay->wanted) != REASON_NONE)
        return;
    /* Once the relay has finished, the owner may release it at any moment. */
    relay_ref(relay);
    for (int from = 0; from < 2; from++) {
        /* Nothing needs to go to a side that has ended the relay. */
        if (relay->reason == REASON_NONE || relay_awaits(relay, from))
            more |= flow_pump(relay, from);
        side_control(relay, from);
    }
    if (!more)
        more = relay_check_empty(relay);
    relay_flush(relay, 0);
    relay_flush(relay, 1);
    relay_find_cuts(relay);
    relay_settle(relay);
    if (!relay->finished && more)
        reactor_defer(relay->reactor, &relay->again);
    relay_release(relay);
}

static void
relay_again(Task *task)
{
    relay_pump(CONTAINER_OF(task, Relay, again));
}

static void
relay_ready(Connection *connection G_GNUC_UNUSED, void *data)
{
    relay_pump(data);
}

/* A side that cannot be told of the other's end of data keeps its own direction open until it was
 * quiet for a while (docs/wire-protocol.md, section 8). */
static void
relay_check_quiet(Relay *relay, int from, gint64 now)
{
    const Flow *flow = &relay->flows[from];
    const Flow *back = &relay->flows[1 - from];

    /* The hub leaves it to the ends to close a complete stream, but only for a limited time. */
    gboolean waits = flow->ended && (!flow->told || back->told);
    /* It is not quiet while a slow reader has not taken what came before. */
    gboolean held = flow->out_len > 0 || back->out_len > 0 || relay->sides[1 - from].lost;

    if (waits && !held && now - MAX(flow->moved, back->moved) >= relay->times.quiet)
        relay_end(relay, relay->sides[from].closed, from);
}

/* The end that was asked for does not wait for a reader that may never read. Of the bytes held,
 * only the rest of a frame on a leg is still sent, so that the reason can follow it. */
static void
relay_let_go(Relay *relay, int index)
{
    Flow *toward = &relay->flows[1 - index];

    toward->word_len = 0;
    if (!relay->sides[index].framed) {
        side_close(relay, index);
        relay->sides[index].lost = TRUE;
    }
    if (relay->sides[index].lost || !toward->begun)
        flow_drop(relay, toward);
}

static gint64
relay_close_time(const Relay *relay, Reason reason)
{
    if (reason == REASON_STOPPING || reason == REASON_HUB_STOPPING || reason == REASON_CANCELLED)
        return MIN(RELAY_HASTE, relay->times.wait);
    return relay->times.wait;
}

void
relay_close_frames(Relay *relay, gint64 most)
{
    relay->closing = RELAY_CLOSES_FRAMES;
    relay->close_by = reactor_now(relay->reactor) + most;
    for (int i = 0; i < 2; i++) {
        flow_hurry(relay, i, FALSE);
        relay_let_go(relay, i);
    }
    relay_wake_by(relay, most);
}

static void
relay_stop(Relay *relay, Reason reason)
{
    relay_end(relay, reason, -1);
    relay_cut_short(relay, reason);
    relay_close_frames(relay, relay_close_time(relay, reason));
    relay_pump(relay);
}

/* When this process was stopped or had no CPU, the silence does not count against the peer. */
static void
relay_forgive(Relay *relay, gint64 now)
{
    if (now - relay->due < MAX(relay_period(relay), RELAY_LATE))
        return;
    for (int i = 0; i < 2; i++)
        relay->sides[i].unheard = relay->sides[i].owing = now;
}

static void
relay_timer(Timer *timer)
{
    Relay *relay = CONTAINER_OF(timer, Relay, timer);
    gint64 now = reactor_now(relay->reactor);
    gint64 delay = relay_period(relay);

    relay_forgive(relay, now);
    relay_limit_check(relay, now);
    relay_end_check(relay, now);
    for (int i = 0; i < 2; i++) {
        delay = MIN(delay, side_check(relay, i, now));
        relay_check_quiet(relay, i, now);
        if (relay->sides[i].empty > 0 && relay->reason == REASON_NONE)
            delay = MIN(delay, MAX(relay->sides[i].empty + relay->times.empty - now, 0));
    }
    delay = MIN(delay, relay_end_next(relay, now));
    relay_set_timer(relay, MIN(delay, relay_limit_next(relay, now)));
    relay_pump(relay);
}

static void
relay_kicked(Message *message)
{
    Relay *relay = CONTAINER_OF(message, Relay, kick);

    if (!relay->finished)
        relay_stop(relay, (Reason)atomic_load(&relay->wanted));
    relay_release(relay);
}

static void
relay_left(Message *message)
{
    Relay *relay = CONTAINER_OF(message, Relay, leave);
    int heard = atomic_load(&relay->heard);

    if (!relay->finished && relay->reason != REASON_NONE) {
        relay_end(relay, (Reason)(heard / 2), heard % 2);
        relay_pump(relay);
    } else if (!relay->finished && relay->worded) {
        side_gone(relay, heard % 2, (Reason)(heard / 2)); /* what it sent will come again */
        relay_pump(relay);
    } else if (!relay->finished) {
        /* The side will report this itself behind what it sent, or is reset, or stops moving. */
        relay->sides[heard % 2].told = (Reason)(heard / 2);
        flow_hurry(relay, heard % 2, FALSE);
        relay_pump(relay);
    }
    relay_release(relay);
}

static void
relay_take(Relay *relay, int index)
{
    Connection *connection = relay->sides[index].connection;
    int r = 0;

    if (connection_reactor(connection))
        connection_set_handler(connection, relay_ready, relay);
    else
        r = connection_attach(connection, relay->reactor, relay_ready, relay);
    if (r < 0)
        side_lost(relay, index, r);
}

static void
relay_begin(Relay *relay)
{
    relay_take(relay, 0);
    relay_take(relay, 1);
    side_greet(&relay->sides[0]);
    side_greet(&relay->sides[1]);
    relay_set_timer(relay, MIN(relay_period(relay), relay_limit_next(relay, relay->since)));
    /* Both handlers run on the next turn. That turn also ends the relay if a side could not be
     * attached. */
    reactor_defer(relay->reactor, &relay->again);
}

static void
relay_start(Message *message)
{
    relay_begin(CONTAINER_OF(message, Relay, start));
}

Relay *
relay_new(Reactor *reactor, const RelaySide *side0, const RelaySide *side1, const RelayTimes *times,
          RelayMeter *meter, Queue *owner, RelayEnded ended, void *data)
{
    static const RelayTimes usual = {.quiet = RELAY_QUIET, .ping = RELAY_PING, .dead = RELAY_DEAD};
    Relay *relay = g_new0(Relay, 1);
    gint64 now = g_get_monotonic_time();

    relay->references = 2; /* the caller's and the reactor's */
    relay->reactor = reactor;
    relay->times = times ? *times : usual;
    relay->times.wait = relay->times.wait > 0 ? relay->times.wait : RELAY_WAIT;
    relay->times.empty = relay->times.empty > 0 ? relay->times.empty : RELAY_EMPTY;
    relay->meter = meter;
    relay->owner = owner;
    relay->ended = ended;
    relay->data = data;
    relay->ender = -1;
    relay->start.func = relay_start;
    relay->kick.func = relay_kicked;
    relay->leave.func = relay_left;
    relay->over.func = relay_over;
    relay->again.func = relay_again;
    relay->timer.func = relay_timer;
    relay->worded = (side0->caps & side1->caps & CAP_RESUME) != 0;
    for (int i = 0; i < 2; i++)
        resume_allowance_init(&relay->flows[i].words, atomic_load(&meter->bytes[1 - i]), now);
    side_init(&relay->sides[0], side0, now);
    side_init(&relay->sides[1], side1, now);
    for (int i = 0; relay->worded && i < 2; i++)
        ws_decoder_split_text(&relay->sides[i].decoder);
    relay->flows[0].moved = relay->flows[1].moved = relay->since = now;
    relay->allowance = relay->times.limits.bytes > 0 ? relay->times.limits.bytes : G_MAXUINT64;
    if (reactor_is_current(reactor))
        relay_begin(relay);
    else
        reactor_post(reactor, &relay->start);
    return relay;
}

void
relay_close(Relay *relay, Reason reason)
{
    int none = REASON_NONE;

    if (!atomic_compare_exchange_strong(&relay->wanted, &none, (int)reason))
        return;
    relay_ref(relay); /* the message's */
    reactor_post(relay->reactor, &relay->kick);
}

void
relay_ended_by(Relay *relay, int side, Reason reason)
{
    int nothing = 0;

    if (!atomic_compare_exchange_strong(&relay->heard, &nothing, 2 * (int)reason + side))
        return;
    relay_ref(relay); /* the message's */
    reactor_post(relay->reactor, &relay->leave);
}

gboolean
relay_is_unsaid(const Relay *relay)
{
    return relay->unsaid;
}

void
relay_unref(Relay *relay)
{
    if (!relay)
        return;
    relay->ended = NULL;
    if (!relay->is_over)
        relay_close(relay, REASON_CANCELLED);
    relay_release(relay);
}
