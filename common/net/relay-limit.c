/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-private.h"

static void
relay_limit_reached(Relay *relay, Reason reason)
{
    if (relay->closing != RELAY_CLOSES_NOT)
        return;
    relay_cut_short(relay, reason);
    relay->closing = RELAY_CLOSES_ALL;
    flow_hurry(relay, 0, TRUE);
    flow_hurry(relay, 1, TRUE);
}

size_t
relay_limit_take(Relay *relay, size_t len)
{
    size_t taken = (size_t)MIN(len, relay->allowance);

    relay->allowance -= taken;
    if (taken < len)
        relay_limit_reached(relay, REASON_BYTE_LIMIT);
    return taken;
}

gboolean
relay_limit_word(Relay *relay, int from, size_t len)
{
    Flow *flow = &relay->flows[from];
    _Atomic guint64 *bytes = relay->meter->bytes;
    guint64 back = atomic_load_explicit(&bytes[1 - from], memory_order_relaxed);
    size_t over = resume_allowance_take(&flow->words, len, back, reactor_now(relay->reactor));
    size_t taken = over > 0 ? relay_limit_take(relay, over) : 0;

    if (taken > 0)
        atomic_fetch_add_explicit(&bytes[from], taken, memory_order_relaxed);
    return taken == over;
}

static gint64
last_moved(const Relay *relay)
{
    return MAX(relay->flows[0].moved, relay->flows[1].moved);
}

static gint64
left_of(gint64 limit, gint64 since, gint64 now)
{
    return limit > 0 ? since + limit - now : G_MAXINT64;
}

static gint64
stall_left(const Relay *relay, int from, gint64 now)
{
    const Flow *flow = &relay->flows[from];

    return flow->out_len > 0 && !flow->out_is_word
               ? left_of(relay->times.limits.stall, flow->moved, now)
               : G_MAXINT64;
}

void
relay_limit_check(Relay *relay, gint64 now)
{
    const RelayLimits *limits = &relay->times.limits;

    for (int from = 0; from < 2; from++)
        if (stall_left(relay, from, now) <= 0) {
            relay_limit_reached(relay, REASON_STALLED);
            relay->flows[from].stuck = TRUE;
        }
    if (left_of(limits->duration, relay->since, now) <= 0)
        relay_limit_reached(relay, REASON_TIME_LIMIT);
    if (left_of(limits->idle, last_moved(relay), now) <= 0)
        relay_limit_reached(relay, REASON_IDLE);
}

gint64
relay_limit_next(const Relay *relay, gint64 now)
{
    const RelayLimits *limits = &relay->times.limits;
    gint64 left = G_MAXINT64;

    if (relay->closing != RELAY_CLOSES_NOT)
        return G_MAXINT64;
    /* A stall begins when bytes start to wait, which may be at any time: check often enough. */
    if (limits->stall > 0)
        left = MIN(limits->stall / 2, MIN(stall_left(relay, 0, now), stall_left(relay, 1, now)));
    left = MIN(left, left_of(limits->duration, relay->since, now));
    left = MIN(left, left_of(limits->idle, last_moved(relay), now));
    return MAX(left, 0);
}
