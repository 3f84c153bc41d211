/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay against a plain WebSocket peer (docs/wire-protocol.md, section 4): frames, ends, and
 * what happens to the bytes in between. */
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define QUIET (200 * G_TIME_SPAN_MILLISECOND)

/* What a target that does not read leaves in the relay's own buffer: the first fills the kernel's
 * small one, the second has to wait. */
#define FIRST 60000
#define SECOND 60000
#define LONG (16 * 1024 * 1024)

static void
send_pattern(int fd, guint8 first, guint64 at, gsize len)
{
    g_autofree guint8 *bytes = g_malloc(len);

    peer_fill(bytes, at, len);
    peer_send(fd, first, bytes, len);
}

static void
expect_frame(int fd, guint8 first, const void *payload, gsize len)
{
    guint8 got[128], got_first = 0;

    g_assert_cmpuint(peer_receive(fd, &got_first, got, sizeof got), ==, len);
    g_assert_cmphex(got_first, ==, first);
    g_assert_cmpint(memcmp(got, payload, len), ==, 0);
}

/* The C proxy's size of message. */
static void
test_small_frames(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    for (guint i = 0; i < 2000; i++)
        send_pattern(stand->peer, PEER_FIN | (i % 2 ? PEER_TEXT : PEER_BINARY), i * 64, 64);
    peer_expect(stand->target, 0, 2000 * 64);
}

static void
test_fragments_with_pings_between(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);
    guint64 at = 0;

    for (guint i = 0; i < 500; i++) {
        gboolean last = i % 5 == 4;
        guint8 opcode = i % 5 == 0 ? PEER_BINARY : 0;

        send_pattern(stand->peer, (guint8)((last ? PEER_FIN : 0) | opcode), at, i);
        at += i;
        if (i % 50 == 7) {
            peer_send(stand->peer, PEER_FIN | PEER_PING, "are you there", 13);
            expect_frame(stand->peer, PEER_FIN | PEER_PONG, "are you there", 13);
        }
        peer_send(stand->peer, PEER_FIN | PEER_PONG, "unasked", 7);
    }
    peer_expect(stand->target, 0, (gsize)at);
}

static void *
send_long(void *data)
{
    send_pattern(((Stand *)data)->peer, PEER_FIN | PEER_BINARY, 0, LONG);
    return NULL;
}

static void
test_one_long_frame(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);
    GThread *thread = g_thread_new("peer", send_long, stand);

    peer_expect(stand->target, 0, LONG);
    g_thread_join(thread);
}

/* The C# client after its local end of data: empty messages without end. */
static void
test_empty_messages(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    for (guint i = 0; i < 10; i++)
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, NULL, 0);
    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    for (guint i = 0; i < 20000; i++)
        peer_send(stand->peer, PEER_FIN | PEER_BINARY, NULL, 0);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
    chain_write_all(stand->target, "answer", 6);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "answer", 6);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
}

/* Both have sent their end of data: nothing to wait for, though a plain peer cannot be told. */
static void
test_both_ends_of_data(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    shutdown(stand->target, SHUT_WR);
    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    peer_send(stand->peer, PEER_FIN | PEER_BINARY, NULL, 0);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_COMPLETED);
}

static void
test_close_without_a_code(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, NULL, 0);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
    expect_frame(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xe8", 2);
    peer_expect_end(stand->peer);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* The C client's end. */
static void
test_bare_fin(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    shutdown(stand->peer, SHUT_WR);
    peer_expect(stand->target, 0, 100);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* Nothing better is known of a plain peer's FIN, but not when it comes in the middle. */
static void
test_fin_inside_a_frame_is_a_cut(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);
    const guint8 head[] = {0x82, 0x80 | 100, 0, 0, 0, 0, 'h', 'a', 'l', 'f'};

    chain_write_all(stand->peer, head, sizeof head);
    shutdown(stand->peer, SHUT_WR);
    g_assert_cmpint(stand_wait(stand), ==, REASON_CUT);
    peer_expect_reset(stand->target);
}

static void
test_a_protocol_error(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);

    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    peer_send(stand->peer, 0xf0 | PEER_BINARY, "x", 1);
    expect_frame(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xea", 2);
    g_assert_cmpint(stand_wait(stand), ==, REASON_PROTOCOL);
    peer_expect_reset(stand->target);
}

/* Pings without number, whose answers nobody reads: data goes on, memory does not grow. */
static void
test_a_flood_of_pings(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, FALSE);
    char payload[125] = "";

    for (guint i = 0; i < 50000; i++)
        peer_send(stand->peer, PEER_FIN | PEER_PING, payload, sizeof payload);
    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, 100);
    peer_expect(stand->target, 0, 100);
    g_assert_cmpint(stand->hop.reason, ==, REASON_NONE);
}

