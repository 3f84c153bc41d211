/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/carrier/carrier-private.h"

/* In the order of RelayState's sides. */
enum { SIDE_LOCAL, SIDE_LEG };

/* A question to the reactor, as a relay's: later callers join the one that is under way. */
struct CarrierProbe {
    Carrier *carrier; /* holds a reference */
    Message ask, answer;
    GQueue questions; /* of RelayQuestion.link; OWNER's thread */
    RelayState state; /* the reactor's, until the answer is sent */
};

static RelayWaits
outward_waits(const Carrier *carrier, const ResumeFigures *figures)
{
    if (carrier->finished || figures->end_acked)
        return RELAY_WAITS_NOTHING;
    if (carrier->leg.given_up)
        return RELAY_WAITS_GIVEN_UP;
    if (leg_waiting(carrier) > 0)
        return RELAY_WAITS_DESTINATION;
    if (carrier->reason != REASON_NONE)
        return RELAY_WAITS_NOTHING;
    return figures->ended ? RELAY_WAITS_DESTINATION : RELAY_WAITS_SOURCE;
}

static RelayWaits
inward_waits(const Carrier *carrier, const ResumeFigures *figures)
{
    if (carrier->finished || figures->fin_given)
        return RELAY_WAITS_NOTHING;
    if (carrier->local.given_up)
        return RELAY_WAITS_GIVEN_UP;
    if (local_waiting(carrier) > 0)
        return RELAY_WAITS_DESTINATION;
    return carrier->reason == REASON_NONE ? RELAY_WAITS_SOURCE : RELAY_WAITS_NOTHING;
}

static void
flows_describe(const Carrier *carrier, gint64 now, RelayFlowState ret[2])
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    ret[SIDE_LOCAL] = (RelayFlowState){
        .waits = outward_waits(carrier, &figures),
        .held = leg_waiting(carrier),
        .mid_frame = carrier->leg.begun,
        .ended = figures.ended,
        .told = figures.end_told,
        .still = MAX(now - carrier->leg.moved, 0),
        .gives_up_in = -1,
    };
    ret[SIDE_LEG] = (RelayFlowState){
        .waits = inward_waits(carrier, &figures),
        .held = local_waiting(carrier),
        .ended = figures.peer_ended,
        .told = figures.fin_given,
        .still = MAX(now - carrier->local.moved, 0),
        .gives_up_in = -1,
    };
    /* Once its end is on the way to the owner, the owner may free the meter. */
    for (int i = 0; i < 2 && !carrier->finished; i++)
        ret[i].bytes = atomic_load_explicit(&carrier->meter->bytes[i], memory_order_relaxed);
}

static void
connection_describe(Connection *connection, RelaySideState *ret)
{
    ret->open = TRUE;
    ret->hung_up = connection_hung_up(connection);
    ret->queued = connection_queued(connection);
    g_strlcpy(ret->peer, connection_peer(connection), sizeof ret->peer);
    socket_state_look(connection_fd(connection), &ret->socket);
}

static void
leg_describe(const Carrier *carrier, gint64 now, RelaySideState *ret)
{
    const CarrierLeg *leg = &carrier->leg;

    *ret = (RelaySideState){.lost = !leg->connection || leg->deaf, .owing = -1};
    if (!leg->connection)
        return;
    ret->framed = ret->half_close = ret->reasons = TRUE;
    ret->spoke = leg->spoke;
    ret->heard = MAX(now - leg->heard, 0);
    ret->said = MAX(now - leg->said, 0);
    ret->pinged = MAX(now - leg->pinged, 0);
    ret->owing = leg->owing > 0 ? MAX(now - leg->owing, 0) : -1;
    connection_describe(leg->connection, ret);
}

static void
local_describe(const Carrier *carrier, RelaySideState *ret)
{
    *ret = (RelaySideState){.lost = carrier->local.broken, .owing = -1};
    if (carrier->local.connection)
        connection_describe(carrier->local.connection, ret);
}

/* On the reactor. It reads the clock, not the time of the turn: the answer must not be older than
 * the question. */
static void
carrier_describe(const Carrier *carrier, RelayState *ret)
{
    gint64 now = g_get_monotonic_time();
    const ResumeFigures figures = resume_stream_figures(carrier->stream);
    gint64 suspended = carrier->suspended;
    gboolean talks = carrier->leg.connection && carrier->leg.talking;

    *ret = (RelayState){
        .reason = carrier->reason,
        .age = MAX(now - carrier->since, 0),
        .timer_in = MAX(carrier->due - now, 0),
        .limits = carrier->times.limits,
        .allowance = carrier->allowance,
        .kept = {.survives = TRUE,
                 .suspended = suspended > 0 ? MAX(now - suspended, 0) : -1,
                 .kept = figures.kept_to - figures.kept_from,
                 .credit = talks ? figures.limit - figures.sent : 0,
                 .window = figures.window},
    };
    flows_describe(carrier, now, ret->flows);
    local_describe(carrier, &ret->sides[SIDE_LOCAL]);
    leg_describe(carrier, now, &ret->sides[SIDE_LEG]);
}

static void
probe_asked(Message *message)
{
    CarrierProbe *probe = CONTAINER_OF(message, CarrierProbe, ask);

    carrier_describe(probe->carrier, &probe->state);
    (void)queue_post(probe->carrier->owner, &probe->answer);
}

static void
probe_answered(Message *message)
{
    CarrierProbe *probe = CONTAINER_OF(message, CarrierProbe, answer);

    probe->carrier->probe = NULL; /* later callers ask a new question */
    while (probe->questions.head) {
        RelayQuestion *question = probe->questions.head->data;

        relay_ask_cancel(question);
        question->answered(question, &probe->state);
    }
    carrier_release(probe->carrier);
    g_free(probe);
}

void
carrier_ask(Carrier *carrier, RelayQuestion *question)
{
    CarrierProbe *probe = carrier->probe;
    gboolean first = !probe;

    if (first) {
        probe = carrier->probe = g_new0(CarrierProbe, 1);
        probe->carrier = carrier_ref(carrier);
        probe->ask.func = probe_asked;
        probe->answer.func = probe_answered;
    }
    question->link = (GList){.data = question};
    question->among = &probe->questions;
    g_queue_push_tail_link(&probe->questions, &question->link);
    if (first)
        reactor_post(carrier->reactor, &probe->ask);
}
