/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A leg that stops in the middle of a frame, and what a relay does that ends then: nothing is said
 * inside the frame, and the reason follows it when it can. */
#include "common/net/relay-private.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define MS G_TIME_SPAN_MILLISECOND
#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define PIECE 60000

/* No ping: a relay that looks again does so for what is tested. */
static const RelayTimes patient = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 4 * G_TIME_SPAN_SECOND, 0};
static const RelayTimes brief = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 1200 * MS, 0};
static const RelayTimes hasty = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 400 * MS, 0};

/* Two pieces, the second of which a target that reads nothing leaves in the relay. */
static void
fill_target(Stand *stand)
{
    g_autofree guint8 *bytes = g_malloc0(PIECE);

    peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, PIECE);
    stand_wait_taken(stand, PIECE);
    g_usleep(20 * MS);
    /* How much of it fits depends on how much of the first one the target's kernel has taken. */
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, PIECE);
    stand_wait_full(stand);
}

typedef struct {
    Relay *relay;
    gint64 passed; /* µs from now */
    gboolean begun, stuck[2];
    gint64 next;
} Look;

/* Reactor. */
static void
look_run(void *data)
{
    Look *look = data;
    Relay *relay = look->relay;
    gint64 now = reactor_now(relay->reactor) + look->passed;

    if (look->passed > 0 && !relay->finished)
        relay_end_check(relay, now);
    look->next = relay_end_next(relay, now);
    look->begun = relay->flows[0].begun && relay->flows[0].out_len > 0;
    look->stuck[0] = relay->flows[0].stuck;
    look->stuck[1] = relay->flows[1].stuck;
}

/* The relay as it is; when so much time has passed, if PASSED is not 0. */
static Look
look_at(Stand *stand, gint64 passed)
{
    Look look = {.relay = stand->hop.relay, .passed = passed};

    chain_call(stand->reactor, look_run, &look);
    return look;
}

/* The target sends until its leg, of which nobody takes anything, holds a part of a frame. */
static guint64
fill_leg(Stand *stand)
{
    guint8 bytes[4096];
    guint64 at = 0;
    gssize n = 0;
    guint idle = 0;

    while (idle < 20) {
        peer_fill(bytes, at, sizeof bytes);
        n = send(stand->target, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        at += n > 0 ? (guint64)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        if (n <= 0)
            g_usleep(5000);
    }
    g_assert_true(look_at(stand, 0).begun);
    return at;
}

/* Reads whole frames of the pattern up to the close frame, whose payload it gives back. */
static guint64
read_to_close(int fd, char *close_payload, gsize len)
{
    g_autofree guint8 *got = g_malloc(BUFFER_DATA), *wanted = g_malloc(BUFFER_DATA);
    guint64 at = 0;
    guint8 first;
    gsize n;

    for (;;) {
        n = peer_receive(fd, &first, got, BUFFER_DATA);
        if ((first & 0xf) == PEER_CLOSE)
            break;
        g_assert_cmphex(first, ==, PEER_FIN | PEER_BINARY);
        g_assert_cmpuint(n, <=, WS_FULL_UNMASKED);
        peer_fill(wanted, at, n);
        g_assert_cmpint(memcmp(got, wanted, n), ==, 0);
        at += n;
    }
    g_assert_cmpuint(n, <, len);
    memcpy(close_payload, got, n);
    close_payload[n] = '\0';
    return at;
}

/* Closed by hand: the frame is finished, and then comes the reason. */
static void
test_closed_in_a_frame(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &patient, FALSE);
    guint64 sent = fill_leg(stand), got;
    char said[64];

    relay_close(stand->hop.relay, REASON_CLOSED_BY_USER);
    got = read_to_close(stand->peer, said, sizeof said);
    g_assert_cmpuint(got, >, 0);
    g_assert_cmpuint(got, <=, sent);
    g_assert_cmpstr(said + 2, ==, reason_code(REASON_CLOSED_BY_USER));
    g_assert_cmpint(stand_wait(stand), ==, REASON_CLOSED_BY_USER);
}

/* A ping in the middle of a frame is answered behind it. */
static void
test_pinged_in_a_frame(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &patient, FALSE);
    guint64 sent = fill_leg(stand), at = 0;
    guint8 got[BUFFER_DATA], wanted[BUFFER_DATA], first;

    peer_send(stand->peer, PEER_FIN | PEER_PING, "now?", 4);
    g_usleep(50 * MS);
    do {
        gsize n = peer_receive(stand->peer, &first, got, sizeof got);

        if ((first & 0xf) == PEER_PONG) {
            g_assert_cmpuint(n, ==, 4);
            continue;
        }
        peer_fill(wanted, at, n);
        g_assert_cmpint(memcmp(got, wanted, n), ==, 0);
        at += n;
    } while ((first & 0xf) != PEER_PONG);
    g_assert_cmpuint(at, >, 0);
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xe8", 2);
    g_assert_cmpuint(at, <=, sent);
}

