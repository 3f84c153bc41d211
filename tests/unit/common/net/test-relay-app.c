/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay between an app's socket and a peer: what the end of a Unix socket says that TCP's does
 * not, that the app has gone for good (docs/wire-protocol.md, "The end of a stream"). */
#include "tests/unit/common/net/peer-fixture.h"

#include <string.h>
#include <sys/socket.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define MUCH 100000

static void
expect_frame(int fd, guint8 first, const void *payload, gsize len)
{
    guint8 got[128], got_first = 0;

    g_assert_cmpuint(peer_receive(fd, &got_first, got, sizeof got), ==, len);
    g_assert_cmphex(got_first, ==, first);
    g_assert_cmpint(memcmp(got, payload, len), ==, 0);
}

static void
expect_close(int fd, const char *reason)
{
    g_autofree char *text = g_strconcat("\x03\xe8", reason, NULL);

    expect_frame(fd, PEER_FIN | PEER_CLOSE, text, strlen(text));
}

/* A leg that is not paired says nothing, not even to a ping; one that went now would take the word
 * along. */
static void
test_not_before_the_leg_has_spoken(void)
{
    g_autoptr(Stand) stand = stand_new_app(BOTH);

    chain_write_all(stand->target, "hello", 5);
    stand_close(&stand->target);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "hello", 5);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "", 0);
    expect_frame(stand->peer, PEER_FIN | PEER_PING, "", 0);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    peer_send(stand->peer, PEER_FIN | PEER_PONG, NULL, 0);
    expect_close(stand->peer, "device-closed");
    g_assert_cmpint(stand_wait(stand), ==, REASON_DEVICE_CLOSED);
}

static void
test_at_once_when_it_has(void)
{
    g_autoptr(Stand) stand = stand_new_app(BOTH);

    peer_send(stand->peer, PEER_FIN | PEER_BINARY, "go", 2);
    stand_wait_taken(stand, 2);
    g_assert_cmpint(recv(stand->target, (char[2]){0}, 2, MSG_WAITALL), ==, 2);
    stand_close(&stand->target);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "", 0);
    expect_close(stand->peer, "device-closed");
    g_assert_cmpint(stand_wait(stand), ==, REASON_DEVICE_CLOSED);
}

/* Half a close is not a farewell: the app still reads. */
static void
test_half_close(void)
{
    g_autoptr(Stand) stand = stand_new_app(BOTH);

    shutdown(stand->target, SHUT_WR);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "", 0);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, "answer", 6);
    g_assert_cmpint(recv(stand->target, (char[6]){0}, 6, MSG_WAITALL), ==, 6);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, NULL, 0);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_COMPLETED);
}

/* What it wrote is delivered whole, although what comes meanwhile finds nobody. */
static void
test_written_before_it_went(void)
{
    g_autoptr(Stand) stand = stand_new_app(BOTH);
    g_autofree guint8 *bytes = g_malloc(MUCH), *got = g_malloc(MUCH);
    guint8 first = PEER_FIN | PEER_BINARY;
    gsize total = 0, n;

    peer_fill(bytes, 0, MUCH);
    chain_write_all(stand->target, bytes, MUCH);
    stand_close(&stand->target);
    for (guint i = 0; i < 100; i++)
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, "too late", 8);
    while ((n = peer_receive(stand->peer, &first, got, MUCH)) > 0 && (first & 0xf) == PEER_BINARY) {
        g_assert_cmpint(memcmp(got, bytes + total, n), ==, 0);
        total += n;
    }
    g_assert_cmpuint(total, ==, MUCH);
    g_assert_cmpint(stand_wait(stand), ==, REASON_DEVICE_CLOSED);
}

static void
test_unread(void)
{
    g_autoptr(Stand) stand = stand_new_app(BOTH);

    peer_send(stand->peer, PEER_FIN | PEER_BINARY, "for nobody", 10);
    stand_wait_taken(stand, 10);
    while (recv(stand->target, (char[10]){0}, 10, MSG_PEEK) < 10)
        g_usleep(1000);
    stand_close(&stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_LOCAL_CUT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-app/left/leg-silent", test_not_before_the_leg_has_spoken);
    g_test_add_func("/relay-app/left/leg-spoke", test_at_once_when_it_has);
    g_test_add_func("/relay-app/half-close", test_half_close);
    g_test_add_func("/relay-app/left/written", test_written_before_it_went);
    g_test_add_func("/relay-app/left/unread", test_unread);
    return g_test_run();
}
