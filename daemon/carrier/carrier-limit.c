/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/carrier/carrier-private.h"

static void
carrier_limit_reached(Carrier *carrier, Reason reason)
{
    if (carrier->reason == REASON_NONE)
        carrier_ends(carrier, reason, CARRIER_SENDS | CARRIER_DELIVERS);
}

size_t
carrier_limit_take(Carrier *carrier, size_t len)
{
    size_t taken = (size_t)MIN(len, carrier->allowance);

    carrier->allowance -= taken;
    if (taken < len)
        carrier_limit_reached(carrier, REASON_BYTE_LIMIT);
    return taken;
}

void
carrier_limit_give(Carrier *carrier, size_t len)
{
    carrier->allowance += len;
}

static gint64
left_of(gint64 limit, gint64 since, gint64 now)
{
    return limit > 0 ? since + limit - now : G_MAXINT64;
}

/* Toward the other end a byte waits until that has consumed it. */
static gint64
leg_stall_left(const Carrier *carrier, gint64 now)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    return carrier->suspended > 0 || figures.kept_to == figures.kept_from
               ? G_MAXINT64
               : left_of(carrier->times.limits.stall, carrier->leg.moved, now);
}

static gint64
local_stall_left(const Carrier *carrier, gint64 now)
{
    return carrier->suspended > 0 || local_waiting(carrier) == 0
               ? G_MAXINT64
               : left_of(carrier->times.limits.stall, carrier->local.moved, now);
}

static gint64
idle_left(const Carrier *carrier, gint64 now)
{
    gint64 moved = MAX(carrier->leg.moved, carrier->local.moved);

    return carrier->suspended > 0 ? G_MAXINT64 : left_of(carrier->times.limits.idle, moved, now);
}

void
carrier_limit_check(Carrier *carrier, gint64 now)
{
    if (leg_stall_left(carrier, now) <= 0) {
        carrier_limit_reached(carrier, REASON_STALLED);
        carrier->leg.given_up = TRUE;
    }
    if (local_stall_left(carrier, now) <= 0) {
        carrier_limit_reached(carrier, REASON_STALLED);
        carrier->local.given_up = TRUE;
    }
    if (left_of(carrier->times.limits.duration, carrier->since, now) <= 0)
        carrier_limit_reached(carrier, REASON_TIME_LIMIT);
    if (idle_left(carrier, now) <= 0)
        carrier_limit_reached(carrier, REASON_IDLE);
}

gint64
carrier_limit_next(const Carrier *carrier, gint64 now)
{
    const RelayLimits *limits = &carrier->times.limits;
    gint64 left = G_MAXINT64;

    if (carrier->reason != REASON_NONE)
        return G_MAXINT64;
    /* A stall begins when bytes start to wait, which may be at any time: check often enough. */
    if (limits->stall > 0)
        left = MIN(limits->stall / 2,
                   MIN(leg_stall_left(carrier, now), local_stall_left(carrier, now)));
    left = MIN(left, left_of(limits->duration, carrier->since, now));
    left = MIN(left, idle_left(carrier, now));
    return MAX(left, 0);
}
