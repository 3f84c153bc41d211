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

    return flow->out_len > 0 ? left_of(relay->times.limits.stall, flow->moved, now) : G_MAXINT64;
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
