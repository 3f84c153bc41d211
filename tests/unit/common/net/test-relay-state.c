/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a relay says of itself: who waits for whom, at each of the three in a row and for each side
 * that is full; what does not answer; many questions at once; its names. */
#include "common/net/relay-private.h"
#include "common/net/relay-state.h"
#include "tests/unit/common/net/relay-fixture.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define BOUND (20 * G_TIME_SPAN_SECOND)

/* What stands still at the end of a test is soon given up. */
static const RelayTimes hasty = {
    RELAY_QUIET, RELAY_PING, RELAY_DEAD, {0}, 500 * G_TIME_SPAN_MILLISECOND};

typedef enum {
    NONE = 0,
    UP = 1,   /* the target rests: what the app sends stands still */
    DOWN = 2, /* the app rests */
} Full;

typedef struct {
    RelayQuestion question;
    guint answers;
    RelayState state;
} Asked;

static void
on_answered(RelayQuestion *question, const RelayState *state)
{
    Asked *asked = CONTAINER_OF(question, Asked, question);

    asked->answers++;
    asked->state = *state;
}

static void
ask(Chain *chain, guint hop, Asked *asked)
{
    *asked = (Asked){.question.answered = on_answered};
    relay_ask(chain->hops[hop].relay, &asked->question);
    g_assert_cmpuint(asked->answers, ==, 0); /* never from within */
    while (asked->answers == 0)
        g_main_context_iteration(chain->context, TRUE);
}

