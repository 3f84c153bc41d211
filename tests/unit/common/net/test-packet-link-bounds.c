/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet links at their bounds and one past them, and what a link does while its owner or its peer
 * keeps it waiting. */
#include "common/net/packet-link-private.h"
#include "tests/unit/common/net/link-fixture.h"
#include "tests/unit/common/net/peer-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS G_TIME_SPAN_MILLISECOND
#define PROBE (100 * MS)

static void
send_packet(int raw, gsize size)
{
    g_autoptr(GByteArray) packet = packet_new(size - PACKET_HEAD, 1);

    chain_write_all(raw, packet->data, packet->len);
}

/* Packets of so many bytes, one after the other, and how that ends. */
static void
check_sizes(gsize first, gsize second, guint packets, int error)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);

    send_packet(raw, first);
    pair_wait(pair, 1);
    if (!pair->closed)
        send_packet(raw, second);
    if (error != 0)
        pair_wait_closed(pair);
    else
        pair_wait(pair, packets);
    g_assert_cmpuint(pair->packets, ==, packets);
    g_assert_cmpint(pair->error, ==, error);
    pair_free(pair);
    close(raw);
}

static void
test_sizes(void)
{
    check_sizes(PAIR_FIRST_MAX, PAIR_FIRST_MAX + 1, 2, 0);
    check_sizes(PAIR_FIRST_MAX + 1, 100, 0, -EMSGSIZE);
    check_sizes(100, PAIR_MAX, 2, 0);
    check_sizes(100, PAIR_MAX + 1, 1, -EMSGSIZE);
}

/* Until the server's link has handed over what RAW was sent, to an owner that is busy. */
static void
wait_handed(Pair *pair)
{
    gint64 until = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    while (!g_main_context_pending(pair->context)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
}

/* The owner is busy for longer than the peer may be silent: that silence is not the peer's. */
static void
test_a_busy_owner_is_not_silence(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 200 * MS, &raw);

    send_packet(raw, 100);
    wait_handed(pair);
    g_usleep(370 * MS);
    pair_run_for(pair, 140 * MS); /* and only then its time begins */
    g_assert_cmpuint(pair->packets, ==, 1);
    g_assert_false(pair->closed);
    pair_wait_closed(pair); /* but afterwards it is */
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    pair_free(pair);
    close(raw);
}

/* The same for a probe that runs meanwhile. */
static void
test_a_busy_owner_is_a_sign_of_life(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);
    const guint8 packet[] = {0xc0, 0};

    peer_send(raw, PEER_FIN | PEER_BINARY, packet, sizeof packet);
    wait_handed(pair);
    packet_link_probe(pair->server, PROBE, TRUE);
    g_usleep(3 * PROBE);
    pair_run_for(pair, 50 * MS);
    g_assert_cmpuint(pair->packets, ==, 1);
    g_assert_false(pair->closed);
    pair_free(pair);
    close(raw);
}

/* What the peer sends while we rest is not read, so a probe cannot miss it. */
static void
test_a_rest_is_a_sign_of_life(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);
    const guint8 packet[] = {0xc0, 0};

    packet_link_rest(pair->server, 6 * PROBE);
    peer_send(raw, PEER_FIN | PEER_BINARY, packet, sizeof packet);
    pair_wait(pair, 1);
    packet_link_probe(pair->server, PROBE, TRUE);
    pair_run_for(pair, 3 * PROBE);
    g_assert_false(pair->closed);
    pair_free(pair);
    close(raw);
}

/* Only after a rest the peer's time begins. */
static void
test_a_rest_is_not_silence(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 200 * MS, &raw);

    packet_link_rest(pair->server, 370 * MS);
    send_packet(raw, 100);
    pair_run_for(pair, (370 + 140) * MS);
    g_assert_cmpuint(pair->packets, ==, 1);
    g_assert_false(pair->closed);
    pair_free(pair);
    close(raw);
}

/* A probe that is asked for while another one runs comes after it: both want an answer. */
static void
test_the_next_probe_waits(void)
{
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);
    gint64 since = g_get_monotonic_time();
    guint8 first;

    packet_link_probe(pair->server, 3 * PROBE, TRUE);
    g_assert_cmpuint(peer_receive(raw, &first, NULL, 0), ==, 0);
    g_assert_cmphex(first, ==, PEER_FIN | PEER_PING);
    pair_run_for(pair, PROBE);
    packet_link_probe(pair->server, PROBE, TRUE);
    peer_send(raw, PEER_FIN | PEER_PONG, NULL, 0); /* to the first */
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    g_assert_cmpint(g_get_monotonic_time() - since, >=, 4 * PROBE);
    pair_free(pair);
    close(raw);
}

