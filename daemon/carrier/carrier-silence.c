/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A leg is always read, so whatever its peer sends is heard; and a peer with CAP_REASON never falls
 * silent (docs/wire-protocol.md, section 8, "Signs of life"). */
#include "daemon/carrier/carrier-private.h"

/* A later leg is led back by the other end, which begins anew when it does not come in time. */
#define CARRIER_PAIR (30 * G_TIME_SPAN_SECOND)

static gint64
leg_pair_time(const Carrier *carrier)
{
    gint64 pair = carrier->times.pair;

    return resume_stream_is_resumable(carrier->stream) ? MAX(pair, CARRIER_PAIR) : pair;
}

/* The hub does not read what we send, nor answer, before the other leg is there. */
static gboolean
leg_is_unpaired(const Carrier *carrier)
{
    return carrier->times.pair > 0 && !carrier->leg.spoke;
}

/* A probe that has just been sent does not count yet, only one that stays unanswered. */
static gint64
leg_kernel_silence(Carrier *carrier, gint64 now)
{
    CarrierLeg *leg = &carrier->leg;
    gint64 ping = carrier->times.ping, unanswered = 0;

    if (now - leg->heard >= ping)
        unanswered = connection_unanswered(leg->connection);
    if (unanswered == 0)
        leg->owing = 0;
    else if (leg->owing == 0)
        leg->owing = now;
    return leg->owing > 0 && now - leg->owing >= ping / 4 ? unanswered : 0;
}

static gint64
leg_silence(Carrier *carrier, gint64 now)
{
    const CarrierLeg *leg = &carrier->leg;

    if (leg_is_unpaired(carrier))
        return MIN(leg_kernel_silence(carrier, now), now - leg->heard);
    return now - MAX(leg->heard, leg->unheard);
}

/* To ask a silent peer, or to show it that we are alive. */
static gint64
leg_ping_due(const Carrier *carrier)
{
    const CarrierLeg *leg = &carrier->leg;

    return MIN(MAX(leg->heard, leg->pinged), leg->said) + carrier->times.ping;
}

static void
leg_ping(Carrier *carrier, gint64 now)
{
    /* A peer that has ended is not asked: it would answer with a reset. */
    if (now < leg_ping_due(carrier) || !leg_is_free(carrier) ||
        connection_hung_up(carrier->leg.connection))
        return;
    carrier->leg.pinged = now;
    leg_say(carrier, WS_OP_PING, NULL, 0);
}

/* Whether it is still to prove that it lives. Its ping waits while a frame is on its way out. */
static gboolean
leg_is_probed(Carrier *carrier, gint64 now)
{
    CarrierLeg *leg = &carrier->leg;

    if (leg->probed > 0 && leg->heard >= leg->probed + CARRIER_STALE)
        leg->probed = 0;
    if (leg->probed > 0 && !leg->asking && leg_is_free(carrier) &&
        !connection_hung_up(leg->connection)) {
        leg->asking = TRUE;
        leg->pinged = now;
        leg_say(carrier, WS_OP_PING, NULL, 0);
    }
    return leg->probed > 0;
}

void
leg_probe(Carrier *carrier, gint64 limit)
{
    CarrierLeg *leg = &carrier->leg;
    gint64 now = reactor_now(carrier->reactor);

    if (!leg->connection || leg->deaf || leg->probed > 0 || leg_is_unpaired(carrier))
        return;
    leg->probed = now;
    leg->prove = now + limit;
    leg->asking = FALSE;
    (void)leg_is_probed(carrier, now);
    carrier_wake_by(carrier, limit);
}

gint64
leg_check(Carrier *carrier, gint64 now)
{
    CarrierLeg *leg = &carrier->leg;
    const RelayTimes *times = &carrier->times;
    gint64 silence, next;

    if (!leg->connection || leg->deaf || times->ping <= 0 || carrier->reason != REASON_NONE)
        return G_MAXINT64;
    silence = leg_silence(carrier, now);
    if (leg_is_unpaired(carrier) && now - leg->since >= leg_pair_time(carrier)) {
        carrier_lost(carrier, REASON_NOT_PAIRED);
        return G_MAXINT64;
    }
    if (silence >= times->dead) {
        leg->silent = TRUE;
        carrier_lost(carrier, REASON_SILENT);
        return G_MAXINT64;
    }
    next = times->dead - silence;
    if (leg_is_probed(carrier, now)) {
        if (now >= leg->prove) {
            leg->silent = TRUE;
            carrier_lost(carrier, REASON_SILENT);
            return G_MAXINT64;
        }
        next = MIN(next, leg->prove - now);
    }
    leg_ping(carrier, now);
    if (leg_is_unpaired(carrier))
        next = MIN(next, leg->since + leg_pair_time(carrier) - now);
    if (leg->owing > 0)
        return MIN(times->ping / 4, next);
    return MIN(MAX(leg_ping_due(carrier) - now, times->ping / 4), next);
}