/* Until nothing moves any more in the whole chain. */
static void
fill(Chain *chain, Full full)
{
    static const char block[65536];
    gint64 moved = g_get_monotonic_time();
    const int fds[2] = {full & UP ? chain->app : -1, full & DOWN ? chain->target : -1};

    while (g_get_monotonic_time() - moved < 300 * G_TIME_SPAN_MILLISECOND) {
        gboolean any = FALSE;

        for (guint i = 0; i < 2; i++)
            if (fds[i] >= 0 && send(fds[i], block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
                any = TRUE;
        if (any)
            moved = g_get_monotonic_time();
        else
            g_usleep(10000);
    }
}

/* What passes the hop from its side 0 to its side 1, and back. At the device's streamd side 0 is
 * the target (relay-fixture.c), at the others the one that is nearer to the app. */
static const Full through[3][2] = {{UP, DOWN}, {UP, DOWN}, {DOWN, UP}};

static void
assert_hop(Chain *chain, guint hop, Full full)
{
    Asked asked;
    guint full_sides = 0;

    ask(chain, hop, &asked);
    g_assert_cmpint(asked.state.reason, ==, REASON_NONE);
    for (guint from = 0; from < 2; from++) {
        const RelayFlowState *flow = &asked.state.flows[from];
        const SocketState *to = &asked.state.sides[1 - from].socket;
        gboolean stands = (full & through[hop][from]) != 0;

        g_assert_cmpstr(relay_waits_name(flow->waits), ==, stands ? "destination" : "source");
        g_assert_cmpint(flow->held > 0, ==, stands);
        g_assert_cmpint(flow->bytes > 0, ==, stands);
        g_assert_cmpint(flow->gives_up_in, ==, -1); /* nobody has ended */
        g_assert_true(asked.state.sides[from].open);
        g_assert_cmpint(to->unsent + to->unacked > 0, ==, stands);
        full_sides |= stands ? 1u << (1 - from) : 0;
    }
    g_assert_cmpuint(relay_state_full(&asked.state), ==, full_sides);
}

static void
test_full(gconstpointer data)
{
    const Full full = (Full)GPOINTER_TO_INT(data);
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, &hasty);

    fill(chain, full);
    for (guint hop = 0; hop < 3; hop++)
        assert_hop(chain, hop, full);
}

static void
test_end_of_data(void)
{
    g_autoptr(Chain) chain = chain_new(FALSE, BOTH, BOTH, NULL);
    gint64 end = g_get_monotonic_time() + BOUND;
    Asked asked;

    chain_write_all(chain->app, "last", 4);
    g_assert_cmpint(shutdown(chain->app, SHUT_WR), ==, 0);
    do {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        ask(chain, 1, &asked);
    } while (!asked.state.flows[0].told);
    g_assert_cmpstr(relay_waits_name(asked.state.flows[0].waits), ==, "nothing");
    g_assert_cmpstr(relay_waits_name(asked.state.flows[1].waits), ==, "source");
    g_assert_cmpuint(asked.state.flows[0].bytes, ==, 4);
}

/* A reader that rests, and a source that was reset: the bytes have a time limit now. */
static void
test_gives_up(void)
{
    const RelayTimes times = {RELAY_QUIET, RELAY_PING, RELAY_DEAD, {0}, 2 * G_TIME_SPAN_SECOND};
    const struct linger hard = {.l_onoff = 1};
    g_autoptr(Chain) chain = chain_new(FALSE, BOTH, BOTH, &times);
    gint64 end = g_get_monotonic_time() + BOUND;
    Asked asked;

    fill(chain, UP);
    g_assert_cmpint(setsockopt(chain->app, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), ==, 0);
    close(chain->app);
    chain->app = -1;
    do {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        ask(chain, 0, &asked);
    } while (asked.state.flows[0].gives_up_in < 0);
    g_assert_cmpint(asked.state.flows[0].gives_up_in, <=, 2 * G_TIME_SPAN_SECOND);
}

static void
sleep_on_reactor(void *data)
{
    while (atomic_load((atomic_bool *)data))
        g_usleep(1000);
}

/* While the reactor is stuck no question is answered, later ones join the first, and all are
 * answered at once when it goes on. One that was cancelled is not. */
static void
test_stuck_reactor(void)
{
    g_autoptr(Chain) chain = chain_new(FALSE, BOTH, BOTH, NULL);
    gint64 until = g_get_monotonic_time() + 300 * G_TIME_SPAN_MILLISECOND;
    RelayProbe *probe = NULL;
    atomic_bool stuck;
    Asked asked[100];

    atomic_init(&stuck, TRUE);
    reactor_call(chain->reactor, sleep_on_reactor, &stuck);
    for (guint i = 0; i < G_N_ELEMENTS(asked); i++) {
        asked[i] = (Asked){.question.answered = on_answered};
        relay_ask(chain->hops[1].relay, &asked[i].question);
        probe = i == 0 ? chain->hops[1].relay->probe : probe;
        g_assert_true(probe && chain->hops[1].relay->probe == probe); /* one message, for all */
    }
    while (g_get_monotonic_time() < until)
        g_main_context_iteration(chain->context, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(asked); i++)
        g_assert_cmpuint(asked[i].answers, ==, 0);
    relay_ask_cancel(&asked[7].question);
    relay_ask_cancel(&asked[7].question);
    atomic_store(&stuck, FALSE);
    while (asked[99].answers == 0)
        g_main_context_iteration(chain->context, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(asked); i++)
        g_assert_cmpuint(asked[i].answers, ==, i == 7 ? 0 : 1);
    relay_ask_cancel(&asked[0].question); /* answered: nothing */
}

/* It is answered, too, when the relay has ended meanwhile and its owner has let go of it. */
static void
test_ends_meanwhile(void)
{
    g_autoptr(Chain) chain = chain_new(FALSE, BOTH, BOTH, NULL);
    Asked asked = {.question.answered = on_answered};
    atomic_bool stuck;

    atomic_init(&stuck, TRUE);
    reactor_call(chain->reactor, sleep_on_reactor, &stuck);
    relay_close(chain->hops[1].relay, REASON_CUT); /* before the question */
    relay_ask(chain->hops[1].relay, &asked.question);
    atomic_store(&stuck, FALSE);
    (void)chain_wait(chain, 1);
    while (asked.answers == 0)
        g_main_context_iteration(chain->context, TRUE);
    g_assert_cmpint(asked.state.reason, ==, REASON_CUT);
    g_assert_cmpuint(relay_state_full(&asked.state), ==, 0);
}

/* A report as lines: "directions.a-to-b.waits-for=a". */
typedef struct {
    GPtrArray *path;
    GHashTable *lines; /* name -> value */
    guint most;
} Lines;

static void
lines_put(Lines *lines, const char *name, char *value)
{
    g_autoptr(GString) whole = g_string_new(NULL);

    for (guint i = 0; i < lines->path->len; i++)
        g_string_append_printf(whole, "%s.", (char *)lines->path->pdata[i]);
    g_string_append(whole, name);
    g_assert_true(
        g_hash_table_insert(lines->lines, g_string_free(g_steal_pointer(&whole), FALSE), value));
}

static void
lines_begin(const char *name, void *data)
{
    g_ptr_array_add(((Lines *)data)->path, g_strdup(name));
}

static void
lines_end(void *data)
{
    Lines *lines = data;

    g_assert_cmpuint(lines->path->len, >, 0);
    g_ptr_array_remove_index(lines->path, lines->path->len - 1);
}

static void
lines_number(const char *name, guint64 value, void *data)
{
    lines_put(data, name, g_strdup_printf("%" G_GUINT64_FORMAT, value));
}

static void
lines_boolean(const char *name, gboolean value, void *data)
{
    lines_put(data, name, g_strdup(value ? "true" : "false"));
}

static void
lines_text(const char *name, const char *value, void *data)
{
    lines_put(data, name, g_strdup(value));
}

static void
assert_line(const Lines *lines, const char *name, const char *value)
{
    g_assert_cmpstr(g_hash_table_lookup(lines->lines, name), ==, value);
}

static void
report_lines(const RelayState *state, Lines *lines)
{
    static const char *const names[2] = {"device", "service"};
    const Report report = {lines_begin, lines_end, lines_number, lines_boolean, lines_text, lines};

    lines->path = g_ptr_array_new_with_free_func(g_free);
    lines->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    relay_state_report(state, names, &report);
    g_assert_cmpuint(lines->path->len, ==, 0);
}

static void
lines_clear(Lines *lines)
{
    g_ptr_array_unref(lines->path);
    g_hash_table_unref(lines->lines);
}

/* Every name once, nothing that is not known, and what is waited for by the names of the sides. */
static void
test_report(void)
{
    RelayState state = {.age = 5, .timer_in = 7, .limits = {.bytes = 100, .stall = 9}};
    Lines lines;

    state.allowance = 40;
    state.flows[0] = (RelayFlowState){
        .waits = RELAY_WAITS_DESTINATION, .held = 3, .bytes = 60, .gives_up_in = 8};
    state.flows[1] = (RelayFlowState){.waits = RELAY_WAITS_SOURCE, .gives_up_in = -1};
    state.sides[0] = (RelaySideState){.open = TRUE, .framed = TRUE, .owing = 4, .peer = "a:1"};
    state.sides[0].socket = (SocketState){.unread = 1, .unsent = 2, .is_tcp = TRUE, .window = 6};
    report_lines(&state, &lines);
    assert_line(&lines, "open-for", "5");
    assert_line(&lines, "timer-in", "7");
    assert_line(&lines, "ends-with", NULL);
    assert_line(&lines, "limits.bytes-left", "40");
    assert_line(&lines, "limits.stall", "9");
    assert_line(&lines, "limits.duration-left", NULL);
    assert_line(&lines, "directions.device-to-service.waits-for", "service");
    assert_line(&lines, "directions.device-to-service.held", "3");
    assert_line(&lines, "directions.device-to-service.bytes", "60");
    assert_line(&lines, "directions.device-to-service.gives-up-in", "8");
    assert_line(&lines, "directions.service-to-device.waits-for", "service");
    assert_line(&lines, "directions.service-to-device.gives-up-in", NULL);
    assert_line(&lines, "sides.device.peer", "a:1");
    assert_line(&lines, "sides.device.window", "6");
    assert_line(&lines, "sides.device.owes-answer-for", "4");
    assert_line(&lines, "sides.service.open", "false");
    assert_line(&lines, "sides.service.unread", NULL); /* closed: nothing is known */
    lines_clear(&lines);
    state.reason = REASON_CUT;
    state.flows[0].waits = RELAY_WAITS_GIVEN_UP;
    report_lines(&state, &lines);
    assert_line(&lines, "ends-with", "cut");
    assert_line(&lines, "directions.device-to-service.waits-for", "given-up");
    lines_clear(&lines);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        Full full;
    } rows[] = {{"/relay-state/full/none", NONE},
                {"/relay-state/full/up", UP},
                {"/relay-state/full/down", DOWN},
                {"/relay-state/full/both", UP | DOWN}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_test_add_data_func(rows[i].name, GINT_TO_POINTER(rows[i].full), test_full);
    g_test_add_func("/relay-state/end-of-data", test_end_of_data);
    g_test_add_func("/relay-state/gives-up", test_gives_up);
    g_test_add_func("/relay-state/stuck-reactor", test_stuck_reactor);
    g_test_add_func("/relay-state/ends-meanwhile", test_ends_meanwhile);
    g_test_add_func("/relay-state/report", test_report);
    return g_test_run();
}
