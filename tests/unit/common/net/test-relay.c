/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay, three in a row as in the field: streamd - hub - streamd, over loopback TCP. */
#include "tests/unit/common/net/relay-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (CAP_HALF_CLOSE | CAP_REASON)
#define BULK (24 * 1024 * 1024 + 12345)

typedef struct {
    int fd;
    guint32 seed;
    gsize len;
    gboolean finish; /* then FIN */
} Sender;

static void *
sender_run(void *data)
{
    const Sender *sender = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(sender->seed);
    guint32 block[4096];
    gsize piece;

    for (gsize at = 0; at < sender->len; at += piece) {
        piece = MIN(sizeof block, sender->len - at);
        for (guint i = 0; i < G_N_ELEMENTS(block); i++)
            block[i] = g_rand_int(random);
        chain_write_all(sender->fd, block, piece);
    }
    if (sender->finish)
        shutdown(sender->fd, SHUT_WR);
    return NULL;
}

/* Reads LEN bytes and compares them with what the seed makes. */
static void
expect_bulk(int fd, guint32 seed, gsize len)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    guint32 expected[4096], got[4096];
    gsize piece;

    for (gsize at = 0; at < len; at += piece) {
        piece = MIN(sizeof got, len - at);
        g_assert_cmpint(recv(fd, got, piece, MSG_WAITALL), ==, (gssize)piece);
        for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
            expected[i] = g_rand_int(random);
        g_assert_cmpint(memcmp(expected, got, piece), ==, 0);
    }
}

static void
check_both_ways(gboolean tls)
{
    g_autoptr(Chain) chain = chain_new(tls, BOTH, BOTH, NULL);
    Sender from_app = {chain->app, 1, BULK, TRUE}, from_target = {chain->target, 2, BULK, TRUE};
    GThread *one = g_thread_new("app", sender_run, &from_app);
    GThread *two = g_thread_new("target", sender_run, &from_target);

    char byte;

    /* One direction at a time is read here: the other is held by backpressure meanwhile. */
    expect_bulk(chain->target, 1, BULK);
    g_assert_cmpint(recv(chain->target, &byte, 1, 0), ==, 0);
    expect_bulk(chain->app, 2, BULK);
    g_assert_cmpint(recv(chain->app, &byte, 1, 0), ==, 0);
    g_thread_join(one);
    g_thread_join(two);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpint(chain_wait(chain, i), ==, REASON_COMPLETED);
        g_assert_cmpuint(chain->hops[i].meter.bytes[0], ==, BULK);
        g_assert_cmpuint(chain->hops[i].meter.bytes[1], ==, BULK);
    }
}

static void
test_bytes_are_exact_both_ways(void)
{
    check_both_ways(FALSE);
}

static void
test_bytes_are_exact_both_ways_in_tls(void)
{
    check_both_ways(TRUE);
}

static void
test_half_close(void)
{
    g_autoptr(Chain) chain = chain_new(FALSE, BOTH, BOTH, NULL);
    char got[16];

    chain_write_all(chain->app, "upload", 6);
    shutdown(chain->app, SHUT_WR);
    g_assert_cmpint(recv(chain->target, got, sizeof got, MSG_WAITALL), ==, 6);
    /* The answer still comes, after the end of the question. */
    chain_write_all(chain->target, "answer", 6);
    g_assert_cmpint(recv(chain->app, got, 6, MSG_WAITALL), ==, 6);
    shutdown(chain->target, SHUT_WR);
    g_assert_cmpint(recv(chain->app, got, 1, 0), ==, 0);
    g_assert_cmpint(chain_wait(chain, 0), ==, REASON_COMPLETED);
    g_assert_cmpint(chain_wait(chain, 2), ==, REASON_COMPLETED);
}

/* A reset at one application is a reset at the other, never a clean end. */
static void
test_a_cut_is_an_error(void)
{
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, NULL);
    const struct linger hard = {1, 0};
    char got[16];

    chain_write_all(chain->app, "half a body", 11);
    g_assert_cmpint(recv(chain->target, got, 11, MSG_WAITALL), ==, 11);
    setsockopt(chain->app, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(chain->app);
    chain->app = -1;
    g_assert_cmpint(recv(chain->target, got, 1, 0), ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(chain_wait(chain, i), ==, REASON_LOCAL_CUT);
}

/* The hub goes in the middle: both ends see a cut. */
static void
test_the_hub_says_why(void)
{
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, NULL);
    char got[16];

    chain_write_all(chain->app, "half", 4);
    g_assert_cmpint(recv(chain->target, got, 4, MSG_WAITALL), ==, 4);
    relay_close(chain->hops[1].relay, REASON_REVOKED);
    g_assert_cmpint(recv(chain->target, got, 1, 0), ==, -1);
    g_assert_cmpint(recv(chain->app, got, 1, 0), ==, -1);
    g_assert_cmpint(chain_wait(chain, 0), ==, REASON_REVOKED);
    g_assert_cmpint(chain_wait(chain, 2), ==, REASON_REVOKED);
}