/* Two pieces, of which the target's small buffers leave the second in the relay; NEXT is the first
 * byte of an empty frame that comes in one piece with it, or 0. */
static void
fill_until_stuck(Stand *stand, guint8 next)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint8 bytes[SECOND];

    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, 0, FIRST);
    stand_wait_taken(stand, FIRST);
    g_usleep(50 * 1000);
    peer_fill(bytes, FIRST, sizeof bytes);
    peer_append(out, PEER_FIN | PEER_BINARY, bytes, sizeof bytes);
    if (next != 0)
        peer_append(out, next, NULL, 0);
    chain_write_all(stand->peer, out->data, out->len);
    stand_wait_taken(stand, FIRST + SECOND);
    g_usleep(50 * 1000);
}

/* A target that takes its time, longer than the quiet time, still answers. */
static void
test_a_stalled_reader_is_not_quiet(void)
{
    const RelayTimes times = {QUIET, 0, 0};
    g_autoptr(Stand) stand = stand_new(BOTH, &times, TRUE);

    fill_until_stuck(stand, PEER_FIN | PEER_BINARY);
    g_usleep(4 * QUIET);
    peer_expect(stand->target, 0, FIRST + SECOND);
    peer_expect_end(stand->target);
    chain_write_all(stand->target, "answer", 6);
    expect_frame(stand->peer, PEER_FIN | PEER_BINARY, "answer", 6);
}

/* The same the other way: it sent its end of data, and reads the answer slowly. */
static void
test_a_slow_reader_of_the_answer(void)
{
    const RelayTimes times = {QUIET, 0, 0};
    g_autoptr(Stand) stand = stand_new(0, &times, TRUE);

    shutdown(stand->target, SHUT_WR);
    fill_until_stuck(stand, 0);
    g_usleep(4 * QUIET);
    peer_expect(stand->target, 0, FIRST + SECOND);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_DEVICE_CLOSED);
}

/* A peer that sent everything and has gone. We must not ask it whether it is there: the answer is
 * a reset, and what it sent is not read yet. */
static void
test_a_peer_that_has_gone_is_read_to_its_end(void)
{
    const RelayTimes times = {RELAY_QUIET, 100 * G_TIME_SPAN_MILLISECOND, RELAY_DEAD};
    g_autoptr(Stand) stand = stand_new(0, &times, TRUE);

    fill_until_stuck(stand, 0);
    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, FIRST + SECOND, SECOND);
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xe8", 2);
    stand_close(&stand->peer);
    g_usleep(500 * 1000);
    peer_expect(stand->target, 0, FIRST + 2 * SECOND);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* The same while the target sends: those bytes have nowhere to go, but the peer's own arrive. */
static void
test_bytes_toward_a_peer_that_has_gone(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, TRUE);

    fill_until_stuck(stand, 0);
    send_pattern(stand->peer, PEER_FIN | PEER_BINARY, FIRST + SECOND, SECOND);
    peer_send(stand->peer, PEER_FIN | PEER_CLOSE, "\x03\xe8", 2);
    stand_close(&stand->peer);
    for (guint i = 0; i < 5; i++) {
        chain_write_all(stand->target, "too late", 8);
        g_usleep(20 * 1000);
    }
    peer_expect(stand->target, 0, FIRST + 2 * SECOND);
    peer_expect_end(stand->target);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
}

/* Neither end is there any more: the relay sees it and ends. */
static void
test_both_have_gone(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, TRUE);

    fill_until_stuck(stand, 0);
    stand_reset(&stand->peer);
    chain_write_all(stand->target, "too late", 8);
    g_usleep(20 * 1000);
    stand_reset(&stand->target);
    g_assert_false(reason_is_orderly(stand_wait(stand)));
}

/* Ended in order, but stopped before the last bytes were delivered: that is a cut. */
static void
test_stopped_while_it_delivers(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, TRUE);

    fill_until_stuck(stand, PEER_FIN | PEER_CLOSE);
    relay_close(stand->hop.relay, REASON_STOPPING);
    g_assert_cmpint(stand_wait(stand), ==, REASON_STOPPING);
    peer_expect_reset(stand->target);
}