/* When the program stops it has half a second for that, whatever the stream would have. */
static void
test_stopped_in_a_frame(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &patient, FALSE);
    gint64 since, took;

    (void)fill_leg(stand);
    since = g_get_monotonic_time();
    relay_close(stand->hop.relay, REASON_STOPPING);
    g_assert_cmpint(stand_wait(stand), ==, REASON_STOPPING);
    took = g_get_monotonic_time() - since;
    g_assert_cmpint(took, >=, RELAY_HASTE);
    /* A quarter of what others have, which is what they hear of at second hand. */
    g_assert_cmpint(took, <, patient.wait / 4);
    g_assert_true(relay_is_unsaid(stand->hop.relay));
    peer_expect_reset(stand->peer);
}

/* Whoever closes it by hand waits longer: for as long as nothing may move. */
static void
test_closed_and_stuck(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &brief, FALSE);
    gint64 since;

    (void)fill_leg(stand);
    since = g_get_monotonic_time();
    relay_close(stand->hop.relay, REASON_CLOSED_BY_USER);
    g_assert_cmpint(stand_wait(stand), ==, REASON_CLOSED_BY_USER);
    g_assert_cmpint(g_get_monotonic_time() - since, >, RELAY_HASTE);
    g_assert_cmpint(g_get_monotonic_time() - since, <, brief.wait + 500 * MS);
}

static void
ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    *(Reason *)data = reason;
}

/* Reads the head of the next frame, whatever the relay made of the pieces. 0: there is none whole.
 */
static gsize
frame_length(int fd)
{
    guint8 head[4];

    if (recv(fd, head, 2, MSG_WAITALL) < 2)
        return 0;
    g_assert_cmphex(head[0], ==, PEER_FIN | PEER_BINARY);
    if (head[1] < 126)
        return head[1];
    g_assert_cmpuint(head[1], ==, 126);
    return recv(fd, head + 2, 2, MSG_WAITALL) < 2 ? 0 : (gsize)head[2] << 8 | head[3];
}

/* The hub: one leg stops in the middle of a frame, and the other one is cut. What was begun is not
 * finished, and nothing is said in its place. */
static void
test_cut_in_a_frame(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(Reactor) reactor = reactor_new("test");
    g_autofree guint8 *piece = g_malloc(PIECE), *got = g_malloc(PIECE);
    RelayMeter meter = {0};
    Reason reason = REASON_NONE;
    guint64 at = 0, before;
    RelaySide sides[2];
    int legs[2][2];
    gsize len;
    gssize n;

    for (guint i = 0; i < 2; i++) {
        chain_tcp_pair(legs[i]);
        sides[i] = (RelaySide){connection_new(legs[i][1]), TRUE, FALSE, BOTH, REASON_DEVICE_CLOSED};
    }
    g_autoptr(Relay) relay =
        relay_new(reactor, &sides[0], &sides[1], &hasty, &meter, queue, ended, &reason);
    g_assert_nonnull(relay);
    do { /* until the relay takes no more */
        before = atomic_load(&meter.bytes[0]);
        peer_fill(piece, at, PIECE);
        peer_send(legs[0][0], PEER_FIN | PEER_BINARY, piece, PIECE);
        at += PIECE;
        for (guint i = 0; i < 40 && atomic_load(&meter.bytes[0]) == before; i++)
            g_usleep(5000);
    } while (atomic_load(&meter.bytes[0]) != before);
    stand_reset(&legs[0][0]);
    while (reason == REASON_NONE) {
        queue_run(queue);
        g_usleep(1000);
    }
    g_assert_cmpint(reason, ==, REASON_CUT);
    for (at = 0; (len = frame_length(legs[1][0])) > 0; at += len) { /* the last one is a part */
        g_assert_cmpuint(len, <=, PIECE);
        n = recv(legs[1][0], piece, len, MSG_WAITALL);
        peer_fill(got, at, PIECE);
        g_assert_cmpint(memcmp(piece, got, (gsize)MAX(n, 0)), ==, 0);
        if (n < (gssize)len)
            break;
    }
    stand_close(&legs[1][0]);
}

