/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Empty messages of a plain peer: the end of its data, or nothing at all (docs/wire-protocol.md,
 * section 4, "Empty messages"). */
#include "common/net/relay-private.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <string.h>
#include <sys/socket.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SOON (300 * MS)

/* NEVER: so that nothing but what the case is about can tell the end. */
#define NEVER (G_TIME_SPAN_HOUR)

static const RelayTimes never = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 0, NEVER};
static const RelayTimes later = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 0, 60 * G_TIME_SPAN_SECOND};
static const RelayTimes soon = {RELAY_QUIET, 0, RELAY_DEAD, {0}, 0, SOON};

static void
send_data(Stand *stand, guint64 at, gsize len)
{
    g_autofree guint8 *bytes = g_malloc(len);

    peer_fill(bytes, at, len);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, len);
}

static void
send_empty(Stand *stand)
{
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, NULL, 0);
}

/* With data between them, none of them is an end, however many there are. */
static void
test_between_data(void)
{
    g_autoptr(Stand) stand = stand_new(0, &never, FALSE);

    for (guint i = 0; i < 1000; i++) {
        send_data(stand, i * 100, 100);
        send_empty(stand);
    }
    send_data(stand, 100000, 100);
    peer_expect(stand->target, 0, 100100);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    /* The other direction is as it was. */
    chain_write_all(stand->target, "x", 1);
    g_assert_cmpuint(peer_receive(stand->peer, &(guint8){0}, &(guint8){0}, 1), ==, 1);
}

/* Each time there is room between them, and still less than the bound. */
static void
test_data_within_the_bound(void)
{
    g_autoptr(Stand) stand = stand_new(0, &later, FALSE);

    for (guint i = 0; i < 5; i++) {
        send_data(stand, i * 100, 100);
        send_empty(stand);
        g_usleep(20 * MS);
    }
    send_data(stand, 500, 100);
    peer_expect(stand->target, 0, 600);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
}

static void
test_silence_after_one(void)
{
    g_autoptr(Stand) stand = stand_new(0, &soon, FALSE);
    gint64 since;

    send_data(stand, 0, 100);
    peer_expect(stand->target, 0, 100);
    since = g_get_monotonic_time();
    send_empty(stand);
    peer_expect_end(stand->target);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, SOON);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
}

static void
test_a_second_one(void)
{
    g_autoptr(Stand) stand = stand_new(0, &never, FALSE);

    send_data(stand, 0, 100);
    send_empty(stand);
    send_empty(stand);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
}

/* One before all data says nothing, nor do two. */
static void
test_before_data(void)
{
    g_autoptr(Stand) stand = stand_new(0, &soon, FALSE);

    send_empty(stand);
    send_empty(stand);
    g_usleep(2 * SOON);
    send_data(stand, 0, 100);
    peer_expect(stand->target, 0, 100);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
}

/* The target has been told that there is no more. */
static void
test_data_after_the_end(void)
{
    g_autoptr(Stand) stand = stand_new(0, &never, FALSE);
    guint8 got[8], first;

    send_data(stand, 0, 100);
    send_empty(stand);
    send_empty(stand);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
    send_data(stand, 100, 100);
    g_assert_cmpint(stand_wait(stand), ==, REASON_PROTOCOL);
    g_assert_cmpuint(peer_receive(stand->peer, &first, got, sizeof got), ==, 2);
    g_assert_cmphex(first, ==, PEER_FIN | PEER_CLOSE);
    g_assert_cmpint(got[0] << 8 | got[1], ==, 1002);
    g_assert_cmpint(send(stand->target, "x", 1, MSG_NOSIGNAL), ==, -1);
}

/* What follows waits in the kernel, because the target takes nothing: that is not silence. */
static void
test_while_it_is_not_read(void)
{
    g_autoptr(Stand) stand = stand_new(0, &soon, TRUE);

    send_data(stand, 0, 60000);
    stand_wait_taken(stand, 60000);
    send_data(stand, 60000, 60000);
    stand_wait_taken(stand, 120000);
    send_empty(stand);
    send_data(stand, 120000, 60000);
    g_usleep(4 * SOON);
    peer_expect(stand->target, 0, 180000);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    send_empty(stand);
    peer_expect_end(stand->target);
}

