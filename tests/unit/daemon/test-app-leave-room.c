/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of an app is left to the next process, by how much the service manager keeps. */
#include "daemon/app-handover.h"
#include "daemon/app-private.h"
#include "daemon/handover/fd-store.h"
#include "daemon/stream/handover.h"
#include "tests/unit/daemon/change-fixture.h"
#include "tests/unit/daemon/handover/manager-fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUNNELS 2
#define STREAMS 2
#define ALL (1 + TUNNELS + STREAMS) /* with the state */

/* On a Unix socket, which is one descriptor. */
static void
keep_tunnel(ChangeFixture *fixture, guint number)
{
    g_autofree char *listen = g_strdup_printf("unix:%s/%u", fixture->dir, number);
    const TunnelOptions options = {.hub = "a",
                                   .device = "d",
                                   .stream = "s",
                                   .listen = listen,
                                   .persistent = TRUE,
                                   .owner_uid = getuid()};
    Awaited done = {0};

    g_assert_nonnull(await_well(app_keep_tunnel(fixture->app, &options, AWAIT(&done)), &done));
}

/* One that is suspended; returns its application's end. */
static int
add_stream(ChangeFixture *fixture, guint64 id)
{
    const StoredStream from = {
        .id = id,
        .role = STREAM_ROLE_DEVICE,
        .hub = (char[]){"a"},
        .device = (char[]){"d"},
        .name = (char[]){"s"},
        .hub_id = (char[]){"sid"},
        .caps = CAP_REASON | CAP_HALF_CLOSE | CAP_SID | CAP_RESUME,
        .time = STREAM_RESUME_TIME,
        .time_left = STREAM_RESUME_TIME,
        .saved = {.limit = RESUME_FIRST, .told_limit = RESUME_FIRST},
    };
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    g_assert_nonnull(stream_restore(fixture->app->streams, &from, fds[1], FALSE));
    return fds[0];
}

static void
on_left(void *data)
{
    *(gboolean *)data = TRUE;
}

/* The app has TUNNELS and STREAMS, and the manager keeps STORE descriptors. */
static void
check(ChangeFixture *fixture, guint store, guint tunnels, guint streams)
{
    g_autoptr(Manager) manager = manager_new(FD_STORE_MOST);
    guint kept_tunnels = 0, kept_streams = 0;
    int apps[STREAMS];
    gboolean left = FALSE;

    for (guint i = 0; i < TUNNELS; i++)
        keep_tunnel(fixture, i);
    for (guint i = 0; i < STREAMS; i++)
        apps[i] = add_stream(fixture, 100 + i);
    g_assert_true(app_may_leave(fixture->app));
    g_assert_true(app_leave(fixture->app, store, on_left, &left));
    while (!left)
        (void)g_main_context_iteration(NULL, TRUE);
    g_assert_true(fd_store_sync(NULL));
    for (guint i = 0; i < TUNNELS; i++) {
        g_autofree char *name = g_strdup_printf("l-%u", i + 1);

        kept_tunnels += manager_kept_as(manager, name);
    }
    for (guint i = 0; i < STREAMS; i++) {
        g_autofree char *name = g_strdup_printf("s-%u", i + 1);

        kept_streams += manager_kept_as(manager, name);
    }
    g_assert_cmpuint(manager_kept_as(manager, "state"), ==, 1);
    g_assert_cmpuint(kept_tunnels, ==, tunnels);
    g_assert_cmpuint(kept_streams, ==, streams);
    for (guint i = 0; i < STREAMS; i++)
        (void)close(apps[i]);
}

static void
test_all(ChangeFixture *fixture, gconstpointer data)
{
    check(fixture, G_MAXUINT, TUNNELS, STREAMS);
}

static void
test_just_enough(ChangeFixture *fixture, gconstpointer data)
{
    check(fixture, ALL, TUNNELS, STREAMS);
}

/* Tunnels come first. */
static void
test_one_too_few(ChangeFixture *fixture, gconstpointer data)
{
    check(fixture, ALL - 1, TUNNELS, STREAMS - 1);
}

static void
test_tunnels_alone(ChangeFixture *fixture, gconstpointer data)
{
    check(fixture, 1 + TUNNELS, TUNNELS, 0);
}

static void
test_not_all_tunnels(ChangeFixture *fixture, gconstpointer data)
{
    check(fixture, TUNNELS, TUNNELS - 1, 0);
}

/* Nothing, or the state alone, is as if there were nobody who keeps anything. */
static void
test_nothing(ChangeFixture *fixture, gconstpointer data)
{
    g_autoptr(Manager) manager = manager_new(FD_STORE_MOST);
    gboolean left = FALSE;

    keep_tunnel(fixture, 0);
    for (guint store = 0; store <= 1; store++)
        g_assert_false(app_leave(fixture->app, store, on_left, &left));
    g_assert_true(app_may_leave(fixture->app)); /* nothing was done */
    g_assert_false(left);
}

#define ADD(name, function)                                                                        \
    g_test_add("/app-leave-room/" name, ChangeFixture, NULL, change_set_up, function,              \
               change_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("all", test_all);
    ADD("just-enough", test_just_enough);
    ADD("one-too-few", test_one_too_few);
    ADD("tunnels-alone", test_tunnels_alone);
    ADD("not-all-tunnels", test_not_all_tunnels);
    ADD("nothing", test_nothing);
    return g_test_run();
}