/* One message after the other up to an end that was none: all in one piece. */
static void
test_an_end_that_is_taken_back(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct pollfd end = {.fd = stand->target, .events = POLLIN};
    guint8 bytes[200];

    peer_fill(bytes, 0, sizeof bytes);
    peer_append(out, PEER_FIN | PEER_BINARY, bytes, 100);
    peer_append(out, PEER_FIN | PEER_BINARY, NULL, 0);
    peer_append(out, PEER_FIN | PEER_BINARY, NULL, 0);
    peer_append(out, PEER_FIN | PEER_BINARY, bytes + 100, 100);
    chain_write_all(stand->peer, out->data, out->len);
    peer_expect(stand->target, 0, 200);
    g_assert_cmpint(poll(&end, 1, 100), ==, 0);
}

/* Bytes wait for a target that reads nothing, and the leg ends in order: an hour, by the clock, and
 * not a moment less. */
static void
test_an_hour_for_a_leg(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &patient, TRUE);
    Look look;

    fill_target(stand);
    g_assert_cmpint(look_at(stand, 0).next, ==, G_MAXINT64); /* it may rest for ever */
    g_assert_false(look_at(stand, 2 * RELAY_PATIENCE).stuck[1]);
    shutdown(stand->peer, SHUT_WR);
    g_usleep(20 * MS);
    look = look_at(stand, 0);
    g_assert_cmpint(look.next, >, RELAY_PATIENCE - 10 * G_TIME_SPAN_SECOND);
    g_assert_false(look_at(stand, look.next - G_TIME_SPAN_SECOND).stuck[1]);
    g_assert_true(look_at(stand, look.next + G_TIME_SPAN_SECOND).stuck[1]);
}

/* The same when an app has closed its socket, and its leg takes nothing. */
static void
test_an_hour_for_an_app(void)
{
    g_autoptr(Stand) stand = stand_new_app_times(BOTH, &patient);
    Look look;

    (void)fill_leg(stand);
    g_assert_cmpint(look_at(stand, 0).next, ==, G_MAXINT64);
    stand_close(&stand->target);
    g_usleep(20 * MS);
    look = look_at(stand, 0);
    g_assert_cmpint(look.next, >, RELAY_PATIENCE - 10 * G_TIME_SPAN_SECOND);
    g_assert_false(look_at(stand, look.next - G_TIME_SPAN_SECOND).stuck[0]);
    g_assert_true(look_at(stand, look.next + G_TIME_SPAN_SECOND).stuck[0]);
}

/* While bytes are in a hurry, it is looked often whether they move: eight times in their time. */
static void
test_looks(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &patient, TRUE);

    fill_target(stand);
    stand_reset(&stand->peer);
    g_usleep(20 * MS);
    g_assert_cmpint(look_at(stand, 0).next, ==, patient.wait / 8);
}

/* Of an end that is heard of at second hand somebody has waited before: what has stood still for
 * that long has a quarter of the time. */
static void
test_at_second_hand(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &brief, TRUE);
    gint64 since;

    fill_target(stand);
    g_usleep((gulong)brief.wait);
    since = g_get_monotonic_time();
    relay_ended_by(stand->hop.relay, 1, REASON_REVOKED);
    g_assert_cmpint(stand_wait(stand), ==, REASON_REVOKED);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, brief.wait / 4 - 50 * MS);
    g_assert_cmpint(g_get_monotonic_time() - since, <, brief.wait - 100 * MS);
}

/* The side that has ended the relay is delivered to its end, until the other one has gone as well.
 * What is dropped then makes a cut of an end in order, or is the second one's doing. */