static void *
send_without_end(void *data)
{
    const int fd = *(int *)data;
    static const char bytes[4096];

    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

/* A reader's last bytes are not destroyed because it has not stopped sending. */
static void
test_a_reader_that_still_sends(void)
{
    g_autoptr(Stand) stand = stand_new(0, NULL, TRUE);
    GThread *thread;

    fill_until_stuck(stand, PEER_FIN | PEER_CLOSE);
    peer_expect(stand->target, 0, FIRST);
    g_assert_cmpint(stand_wait(stand), ==, REASON_SERVICE_CLOSED);
    thread = g_thread_new("target", send_without_end, &stand->target);
    g_usleep(300 * 1000);
    peer_expect(stand->target, FIRST, SECOND);
    peer_expect_end(stand->target);
    shutdown(stand->target, SHUT_RDWR);
    g_thread_join(thread);
}

/* The reactor ends right after the relay, or before it has looked at it: the close frame goes out
 * all the same. */
static void
test_the_last_word_before_the_reactor_ends(void)
{
    for (guint i = 0; i < 50; i++) {
        g_autoptr(Stand) stand = stand_new(BOTH, NULL, FALSE);
        guint8 first, got[128];

        relay_close(stand->hop.relay, REASON_HUB_STOPPING);
        if (i % 2)
            stand_wait(stand);
        reactor_free(g_steal_pointer(&stand->reactor));
        g_assert_cmpuint(peer_receive(stand->peer, &first, got, sizeof got), >=, 2);
        g_assert_cmphex(first, ==, PEER_FIN | PEER_CLOSE);
        g_assert_cmpint(got[0] << 8 | got[1], ==, 1001);
    }
}

/* More than the stream may carry, and the end of it in the same breath: what is cut off is no
 * whole. */
static void
test_limit_before_the_end(void)
{
    const RelayTimes times = {RELAY_QUIET, RELAY_PING, RELAY_DEAD, {.bytes = 60}};
    g_autoptr(Stand) stand = stand_new(BOTH, &times, FALSE);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 pattern[100], got[100];
    gssize n;

    peer_fill(pattern, 0, sizeof pattern);
    peer_append(bytes, PEER_FIN | PEER_BINARY, pattern, sizeof pattern);
    peer_append(bytes, PEER_FIN | PEER_BINARY, NULL, 0);
    chain_write_all(stand->peer, bytes->data, bytes->len);
    g_assert_cmpint(stand_wait(stand), ==, REASON_BYTE_LIMIT);
    while ((n = recv(stand->target, got, sizeof got, 0)) > 0)
        continue;
    g_assert_cmpint(n, ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-peer/frames/small", test_small_frames);
    g_test_add_func("/relay-peer/frames/fragments", test_fragments_with_pings_between);
    g_test_add_func("/relay-peer/frames/long", test_one_long_frame);
    g_test_add_func("/relay-peer/frames/empty", test_empty_messages);
    g_test_add_func("/relay-peer/frames/pings", test_a_flood_of_pings);
    g_test_add_func("/relay-peer/end/close", test_close_without_a_code);
    g_test_add_func("/relay-peer/end/both", test_both_ends_of_data);
    g_test_add_func("/relay-peer/end/fin", test_bare_fin);
    g_test_add_func("/relay-peer/end/fin-inside", test_fin_inside_a_frame_is_a_cut);
    g_test_add_func("/relay-peer/end/error", test_a_protocol_error);
    g_test_add_func("/relay-peer/slow/stalled", test_a_stalled_reader_is_not_quiet);
    g_test_add_func("/relay-peer/slow/answer", test_a_slow_reader_of_the_answer);
    g_test_add_func("/relay-peer/gone/read", test_a_peer_that_has_gone_is_read_to_its_end);
    g_test_add_func("/relay-peer/gone/written", test_bytes_toward_a_peer_that_has_gone);
    g_test_add_func("/relay-peer/gone/both", test_both_have_gone);
    g_test_add_func("/relay-peer/slow/still-sends", test_a_reader_that_still_sends);
    g_test_add_func("/relay-peer/last-word", test_the_last_word_before_the_reactor_ends);
    g_test_add_func("/relay-peer/stopped", test_stopped_while_it_delivers);
    g_test_add_func("/relay-peer/limit-before-the-end", test_limit_before_the_end);
    return g_test_run();
}