/* The peer's kernel does not acknowledge what is sent: nobody has to be asked to know that. */
static void
test_a_kernel_that_is_gone(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);
    g_autoptr(GByteArray) packet = packet_new(500, 1);

    peer_die(raw);
    g_usleep(50 * MS); /* it was last heard of before the probe, by the kernel's clock as well */
    packet_link_send(pair->server, packet->data, packet->len);
    packet_link_probe(pair->server, 450 * MS, FALSE);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -ETIMEDOUT);
    pair_free(pair);
    close(raw);
}

typedef struct {
    atomic_bool stands, goes_on;
} Halt;

/* Reactor. */
static void
halt_run(void *data)
{
    Halt *halt = data;

    atomic_store(&halt->stands, TRUE);
    while (!atomic_load(&halt->goes_on))
        g_usleep(1000);
}

static void
halt_begin(Halt *halt, Reactor *reactor)
{
    queue_call(reactor_queue(reactor), halt_run, halt);
    while (!atomic_load(&halt->stands))
        g_usleep(1000);
}

/* So many bytes are sent before the reactor has its turn, and the peer would read them: WIRE in
 * all. */
static void
check_output(gboolean framed, gsize size, gsize wire, int error)
{
    int raw;
    Pair *pair = pair_new(framed, 0, &raw);
    g_autofree guint8 *got = g_malloc(CONNECTION_QUEUE_MAX);
    Halt halt = {0};

    halt_begin(&halt, pair->reactor);
    for (gsize left = size; left > 0; left -= MIN(left, 100000)) {
        g_autoptr(GByteArray) packet = packet_new(MIN(left, 100000) - PACKET_HEAD, 1);

        packet_link_send(pair->server, packet->data, packet->len);
    }
    atomic_store(&halt.goes_on, TRUE);
    if (error != 0)
        pair_wait_closed(pair);
    else
        g_assert_cmpint(recv(raw, got, wire, MSG_WAITALL), ==, (gssize)wire);
    g_assert_cmpint(pair->error, ==, error);
    pair_free(pair);
    close(raw);
}

/* At the bound all of it goes out; one byte more is a peer that is too slow, and nothing is left
 * out in between. */
static void
test_output(void)
{
    /* Pieces that fill a frame each, with a header of 4 bytes, and a short one. */
    const gsize headers = 4 * (CONNECTION_QUEUE_MAX / WS_FULL_MASKED) + 2;

    check_output(FALSE, CONNECTION_QUEUE_MAX, CONNECTION_QUEUE_MAX, 0);
    check_output(FALSE, CONNECTION_QUEUE_MAX + 1, 0, -ENOBUFS);
    check_output(TRUE, CONNECTION_QUEUE_MAX - headers, CONNECTION_QUEUE_MAX, 0);
    check_output(TRUE, CONNECTION_QUEUE_MAX - headers + 1, 0, -ENOBUFS);
}

static void
nothing(void *data G_GNUC_UNUSED)
{
}

/* A link is let go while a packet is on its way to the owner: its reactor, which may have gone, is
 * not told that it was taken. */
static void
test_nothing_goes_back_after_the_end(void)
{
    int raw;
    Pair *pair = pair_new(FALSE, 0, &raw);
    PacketLink *link = pair->server;

    send_packet(raw, 100);
    wait_handed(pair);
    atomic_fetch_add(&link->references, 1); /* to look at it afterwards */
    packet_link_close(link);
    pair_run_for(pair, 20 * MS);
    chain_call(pair->reactor, nothing, NULL);
    g_assert_cmpuint(pair->packets, ==, 0);
    g_assert_true(link->handed); /* so it reads no more */
    g_assert_cmpuint(link->in->len, ==, 100);
    packet_link_unref(link);
    pair_free(pair);
    close(raw);
}

/* At most 64 packets are handed over at once, and the first one alone: it says who that is. */
static void
test_packets_at_once(void)
{
    const struct {
        guint sent;
        gsize handed[4];
    } rows[] = {{1, {1}}, {2, {1, 1}}, {65, {1, 64}}, {66, {1, 64, 1}}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        guint packets = 0;
        int raw;
        Pair *pair = pair_new(FALSE, 0, &raw);

        for (guint n = 0; n < rows[i].sent; n++)
            g_byte_array_append(out, (const guint8[]){0xc0, 0}, 2);
        chain_write_all(raw, out->data, out->len);
        for (const gsize *handed = rows[i].handed; *handed > 0; handed++) {
            wait_handed(pair);
            g_main_context_iteration(pair->context, FALSE);
            packets += (guint)*handed;
            g_assert_cmpuint(pair->packets, ==, packets);
        }
        g_assert_cmpuint(packets, ==, rows[i].sent);
        pair_free(pair);
        close(raw);
    }
}

typedef struct {
    guint packets;
    guint close_at, rest_at; /* at which packet the owner does that; 0: never */
    gboolean closed;
} Owner;