static void
test_two_ends(void)
{
    static const struct {
        Reason first;
        int ender;
        Reason second;
        int side;
        gsize left;
        Reason reason;
        int delivers;
    } rows[] = {
        {REASON_SERVICE_CLOSED, 1, REASON_DEVICE_CLOSED, 0, 1, REASON_CUT, -1},
        {REASON_SERVICE_CLOSED, 1, REASON_DEVICE_CLOSED, 0, 0, REASON_SERVICE_CLOSED, -1},
        {REASON_SERVICE_CLOSED, 1, REASON_REVOKED, 0, 1, REASON_REVOKED, -1},
        {REASON_SERVICE_CLOSED, 1, REASON_REVOKED, 0, 0, REASON_SERVICE_CLOSED, -1},
        {REASON_SERVICE_CLOSED, 1, REASON_CUT, 1, 1, REASON_SERVICE_CLOSED, 1},
        {REASON_SERVICE_CLOSED, 1, REASON_REVOKED, -1, 1, REASON_SERVICE_CLOSED, 1},
        {REASON_REVOKED, -1, REASON_DEVICE_CLOSED, 0, 1, REASON_REVOKED, -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Relay relay = {.ender = -1};

        relay_end(&relay, rows[i].first, rows[i].ender);
        relay.flows[1].out_len = rows[i].left;
        relay_end(&relay, rows[i].second, rows[i].side);
        g_test_message("row %u", i);
        g_assert_cmpint(relay.reason, ==, rows[i].reason);
        g_assert_cmpint(relay.ender, ==, rows[i].delivers);
    }
}

/* The last byte that a stream may carry stands still: it has its time, and then the limit is the
 * reason all the same. */
static void
test_a_limit_that_stands_still(void)
{
    const RelayTimes limited = {RELAY_QUIET, 0, RELAY_DEAD, {.bytes = 2 * PIECE - 1}, 400 * MS, 0};
    g_autoptr(Stand) stand = stand_new(BOTH, &limited, TRUE);
    g_autofree guint8 *bytes = g_malloc0(PIECE);
    gint64 since = g_get_monotonic_time();

    peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, PIECE);
    stand_wait_taken(stand, PIECE);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, PIECE);
    g_assert_cmpint(stand_wait(stand), ==, REASON_BYTE_LIMIT);
    g_assert_cmpuint(atomic_load(&stand->hop.meter.bytes[1]), ==, 2 * PIECE - 1);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, limited.wait);
    g_assert_cmpint(g_get_monotonic_time() - since, <, limited.wait + 1500 * MS);
}

/* A stall has had its time when it is found: nothing is waited for again. It is looked for in time,
 * whatever else the relay has to look for. */
static void
test_a_stall_is_over(void)
{
    const RelayTimes limited = {RELAY_QUIET, 0, RELAY_DEAD, {.stall = 400 * MS}, RELAY_WAIT, 0};
    g_autoptr(Stand) stand = stand_new(BOTH, &limited, TRUE);
    gint64 since = g_get_monotonic_time();

    fill_target(stand);
    g_assert_cmpint(stand_wait(stand), ==, REASON_STALLED);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, 400 * MS);
    g_assert_cmpint(g_get_monotonic_time() - since, <, 1500 * MS);
}

/* Whoever lets a relay go that runs ends it: nobody else could. */
static void
test_let_go(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(Reactor) reactor = reactor_new("test");
    RelayMeter meter = {0};
    Reason reason = REASON_NONE;
    RelaySide sides[2];
    int pairs[2][2];

    for (guint i = 0; i < 2; i++) {
        chain_tcp_pair(pairs[i]);
        sides[i] = (RelaySide){connection_new(pairs[i][1]), FALSE, FALSE, 0, REASON_DEVICE_CLOSED};
    }
    relay_unref(relay_new(reactor, &sides[0], &sides[1], &hasty, &meter, queue, ended, &reason));
    for (guint i = 0; i < 2; i++) {
        struct pollfd end = {.fd = pairs[i][0], .events = POLLIN};

        g_assert_cmpint(poll(&end, 1, 2000), ==, 1);
        stand_close(&pairs[i][0]);
    }
    queue_run(queue);
    g_assert_cmpint(reason, ==, REASON_NONE); /* and nobody is told */
}

typedef struct {
    const char *name;
    GTestFunc func;
} Row;

static void *
run_row(void *data)
{
    ((const Row *)data)->func();
    return NULL;
}

/* Those that wait, side by side. */
static void
test_that_wait(void)
{
    static const Row rows[] = {
        {"stopped", test_stopped_in_a_frame}, {"stuck", test_closed_and_stuck},
        {"cut", test_cut_in_a_frame},         {"second-hand", test_at_second_hand},
        {"closed", test_closed_in_a_frame},   {"pinged", test_pinged_in_a_frame},
        {"leg", test_an_hour_for_a_leg},      {"app", test_an_hour_for_an_app},
        {"stall", test_a_stall_is_over},      {"limit", test_a_limit_that_stands_still},
    };
    GThread *threads[G_N_ELEMENTS(rows)];

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        threads[i] = g_thread_new(rows[i].name, run_row, (gpointer)&rows[i]);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-flow/that-wait", test_that_wait);
    g_test_add_func("/relay-flow/taken-back", test_an_end_that_is_taken_back);
    g_test_add_func("/relay-flow/looks", test_looks);
    g_test_add_func("/relay-flow/let-go", test_let_go);
    g_test_add_func("/relay-flow/two-ends", test_two_ends);
    return g_test_run();
}
