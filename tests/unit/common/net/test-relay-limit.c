/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of a stream, reached at the device's relay: everybody on the way is told the reason. */
#include "tests/unit/common/net/relay-fixture.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS G_TIME_SPAN_MILLISECOND
#define LIMIT (3 * 1024 * 1024 + 17)

/* Writes until the other side does not take it any more. */
static void *
flood(void *data)
{
    static const char block[65536];

    while (send(GPOINTER_TO_INT(data), block, sizeof block, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static GThread *
flood_start(int fd)
{
    return g_thread_new("flood", flood, GINT_TO_POINTER(fd));
}

/* How many bytes come before the connection is gone. */
static guint64
read_to_end(int fd, ssize_t *ret)
{
    static char block[65536];
    guint64 sum = 0;

    while ((*ret = recv(fd, block, sizeof block, 0)) > 0)
        sum += (guint64)*ret;
    return sum;
}

static guint64
read_to_reset(int fd)
{
    ssize_t n;
    guint64 sum = read_to_end(fd, &n);

    g_assert_cmpint(n, ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
    return sum;
}

static void
expect_everywhere(Chain *chain, Reason reason)
{
    for (guint i = 3; i > 0; i--)
        g_test_message("hop %u: %s", i - 1, reason_code(chain_wait(chain, i - 1)));
    for (guint i = 3; i > 0; i--)
        g_assert_cmpstr(reason_code(chain_wait(chain, i - 1)), ==, reason_code(reason));
}

static guint64
carried(const Chain *chain, guint hop)
{
    const RelayMeter *meter = &chain->hops[hop].meter;

    return atomic_load(&meter->bytes[0]) + atomic_load(&meter->bytes[1]);
}

static void
check_bytes(gboolean tls, gboolean from_app)
{
    const RelayLimits limits = {.bytes = LIMIT};
    g_autoptr(Chain) chain = chain_new_limited(tls, &limits);
    GThread *thread = flood_start(from_app ? chain->app : chain->target);

    g_assert_cmpuint(read_to_reset(from_app ? chain->target : chain->app), <=, LIMIT);
    expect_everywhere(chain, REASON_BYTE_LIMIT);
    g_assert_cmpuint(carried(chain, 2), ==, LIMIT);
    g_thread_join(thread);
}

static void
test_bytes_in(void)
{
    check_bytes(FALSE, TRUE);
}

static void
test_bytes_out(void)
{
    check_bytes(FALSE, FALSE);
}

static void
test_bytes_in_tls(void)
{
    check_bytes(TRUE, TRUE);
    check_bytes(TRUE, FALSE);
}

/* The two directions count together. */
static void
test_bytes_both_ways(void)
{
    const RelayLimits limits = {.bytes = LIMIT};
    g_autoptr(Chain) chain = chain_new_limited(FALSE, &limits);
    GThread *app = flood_start(chain->app), *target = flood_start(chain->target);
    guint64 got;
    ssize_t n;

    /* Whoever writes may have been told of the reset, and then the reader is not told again. */
    got = read_to_end(chain->target, &n);
    got += read_to_end(chain->app, &n);
    g_assert_cmpuint(got, <=, LIMIT);
    expect_everywhere(chain, REASON_BYTE_LIMIT);
    g_assert_cmpuint(carried(chain, 2), ==, LIMIT);
    g_thread_join(app);
    g_thread_join(target);
}

/* The last byte that is allowed is not one too many. */
static void
test_bytes_just_enough(void)
{
    const RelayLimits limits = {.bytes = 11};
    g_autoptr(Chain) chain = chain_new_limited(FALSE, &limits);
    char got[16];

    chain_write_all(chain->app, "upload", 6);
    shutdown(chain->app, SHUT_WR);
    g_assert_cmpint(recv(chain->target, got, sizeof got, MSG_WAITALL), ==, 6);
    chain_write_all(chain->target, "reply", 5);
    shutdown(chain->target, SHUT_WR);
    g_assert_cmpint(recv(chain->app, got, sizeof got, MSG_WAITALL), ==, 5);
    expect_everywhere(chain, REASON_COMPLETED);
}

static void
test_duration(void)
{
    const RelayLimits limits = {.duration = 300 * MS, .idle = G_TIME_SPAN_HOUR};
    gint64 before = g_get_monotonic_time();
    g_autoptr(Chain) chain = chain_new_limited(TRUE, &limits);
    GThread *thread = flood_start(chain->app);

    (void)read_to_reset(chain->target);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 300 * MS);
    expect_everywhere(chain, REASON_TIME_LIMIT);
    g_thread_join(thread);
}

/* Bytes now and then, in either direction, keep it. */
static void
test_idle(void)
{
    const RelayLimits limits = {.idle = 1500 * MS};
    g_autoptr(Chain) chain = chain_new_limited(FALSE, &limits);
    gint64 last = 0;
    char got;

    for (guint i = 0; i < 6; i++) {
        int from = i % 2 ? chain->app : chain->target, to = i % 2 ? chain->target : chain->app;

        g_usleep(250 * MS);
        last = g_get_monotonic_time();
        chain_write_all(from, "x", 1);
        g_assert_cmpint(recv(to, &got, 1, 0), ==, 1);
    }
    g_assert_cmpuint(read_to_reset(chain->app), ==, 0);
    g_assert_cmpint(g_get_monotonic_time() - last, >=, 1500 * MS);
    expect_everywhere(chain, REASON_IDLE);
}

/* The target takes nothing any more. */
static void
test_stalled_target(void)
{
    const RelayLimits limits = {.stall = 500 * MS};
    g_autoptr(Chain) chain = chain_new_limited(TRUE, &limits);
    GThread *thread = flood_start(chain->app);

    expect_everywhere(chain, REASON_STALLED);
    g_thread_join(thread);
}

/* The initiator takes nothing any more: the frame that waits for it cannot be ended, so that nobody
 * behind it can be told more than that it was cut; unless the hub hears it on another way. */
static void
check_stalled_initiator(gboolean heard)
{
    const RelayLimits limits = {.stall = 500 * MS};
    g_autoptr(Chain) chain = chain_new_limited(FALSE, &limits);
    GThread *thread = flood_start(chain->target);

    g_assert_cmpint(chain_wait(chain, 2), ==, REASON_STALLED);
    g_assert_true(relay_is_unsaid(chain->hops[2].relay));
    if (heard) /* the second is ignored */
        for (guint i = 0; i < 2; i++)
            relay_ended_by(chain->hops[1].relay, 1, i == 0 ? REASON_STALLED : REASON_REVOKED);
    (void)read_to_reset(chain->app);
    if (heard)
        expect_everywhere(chain, REASON_STALLED);
    else
        g_assert_cmpint(chain_wait(chain, 1), ==, REASON_CUT);
    g_thread_join(thread);
}

static void
test_stalled_initiator(void)
{
    check_stalled_initiator(FALSE);
}

static void
test_stalled_initiator_heard(void)
{
    check_stalled_initiator(TRUE);
}

/* One that reads slowly, but reads, is not stalled; nor is one for which nothing waits. */
static void
test_slow_is_not_stalled(void)
{
    const RelayLimits limits = {.stall = 1000 * MS, .bytes = 64 * 1024 * 1024};
    g_autoptr(Chain) chain = chain_new_limited(FALSE, &limits);
    g_autofree char *block = g_malloc(1024 * 1024);
    GThread *thread;

    g_usleep(1100 * MS);
    thread = flood_start(chain->app);
    for (guint i = 0; i < 12; i++) {
        g_usleep(100 * MS);
        g_assert_cmpint(recv(chain->target, block, 1024 * 1024, MSG_WAITALL), ==, 1024 * 1024);
    }
    (void)read_to_reset(chain->target);
    expect_everywhere(chain, REASON_BYTE_LIMIT);
    g_thread_join(thread);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay-limit/bytes-in", test_bytes_in);
    g_test_add_func("/relay-limit/bytes-out", test_bytes_out);
    g_test_add_func("/relay-limit/bytes-in-tls", test_bytes_in_tls);
    g_test_add_func("/relay-limit/bytes-both-ways", test_bytes_both_ways);
    g_test_add_func("/relay-limit/bytes-just-enough", test_bytes_just_enough);
    g_test_add_func("/relay-limit/duration", test_duration);
    g_test_add_func("/relay-limit/idle", test_idle);
    g_test_add_func("/relay-limit/stalled-target", test_stalled_target);
    g_test_add_func("/relay-limit/stalled-initiator", test_stalled_initiator);
    g_test_add_func("/relay-limit/stalled-initiator-heard", test_stalled_initiator_heard);
    g_test_add_func("/relay-limit/slow-is-not-stalled", test_slow_is_not_stalled);
    return g_test_run();
}
