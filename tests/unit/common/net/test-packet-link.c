/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet links: a client's and a server's end, in and out of WebSocket frames. */
#include "tests/unit/common/net/link-fixture.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
check_packets(gboolean framed)
{
    Pair *pair = pair_new(framed, 0, NULL);
    g_autoptr(GByteArray) sent = g_byte_array_new();

    for (guint i = 1; i <= 60; i++) {
        g_autoptr(GByteArray) packet = packet_new(i < 3 ? 500 : i * 1200, (guint8)i);

        g_byte_array_append(sent, packet->data, packet->len);
        packet_link_send(pair->client, packet->data, packet->len);
        if (i % 3 == 0)
            pair_wait(pair, i);
    }
    pair_wait(pair, 60);
    g_assert_cmpuint(pair->got->len, ==, sent->len);
    g_assert_cmpint(memcmp(pair->got->data, sent->data, sent->len), ==, 0);
    packet_link_close(pair->client);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, 0);
    pair_free(pair);
}

static void
test_packets_in_tls_alone(void)
{
    check_packets(FALSE);
}

static void
test_packets_in_messages(void)
{
    check_packets(TRUE);
}

static void
test_packets_in_pieces(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);
    const guint8 ping[] = {0xc0, 0x00};

    for (guint i = 0; i < 3; i++) {
        chain_write_all(raw, ping, 1);
        g_usleep(2000);
        chain_write_all(raw, ping + 1, 1);
    }
    pair_wait(pair, 3);
    g_assert_cmpuint(pair->got->len, ==, 6);
    pair_free(pair);
    close(raw);
}

static void
test_a_large_first_packet_ends_the_link_unread(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);
    const guint8 head[] = {0x10, 0xff, 0xff, 0xff, 0x7f};

    chain_write_all(raw, head, sizeof head);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -EMSGSIZE);
    pair_free(pair);
    close(raw);
}

static void
test_silence_ends_the_link(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 200 * G_TIME_SPAN_MILLISECOND, &raw);
    const guint8 ping[] = {0xc0, 0x00};

    chain_write_all(raw, ping, sizeof ping);
    pair_wait_closed(pair);
    g_assert_cmpuint(pair->packets, ==, 1);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    pair_free(pair);
    close(raw);
}

/* A peer that never reads is cut when the bound is reached; nothing grows beyond it. */
static void
test_a_peer_that_does_not_read_is_cut(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);
    g_autoptr(GByteArray) packet = packet_new(100 * 1000, 1);

    for (guint i = 0; i < 1000 && !pair->closed; i++) {
        packet_link_send(pair->server, packet->data, packet->len);
        while (g_main_context_iteration(pair->context, FALSE))
            ;
        g_usleep(1000);
    }
    g_assert_true(pair->closed);
    g_assert_cmpint(pair->error, ==, -ENOBUFS);
    pair_free(pair);
    close(raw);
}

/* What a device sends before it closes still counts, also when all of it comes at once. */
static void
test_packets_before_the_close(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);
    const guint8 packet[] = {0xc0, 0x00};
    g_autoptr(GByteArray) out = g_byte_array_new();

    for (guint i = 0; i < 3; i++)
        peer_append(out, PEER_FIN | PEER_BINARY, packet, sizeof packet);
    peer_append(out, PEER_FIN | PEER_CLOSE, NULL, 0);
    chain_write_all(raw, out->data, out->len);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, 0);
    g_assert_cmpuint(pair->packets, ==, 3);
    pair_free(pair);
    close(raw);
}

static void *
send_pings(void *data)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    for (guint i = 0; i < 5000; i++)
        peer_append(out, PEER_FIN | PEER_PING, NULL, 0);
    while (send(*(int *)data, out->data, out->len, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

/* Pings without end, whose answers nobody reads: other work of the reactor goes on. */
static void
test_a_flood_of_pings(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);
    GThread *thread = g_thread_new("flood", send_pings, &raw);

    g_usleep(200 * 1000);
    g_assert_false(pair->closed);
    packet_link_close(pair->server);
    g_thread_join(thread); /* sending fails once the link is closed */
    pair_free(pair);
    close(raw);
}

/* The owner asks for a rest at the first packet: the second comes after it, and no limit of silence
 * ends the link meanwhile. */
static void
test_a_rest(void)
{
    const guint8 pings[] = {0xc0, 0, 0xc0, 0};
    int raw;
    Pair *pair = pair_new(FALSE, 200 * G_TIME_SPAN_MILLISECOND, &raw);
    gint64 since = g_get_monotonic_time();

    packet_link_rest(pair->server, 400 * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(write(raw, pings, sizeof pings), ==, sizeof pings);
    pair_wait(pair, 1);
    g_assert_cmpuint(pair->packets, ==, 1);
    pair_wait(pair, 2);
    g_assert_cmpuint(pair->packets, ==, 2);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, 400 * G_TIME_SPAN_MILLISECOND);
    g_assert_false(pair->closed);
    pair_free(pair);
    close(raw);
}

/* A link that rests is closed at once all the same. */
static void
test_closed_in_a_rest(void)
{
    const guint8 ping[] = {0xc0, 0};
    guint8 byte;
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);

    packet_link_rest(pair->server, 600 * G_TIME_SPAN_SECOND);
    g_assert_cmpint(write(raw, ping, sizeof ping), ==, sizeof ping);
    pair_wait(pair, 1);
    packet_link_close(pair->server);
    g_assert_cmpint(read(raw, &byte, 1), ==, 0);
    pair_free(pair);
    close(raw);
}

