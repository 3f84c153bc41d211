/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay and peers that say nothing, or of which nothing more can come (requirement R12;
 * docs/wire-protocol.md, section 8, "Signs of life"). */
#include "tests/unit/common/net/peer-fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define PING (100 * G_TIME_SPAN_MILLISECOND)
#define DEAD (400 * G_TIME_SPAN_MILLISECOND)

static const RelayTimes times = {RELAY_QUIET, PING, DEAD};

/* Runs the owner's loop for so long, or until the relay has ended. */
static Reason
stand_run(Stand *stand, gint64 duration)
{
    gint64 until = g_get_monotonic_time() + duration;

    while (stand->hop.reason == REASON_NONE && g_get_monotonic_time() < until) {
        g_main_context_iteration(stand->context, FALSE);
        g_usleep(1000);
    }
    return stand->hop.reason;
}

/* Sends for as long as anything is taken. */
static void
fill(int fd)
{
    static const char block[65536];
    const struct timeval patience = {0, 300000}, for_ever = {0, 0};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (send(fd, block, sizeof block, MSG_NOSIGNAL) > 0)
        ;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &for_ever, sizeof for_ever);
}

/* Its kernel acknowledges every ping, and that is all. */
static void
test_one_of_ours_must_speak(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, FALSE);
    gint64 since = g_get_monotonic_time();

    g_assert_cmpint(stand_wait(stand), ==, REASON_SILENT);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, DEAD);
    peer_expect_reset(stand->target);
}

#define PAIR (3 * DEAD)

/* The other leg is not there yet: so nobody answers, and that says nothing until its time is over.
 */
static void
test_not_paired_yet(void)
{
    const RelayTimes unpaired = {.quiet = RELAY_QUIET, .ping = PING, .dead = DEAD, .pair = PAIR};
    g_autoptr(Stand) stand = stand_new(BOTH, &unpaired, FALSE);
    gint64 since = g_get_monotonic_time(), took;

    g_assert_cmpint(stand_wait(stand), ==, REASON_NOT_PAIRED);
    took = g_get_monotonic_time() - since;
    g_assert_cmpint(took, >=, PAIR);
    g_assert_cmpint(took, <, PAIR + 10 * G_TIME_SPAN_SECOND);
    peer_expect_reset(stand->target);
}

/* With its first word it is paired, and has to speak as any other. */
static void
test_paired_now(void)
{
    const RelayTimes unpaired = {.quiet = RELAY_QUIET, .ping = PING, .dead = DEAD, .pair = PAIR};
    g_autoptr(Stand) stand = stand_new(BOTH, &unpaired, FALSE);

    g_assert_cmpint(stand_run(stand, 2 * DEAD), ==, REASON_NONE);
    peer_send(stand->peer, PEER_FIN | PEER_PING, NULL, 0);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SILENT);
}

/* Of a plain peer nothing of the kind is known. */
static void
test_plain_and_unpaired(void)
{
    const RelayTimes unpaired = {.quiet = RELAY_QUIET, .ping = PING, .dead = DEAD, .pair = DEAD};
    g_autoptr(Stand) stand = stand_new(0, &unpaired, FALSE);

    g_assert_cmpint(stand_run(stand, 4 * DEAD), ==, REASON_NONE);
}

/* Any frame is a sign of life. */
static void
test_one_of_ours_that_speaks(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, FALSE);

    for (guint i = 0; i < 10; i++) {
        g_assert_cmpint(stand_run(stand, PING), ==, REASON_NONE);
        peer_send(stand->peer, PEER_FIN | PEER_PING, NULL, 0);
    }
    g_assert_cmpint(stand_wait(stand), ==, REASON_SILENT);
}

/* It hears of us although it never stops speaking: our answer to a ping may be far behind in what
 * it has not read yet. */
static void
test_we_speak_of_our_own_accord(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, FALSE);
    guint8 got[1024];
    gssize n;

    for (guint i = 0; i < 40; i++) {
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, "x", 1);
        g_assert_cmpint(stand_run(stand, PING / 4), ==, REASON_NONE);
    }
    n = recv(stand->peer, got, sizeof got, MSG_DONTWAIT);
    g_assert_cmpint(n, >=, 5 * 2); /* pings without a word in them */
    g_assert_cmphex(got[0], ==, PEER_FIN | PEER_PING);
}

