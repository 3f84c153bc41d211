/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/bus-source.h"

#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 8

/* One turn of CONTEXT that does not wait; how many descriptors were ready, its own wake-up
 * included. */
static int
turn(GMainContext *context)
{
    GPollFD fds[FDS_MAX];
    int priority, timeout, ready;
    int count;

    g_assert_true(g_main_context_acquire(context));
    g_main_context_prepare(context, &priority);
    count = g_main_context_query(context, priority, &timeout, fds, FDS_MAX);
    g_assert_cmpint(count, <=, FDS_MAX);
    ready = g_poll(fds, (guint)count, 0);
    if (g_main_context_check(context, priority, fds, count))
        g_main_context_dispatch(context);
    g_main_context_release(context);
    return ready;
}

/* A connection on which nothing happens lets the main loop sleep. */
static void
test_an_idle_bus_sleeps(void)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) source = NULL;
    sd_bus *bus = NULL;
    int pair[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus, pair[0], pair[0]), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    source = bus_source_new(bus, NULL, NULL);
    g_source_attach(source, context);
    /* What there is to say to the peer is said in a few turns; the peer does not answer. */
    for (int i = 0; i < 10; i++)
        (void)turn(context);
    g_assert_cmpint(turn(context), ==, 0);
    g_source_destroy(source);
    sd_bus_unref(bus);
    close(pair[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus-source/idle", test_an_idle_bus_sleeps);
    return g_test_run();
}