/* Every ping is answered, but so many only in a second: the rest of them waits. */
static void
test_pings_are_bounded(void)
{
    enum { PINGS = 4000 };
    g_autoptr(GByteArray) pings = g_byte_array_new();
    guint8 pongs[2 * PINGS];
    gint64 since = g_get_monotonic_time();
    gsize got = 0;
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);

    for (guint i = 0; i < PINGS; i++)
        peer_append(pings, PEER_FIN | PEER_PING, NULL, 0);
    g_assert_cmpint(write(raw, pings->data, pings->len), ==, pings->len);
    while (got < sizeof pongs) {
        ssize_t n = read(raw, pongs + got, sizeof pongs - got);

        g_assert_cmpint(n, >, 0);
        got += (gsize)n;
    }
    g_assert_cmpint(g_get_monotonic_time() - since, >=, 500 * G_TIME_SPAN_MILLISECOND);
    pair_free(pair);
    close(raw);
}

#define PROBE (100 * G_TIME_SPAN_MILLISECOND)

/* A kernel that acknowledges is not a peer that answers. */
static void
test_a_probe_wants_an_answer(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);

    packet_link_probe(pair->server, PROBE, TRUE);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    pair_free(pair);
    close(raw);
}

/* Where nothing is asked that would have to be answered, it is enough. */
static void
test_a_probe_is_content_with_the_kernel(void)
{
    for (guint framed = 0; framed < 2; framed++) {
        int raw;
        Pair *pair = pair_new(framed == 1, 0, &raw);
        g_autoptr(GByteArray) packet = packet_new(500, 1);

        packet_link_send(pair->server, packet->data, packet->len);
        packet_link_probe(pair->server, PROBE, framed == 0);
        pair_run_for(pair, 4 * PROBE);
        g_assert_false(pair->closed);
        pair_free(pair);
        close(raw);
    }
}

/* One after the other, each is answered; then the peer falls silent. */
static void
test_probes_that_are_answered(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);

    for (guint i = 0; i < 5; i++) {
        packet_link_probe(pair->server, PROBE, TRUE);
        g_usleep(PROBE / 2);
        peer_send(raw, PEER_FIN | PEER_PONG, NULL, 0);
        pair_run_for(pair, PROBE);
        g_assert_false(pair->closed);
    }
    packet_link_probe(pair->server, PROBE, TRUE);
    packet_link_probe(pair->server, PROBE, TRUE);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    pair_free(pair);
    close(raw);
}

/* A packet that waits for its owner when all of it ends: nothing goes back to the reactor, which is
 * gone by then. */
static void
test_ends_with_a_packet_on_its_way(void)
{
    g_autoptr(GByteArray) packet = packet_new(100, 'x');
    int raw = -1;
    Pair *pair = pair_new(FALSE, 0, &raw);

    chain_write_all(raw, packet->data, packet->len);
    while (!g_main_context_pending(pair->context))
        g_usleep(100);
    g_assert_cmpuint(pair->packets, ==, 0);
    pair_free(pair);
    close(raw);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet-link/packets/raw", test_packets_in_tls_alone);
    g_test_add_func("/packet-link/packets/framed", test_packets_in_messages);
    g_test_add_func("/packet-link/close", test_packets_before_the_close);
    g_test_add_func("/packet-link/pings/flood", test_a_flood_of_pings);
    g_test_add_func("/packet-link/pings/bounded", test_pings_are_bounded);
    g_test_add_func("/packet-link/rest", test_a_rest);
    g_test_add_func("/packet-link/rest/closed", test_closed_in_a_rest);
    g_test_add_func("/packet-link/pieces", test_packets_in_pieces);
    g_test_add_func("/packet-link/too-large", test_a_large_first_packet_ends_the_link_unread);
    g_test_add_func("/packet-link/silence", test_silence_ends_the_link);
    g_test_add_func("/packet-link/slow-peer", test_a_peer_that_does_not_read_is_cut);
    g_test_add_func("/packet-link/probe/answer", test_a_probe_wants_an_answer);
    g_test_add_func("/packet-link/probe/kernel", test_a_probe_is_content_with_the_kernel);
    g_test_add_func("/packet-link/probe/several", test_probes_that_are_answered);
    g_test_add_func("/packet-link/ends-with-a-packet-on-its-way",
                    test_ends_with_a_packet_on_its_way);
    return g_test_run();
}