/* Of one of ours it is the end at once, and data after it the end of the stream. */
static void
test_a_capable_peer(void)
{
    g_autoptr(Stand) stand = stand_new(CAP_HALF_CLOSE | CAP_REASON, &never, FALSE);

    send_empty(stand);
    peer_expect_end(stand->target);
    send_data(stand, 0, 100);
    g_assert_cmpint(stand_wait(stand), ==, REASON_PROTOCOL);
}

static void
ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    *(Reason *)data = reason;
}

/* Between two plain ends nobody is told, so it may be taken back. */
static void
test_toward_a_plain_peer(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(Reactor) reactor = reactor_new("test");
    RelayMeter meter = {0};
    Reason reason = REASON_NONE;
    RelaySide sides[2];
    guint8 got[8], first;
    int legs[2][2];

    for (guint i = 0; i < 2; i++) {
        chain_tcp_pair(legs[i]);
        sides[i] = (RelaySide){connection_new(legs[i][1]), TRUE, FALSE, 0, REASON_DEVICE_CLOSED};
    }
    g_autoptr(Relay) relay =
        relay_new(reactor, &sides[0], &sides[1], &soon, &meter, queue, ended, &reason);
    g_assert_nonnull(relay);
    for (guint i = 0; i < 3; i++) {
        peer_send(legs[0][0], PEER_FIN | PEER_BINARY, "data", 4);
        peer_send(legs[0][0], PEER_FIN | PEER_BINARY, NULL, 0);
        g_assert_cmpuint(peer_receive(legs[1][0], &first, got, sizeof got), ==, 4);
        g_usleep(2 * SOON);
    }
    queue_run(queue);
    g_assert_cmpint(reason, ==, REASON_NONE);
    stand_close(&legs[0][0]);
    stand_close(&legs[1][0]);
    while (reason == REASON_NONE) {
        queue_run(queue);
        g_usleep(1000);
    }
}

/* By the clock: at the bound, and one before it. */
static void
test_bound(void)
{
    const gint64 since = G_TIME_SPAN_HOUR;
    Relay relay = {.times.empty = RELAY_EMPTY, .sides[0] = {.framed = TRUE, .empty = since}};
    Flow *flow = &relay.flows[0];

    g_assert_cmpint(RELAY_EMPTY, ==, 500 * MS);
    g_assert_false(side_check_empty(&relay, 1, since + RELAY_EMPTY));
    g_assert_false(side_check_empty(&relay, 0, since + 499 * MS));
    g_assert_false(side_check_empty(&relay, 0, since + RELAY_EMPTY - 1));
    g_assert_false(flow->ended);
    /* Not read until now: the time begins again. */
    flow->out_len = 1;
    g_assert_false(side_check_empty(&relay, 0, since + 400 * MS));
    flow->out_len = 0;
    flow->raw_len = 1;
    g_assert_false(side_check_empty(&relay, 0, since + 450 * MS));
    flow->raw_len = 0;
    g_assert_false(side_check_empty(&relay, 0, since + 450 * MS + RELAY_EMPTY - 1));
    g_assert_true(side_check_empty(&relay, 0, since + 450 * MS + RELAY_EMPTY));
    g_assert_true(flow->ended);
    /* Once only. */
    g_assert_false(side_check_empty(&relay, 0, since + G_TIME_SPAN_HOUR));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-empty/bound", test_bound);
    g_test_add_func("/relay-empty/between-data", test_between_data);
    g_test_add_func("/relay-empty/within-the-bound", test_data_within_the_bound);
    g_test_add_func("/relay-empty/silence", test_silence_after_one);
    g_test_add_func("/relay-empty/second", test_a_second_one);
    g_test_add_func("/relay-empty/before-data", test_before_data);
    g_test_add_func("/relay-empty/data-after-the-end", test_data_after_the_end);
    g_test_add_func("/relay-empty/not-read", test_while_it_is_not_read);
    g_test_add_func("/relay-empty/capable", test_a_capable_peer);
    g_test_add_func("/relay-empty/plain-to-plain", test_toward_a_plain_peer);
    return g_test_run();
}
