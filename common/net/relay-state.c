/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-state.h"

#include "common/net/relay-private.h"

/* A question to the reactor. The relay has it while more callers may join. It goes to the reactor
 * and comes back, and holds a reference to the relay meanwhile. */
struct RelayProbe {
    Relay *relay;
    Message ask, answer;
    GQueue questions; /* of RelayQuestion.link; OWNER's thread */
    RelayState state; /* the reactor's, until the answer is sent */
};

static RelayWaits
flow_waits(const Relay *relay, int from)
{
    const Flow *flow = &relay->flows[from];

    if (relay->finished)
        return RELAY_WAITS_NOTHING;
    if (flow->stuck)
        return RELAY_WAITS_GIVEN_UP;
    if (relay->reason != REASON_NONE)
        return relay_awaits(relay, from) ? RELAY_WAITS_DESTINATION : RELAY_WAITS_NOTHING;
    if (relay->sides[1 - from].lost)
        return RELAY_WAITS_NOTHING;
    if (flow->out_len > 0)
        return RELAY_WAITS_DESTINATION;
    if (flow->raw_len > 0)
        return RELAY_WAITS_TURN;
    if (!flow->ended)
        return RELAY_WAITS_SOURCE;
    return flow->told ? RELAY_WAITS_NOTHING : RELAY_WAITS_OTHER;
}

static void
flow_describe(const Relay *relay, int from, gint64 now, RelayFlowState *ret)
{
    const Flow *flow = &relay->flows[from];
    gint64 due = relay->finished ? G_MAXINT64 : relay_end_due(relay, from);

    *ret = (RelayFlowState){
        .waits = flow_waits(relay, from),
        .held = flow->out_len,
        .undecoded = flow->raw_len,
        .mid_frame = flow->begun,
        .ended = flow->ended,
        .told = flow->told,
        .still = MAX(now - flow->moved, 0),
        .gives_up_in = due == G_MAXINT64 ? -1 : MAX(due - now, 0),
    };
    /* Once its end is on the way to the owner, the owner may free the meter. */
    if (!relay->finished)
        ret->bytes = atomic_load_explicit(&relay->meter->bytes[from], memory_order_relaxed);
}

static void
side_describe(const Side *side, gint64 now, RelaySideState *ret)
{
    *ret = (RelaySideState){.lost = side->lost, .owing = -1};
    if (!side->connection)
        return;
    ret->open = TRUE;
    ret->framed = side->framed;
    ret->half_close = (side->caps & CAP_HALF_CLOSE) != 0;
    ret->reasons = (side->caps & CAP_REASON) != 0;
    ret->hung_up = connection_hung_up(side->connection);
    ret->spoke = side->spoke;
    ret->queued = connection_queued(side->connection);
    ret->heard = MAX(now - side->heard, 0);
    ret->said = MAX(now - side->said, 0);
    ret->pinged = MAX(now - side->pinged, 0);
    if (side->owing > 0)
        ret->owing = MAX(now - side->owing, 0);
    g_strlcpy(ret->peer, connection_peer(side->connection), sizeof ret->peer);
    socket_state_look(connection_fd(side->connection), &ret->socket);
}

/* On the relay's reactor. It reads the clock, not the time of the turn: the answer must not be
 * older than the question. */
static void
relay_describe(const Relay *relay, RelayState *ret)
{
    gint64 now = g_get_monotonic_time();

    *ret = (RelayState){
        .reason = relay->reason,
        .age = MAX(now - relay->since, 0),
        .timer_in = MAX(relay->due - now, 0),
        .limits = relay->times.limits,
        .allowance = relay->allowance,
    };
    for (int i = 0; i < 2; i++) {
        flow_describe(relay, i, now, &ret->flows[i]);
        side_describe(&relay->sides[i], now, &ret->sides[i]);
    }
}

static void
probe_asked(Message *message)
{
    RelayProbe *probe = CONTAINER_OF(message, RelayProbe, ask);

    relay_describe(probe->relay, &probe->state);
    (void)queue_post(probe->relay->owner, &probe->answer);
}

static void
probe_answered(Message *message)
{
    RelayProbe *probe = CONTAINER_OF(message, RelayProbe, answer);

    probe->relay->probe = NULL; /* later callers ask a new question */
    while (probe->questions.head) {
        RelayQuestion *question = probe->questions.head->data;

        relay_ask_cancel(question);
        question->answered(question, &probe->state);
    }
    relay_release(probe->relay);
    g_free(probe);
}

void
relay_ask(Relay *relay, RelayQuestion *question)
{
    RelayProbe *probe = relay->probe;
    gboolean first = !probe;

    if (first) {
        probe = relay->probe = g_new0(RelayProbe, 1);
        probe->relay = relay_ref(relay);
        probe->ask.func = probe_asked;
        probe->answer.func = probe_answered;
    }
    question->link = (GList){.data = question};
    question->among = &probe->questions;
    g_queue_push_tail_link(&probe->questions, &question->link);
    if (first)
        reactor_post(relay->reactor, &probe->ask);
}

void
relay_ask_cancel(RelayQuestion *question)
{
    if (question->among)
        g_queue_unlink(question->among, &question->link);
    question->among = NULL;
}

guint
relay_state_full(const RelayState *state)
{
    guint full = 0;

    for (guint from = 0; from < 2; from++)
        if (state->flows[from].waits == RELAY_WAITS_DESTINATION)
            full |= 1u << (1 - from);
    return full;
}

const char *
relay_waits_name(RelayWaits waits)
{
    static const char *const names[] = {
        [RELAY_WAITS_NOTHING] = "nothing",         [RELAY_WAITS_SOURCE] = "source",
        [RELAY_WAITS_DESTINATION] = "destination", [RELAY_WAITS_TURN] = "turn",
        [RELAY_WAITS_OTHER] = "other-direction",   [RELAY_WAITS_GIVEN_UP] = "given-up",
    };

    return names[waits];
}