/* Plain ends have no half-close: the stream ends once the other direction was quiet. */
static void
test_plain_peers_end_after_quiet(void)
{
    const RelayTimes times = {200 * G_TIME_SPAN_MILLISECOND, 0, 0};
    g_autoptr(Chain) chain = chain_new(FALSE, 0, 0, &times);
    char got[16];

    chain_write_all(chain->app, "question", 8);
    shutdown(chain->app, SHUT_WR);
    g_assert_cmpint(recv(chain->target, got, 8, MSG_WAITALL), ==, 8);
    chain_write_all(chain->target, "answer", 6);
    g_assert_cmpint(recv(chain->app, got, 6, MSG_WAITALL), ==, 6);
    g_assert_cmpint(recv(chain->app, got, 1, 0), ==, 0);
    g_assert_cmpint(recv(chain->target, got, 1, 0), ==, 0);
    g_assert_cmpint(chain_wait(chain, 0), ==, REASON_SERVICE_CLOSED);
    /* 1011 "WS disconnected" from the hub counts as an orderly end for a plain end. */
    g_assert_cmpint(chain_wait(chain, 2), ==, REASON_SERVICE_CLOSED);
}

/* Pings go out while a leg is silent, are answered, and end nothing. */
static void
test_silence_is_asked_about(void)
{
    const RelayTimes times = {RELAY_QUIET, 100 * G_TIME_SPAN_MILLISECOND, G_TIME_SPAN_SECOND};
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, &times);
    char got[4];

    for (guint i = 0; i < 5; i++) {
        g_usleep(250 * 1000);
        chain_write_all(chain->app, "tick", 4);
        g_assert_cmpint(recv(chain->target, got, 4, MSG_WAITALL), ==, 4);
    }
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(chain->hops[i].reason, ==, REASON_NONE);
}

/* A reader that stops holds at most the buffers on the way; nobody is cut for it. */
static void
test_a_stalled_reader_keeps_its_stream(void)
{
    const RelayTimes times = {RELAY_QUIET, 100 * G_TIME_SPAN_MILLISECOND, G_TIME_SPAN_SECOND};
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, &times);
    Sender sender = {chain->app, 7, BULK, FALSE};
    GThread *thread = g_thread_new("app", sender_run, &sender);

    g_usleep(1500 * 1000);
    g_assert_cmpuint(chain->hops[2].meter.bytes[1], <, BULK);
    expect_bulk(chain->target, 7, BULK);
    g_thread_join(thread);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(chain->hops[i].reason, ==, REASON_NONE);
}

/* The stream is over at the sender long before the reader has read it. */
static void
test_a_slow_reader_gets_the_last_byte(void)
{
    g_autoptr(Chain) chain = chain_new(TRUE, BOTH, BOTH, NULL);
    Sender sender = {chain->app, 9, 2 * 1024 * 1024, TRUE};
    char byte;

    shutdown(chain->target, SHUT_WR);
    sender_run(&sender);
    g_assert_cmpint(chain_wait(chain, 0), ==, REASON_COMPLETED);
    g_assert_cmpint(chain_wait(chain, 2), ==, REASON_COMPLETED);
    g_usleep(CONNECTION_LINGER + G_USEC_PER_SEC);
    expect_bulk(chain->target, 9, 2 * 1024 * 1024);
    g_assert_cmpint(recv(chain->target, &byte, 1, 0), ==, 0);
}

static void
test_nobody_needs_to_wait_for_the_end(void)
{
    Chain *chain = chain_new(TRUE, BOTH, BOTH, NULL);

    chain_write_all(chain->app, "x", 1);
    close(chain->app);
    close(chain->target);
    chain->app = chain->target = -1;
    chain_free(chain);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay/bytes/plain", test_bytes_are_exact_both_ways);
    g_test_add_func("/relay/bytes/tls", test_bytes_are_exact_both_ways_in_tls);
    g_test_add_func("/relay/half-close", test_half_close);
    g_test_add_func("/relay/cut", test_a_cut_is_an_error);
    g_test_add_func("/relay/hub-says-why", test_the_hub_says_why);
    g_test_add_func("/relay/plain/quiet", test_plain_peers_end_after_quiet);
    g_test_add_func("/relay/silence", test_silence_is_asked_about);
    g_test_add_func("/relay/stalled-reader", test_a_stalled_reader_keeps_its_stream);
    g_test_add_func("/relay/slow-reader", test_a_slow_reader_gets_the_last_byte);
    g_test_add_func("/relay/both-ends-vanish", test_nobody_needs_to_wait_for_the_end);
    return g_test_run();
}