static void
owner_packet(PacketLink *link, const guint8 *packet G_GNUC_UNUSED, gsize len G_GNUC_UNUSED,
             void *data)
{
    Owner *owner = data;

    owner->packets++;
    if (owner->packets == owner->close_at)
        packet_link_close(link);
    if (owner->packets == owner->rest_at)
        packet_link_rest(link, 300 * MS);
}

static void
owner_closed(PacketLink *link G_GNUC_UNUSED, int error G_GNUC_UNUSED,
             const char *text G_GNUC_UNUSED, void *data)
{
    ((Owner *)data)->closed = TRUE;
}

/* Five packets at once; how many the owner has got shortly afterwards, and at last. */
static void
check_owner(Owner *owner, guint soon, guint at_last)
{
    static const PacketLinkEvents events = {owner_packet, owner_closed};
    const PacketLinkOptions options = {.max_packet = PAIR_MAX};
    const guint8 packets[] = {0xc0, 0, 0xc0, 0, 0xc0, 0, 0xc0, 0, 0xc0, 0};
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(Reactor) reactor = reactor_new("test");
    gint64 since = g_get_monotonic_time();
    PacketLink *link;
    int fds[2];

    chain_tcp_pair(fds);
    chain_write_all(fds[0], packets, sizeof packets);
    link = packet_link_new(connection_new(fds[1]), reactor, &options, queue, &events, owner);
    while (owner->packets < soon) {
        g_assert_cmpint(g_get_monotonic_time() - since, <, 10 * G_TIME_SPAN_SECOND);
        queue_run(queue);
        g_usleep(1000);
    }
    for (guint i = 0; i < 50; i++) {
        queue_run(queue);
        g_usleep(1000);
    }
    g_assert_cmpuint(owner->packets, ==, soon);
    while (owner->packets < at_last) {
        g_assert_cmpint(g_get_monotonic_time() - since, <, 10 * G_TIME_SPAN_SECOND);
        queue_run(queue);
        g_usleep(1000);
    }
    g_assert_cmpuint(owner->packets, ==, at_last);
    g_assert_false(owner->closed); /* it has closed the link itself, or nobody has */
    packet_link_unref(link);
    g_clear_pointer(&reactor, reactor_free);
    queue_run(queue);
    close(fds[0]);
}

/* In the middle of packets that were handed over at once the owner closes the link, or wants it to
 * rest: the others do not come, or come after that. */
static void
test_in_the_middle(void)
{
    Owner closes = {.close_at = 3}, rests = {.rest_at = 3}, neither = {0};

    check_owner(&neither, 5, 5);
    check_owner(&closes, 3, 3);
    check_owner(&rests, 3, 5);
}

/* The peer hears why, where there is a way to say it. */
static void
test_the_peer_is_told(void)
{
    const guint8 much[] = {0xc0, 0xff, 0xff, 0xff, 0x7f};
    guint8 first, got[64];
    int raw;
    Pair *pair = pair_new(TRUE, 0, &raw);

    packet_link_close(pair->server);
    g_assert_cmpuint(peer_receive(raw, &first, got, sizeof got), ==, 2);
    g_assert_cmphex(first, ==, PEER_FIN | PEER_CLOSE);
    g_assert_cmpint(memcmp(got, "\x03\xe8", 2), ==, 0);
    pair_run_for(pair, 20 * MS);
    g_assert_false(pair->closed); /* the owner knows */
    pair_free(pair);
    close(raw);
    pair = pair_new(TRUE, 0, &raw);
    peer_send(raw, PEER_FIN | PEER_BINARY, much, sizeof much);
    pair_wait_closed(pair);
    g_assert_cmpint(pair->error, ==, -EMSGSIZE);
    g_assert_cmpuint(peer_receive(raw, &first, got, sizeof got), ==, 2);
    g_assert_cmpint(memcmp(got, "\x03\xf1", 2), ==, 0);
    pair_free(pair);
    close(raw);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet-link/sizes", test_sizes);
    g_test_add_func("/packet-link/output", test_output);
    g_test_add_func("/packet-link/packets-at-once", test_packets_at_once);
    g_test_add_func("/packet-link/busy-owner/silence", test_a_busy_owner_is_not_silence);
    g_test_add_func("/packet-link/busy-owner/probe", test_a_busy_owner_is_a_sign_of_life);
    g_test_add_func("/packet-link/rest/silence", test_a_rest_is_not_silence);
    g_test_add_func("/packet-link/rest/probe", test_a_rest_is_a_sign_of_life);
    g_test_add_func("/packet-link/probe/next", test_the_next_probe_waits);
    g_test_add_func("/packet-link/probe/kernel-gone", test_a_kernel_that_is_gone);
    g_test_add_func("/packet-link/in-the-middle", test_in_the_middle);
    g_test_add_func("/packet-link/peer-is-told", test_the_peer_is_told);
    g_test_add_func("/packet-link/nothing-goes-back", test_nothing_goes_back_after_the_end);
    return g_test_run();
}