/* Nobody knows what another's client does with a ping: its kernel is enough. */
static void
test_a_plain_peer_need_not(void)
{
    g_autoptr(Stand) stand = stand_new(0, &times, FALSE);

    g_assert_cmpint(stand_run(stand, 4 * DEAD), ==, REASON_NONE);
}

/* While we do not read it we do not hear it. The clock starts again when reading does. */
static void
test_silence_that_we_could_not_hear(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);
    g_autofree guint8 *bytes = g_malloc0(60000);
    gint64 since;

    for (guint i = 0; i < 2; i++)
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, bytes, 60000);
    g_assert_cmpint(stand_run(stand, 2 * DEAD), ==, REASON_NONE);
    since = g_get_monotonic_time();
    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(recv(stand->target, bytes, 60000, MSG_WAITALL), ==, 60000);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SILENT);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, DEAD / 2);
}

/* The application sends, the leg takes nothing, and the application resets its connection. */
static void
test_a_reset_behind_a_leg_that_is_full(void)
{
    g_autoptr(Stand) stand = stand_new(BOTH, NULL, FALSE);

    fill(stand->target);
    stand_reset(&stand->target);
    g_assert_cmpint(stand_run(stand, CONNECTION_LINGER + 10 * G_TIME_SPAN_SECOND), ==,
                    REASON_LOCAL_CUT);
}

static void
ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    *(Reason *)data = reason;
}

/* Two plain clients at a hub: neither can be told of the other's end, and both have ended. */
static void
test_two_plain_ends(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(Reactor) reactor = reactor_new("test");
    g_autoptr(Relay) relay = NULL;
    RelayMeter meter = {0};
    Reason reason = REASON_NONE;
    RelaySide sides[2];
    int legs[2][2];

    for (guint i = 0; i < 2; i++) {
        chain_tcp_pair(legs[i]);
        sides[i] = (RelaySide){connection_new(legs[i][1]), TRUE, FALSE, 0, REASON_DEVICE_CLOSED};
    }
    relay = relay_new(reactor, &sides[0], &sides[1], NULL, &meter, queue, ended, &reason);
    for (guint i = 0; i < 2; i++) {
        peer_send(legs[i][0], PEER_FIN | PEER_BINARY, "last", 4);
        peer_send(legs[i][0], PEER_FIN | PEER_BINARY, NULL, 0);
    }
    for (guint i = 0; i < 2; i++) {
        guint8 first, payload[32];

        g_assert_cmpuint(peer_receive(legs[i][0], &first, payload, sizeof payload), ==, 4);
        g_assert_cmpuint(peer_receive(legs[i][0], &first, payload, sizeof payload), >=, 2);
        g_assert_cmphex(first, ==, PEER_FIN | PEER_CLOSE);
        close(legs[i][0]);
    }
    while (reason == REASON_NONE) {
        queue_run(queue);
        g_usleep(1000);
    }
    g_assert_cmpint(reason, ==, REASON_COMPLETED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-silence/not-paired-yet", test_not_paired_yet);
    g_test_add_func("/relay-silence/paired-now", test_paired_now);
    g_test_add_func("/relay-silence/plain-and-unpaired", test_plain_and_unpaired);
    g_test_add_func("/relay-silence/ours/silent", test_one_of_ours_must_speak);
    g_test_add_func("/relay-silence/ours/speaks", test_one_of_ours_that_speaks);
    g_test_add_func("/relay-silence/accord", test_we_speak_of_our_own_accord);
    g_test_add_func("/relay-silence/plain", test_a_plain_peer_need_not);
    g_test_add_func("/relay-silence/unheard", test_silence_that_we_could_not_hear);
    g_test_add_func("/relay-silence/reset", test_a_reset_behind_a_leg_that_is_full);
    g_test_add_func("/relay-silence/two-plain", test_two_plain_ends);
    return g_test_run();
}
