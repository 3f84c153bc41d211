/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change is saved, and only then in force: on a disk that takes its time, and on one that fails.
 */
#include "common/base/error.h"
#include "tests/unit/daemon/change-fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARGIN (2 * G_TIME_SPAN_SECOND) /* what a busy machine takes */

/* Reads show what is in force, the main loop turns, and nobody is told before it is saved. */
static void
test_saved_first(ChangeFixture *fixture, gconstpointer data)
{
    g_autofree char *state = g_build_filename(fixture->dir, "state", NULL);
    Awaited done = {0};

    change_assert_heard(fixture, "");
    change_hold(fixture, &done);
    for (guint i = 0; i < 100; i++)
        (void)g_main_context_iteration(NULL, FALSE);
    g_assert_false(done.ended);
    g_assert_null(app_find_target(fixture->app, "held"));
    change_assert_heard(fixture, "");
    atomic_store(&change_held, FALSE);
    await_end(&done);
    g_assert_no_error(done.error);
    g_assert_true(app_find_target(fixture->app, "held") == done.object);
    change_assert_heard(fixture, "+held ");
    g_assert_true(g_file_test(state, G_FILE_TEST_EXISTS));
}

/* While one is being saved: others are checked against what will be, and go together. */
static void
test_together(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, twice = {0}, removed = {0}, gone = {0}, next[3] = {0};
    g_autofree char *exists = NULL, *missing = NULL;
    guint before;

    change_hold(fixture, &first);
    before = atomic_load(&change_writes);
    exists = await_fails(change_add_target(fixture, "held", &twice), &twice, STREAMD_ERROR_EXISTS);
    g_assert_nonnull(app_remove_target(fixture->app, "held", AWAIT(&removed)));
    missing = await_fails(app_remove_target(fixture->app, "held", AWAIT(&gone)), &gone,
                          STREAMD_ERROR_NOT_FOUND);
    g_assert_nonnull(change_add_target(fixture, "held", &next[0]));
    g_assert_nonnull(change_add_hub(fixture, "h", &next[1]));
    g_assert_nonnull(change_keep_tunnel(fixture, "h", "s", &next[2]));
    atomic_store(&change_held, FALSE);
    await_end(&next[2]);
    for (guint i = 0; i < G_N_ELEMENTS(next); i++) {
        g_assert_true(next[i].ended);
        g_assert_no_error(next[i].error);
    }
    g_assert_true(first.ended && removed.ended);
    change_assert_heard(fixture, "+held -held +held +h +s ");
    g_assert_cmpuint(atomic_load(&change_writes), ==, before + 1);
}

/* The write fails: what it carried is refused, and what waited is checked again. */
static void
test_checked_again(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, on_it = {0}, other = {0};
    g_autofree char *gone = NULL, *refused = NULL;

    change_hold(fixture, &first);
    g_assert_nonnull(app_remove_target(fixture->app, "held", AWAIT(&on_it)));
    g_assert_nonnull(change_add_target(fixture, "other", &other));
    atomic_store(&change_fails, TRUE);
    atomic_store(&change_held, FALSE);
    await_end(&first);
    atomic_store(&change_fails, FALSE);
    refused = await_fails(NULL, &first, STREAMD_ERROR_FAILED);
    await_end(&on_it);
    gone = await_fails(NULL, &on_it, STREAMD_ERROR_NOT_FOUND);
    (void)await_end(&other);
}

/* At the bound, and one past it. */
static void
test_busy(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, waiting[APP_WAITING_MAX] = {0}, more = {0}, reload = {0};
    g_autofree char *busy = NULL, *reload_busy = NULL;

    change_hold(fixture, &first);
    for (guint i = 0; i < APP_WAITING_MAX; i++)
        g_assert_nonnull(app_set_default(fixture->app, i % 2 == 0, NULL, AWAIT(&waiting[i])));
    busy = await_fails(change_add_target(fixture, "more", &more), &more, STREAMD_ERROR_BUSY);
    g_assert_cmpstr(busy, ==, "100 changes wait to be saved already, which is the limit");
    reload_busy =
        await_fails(app_reload(fixture->app, AWAIT(&reload)), &reload, STREAMD_ERROR_BUSY);
    atomic_store(&change_held, FALSE);
    for (guint i = 0; i < APP_WAITING_MAX; i++) {
        await_end(&waiting[i]);
        g_assert_no_error(waiting[i].error);
    }
}

/* A reload waits for what is being saved, and what comes after it for the reload. */
static void
test_reload_queues(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, before = {0}, rule = {0}, reload = {0}, after = {0}, taken = {0};
    g_autofree char *exists = NULL;

    change_hold(fixture, &first);
    g_assert_nonnull(change_add_target(fixture, "before", &before));
    g_assert_nonnull(change_add_rule(fixture, &rule));
    change_write_file(fixture, "streamd.conf", HUBS "[target conf]\nAddress=tcp:127.0.0.1:2\n");
    g_assert_nonnull(app_reload(fixture->app, AWAIT(&reload)));
    g_assert_nonnull(change_add_target(fixture, "after", &after));
    g_assert_nonnull(change_add_target(fixture, "conf", &taken));
    g_assert_null(app_find_target(fixture->app, "conf"));
    g_string_truncate(fixture->heard, 0);
    atomic_store(&change_held, FALSE);
    await_end(&after);
    g_assert_true(first.ended && before.ended && reload.ended);
    g_assert_no_error(reload.error);
    g_assert_no_error(after.error);
    change_assert_heard(fixture, "+held +before 1000no: +conf 1000no: +after ");
    await_end(&taken);
    exists = await_fails(NULL, &taken, STREAMD_ERROR_EXISTS);
}

/* Nobody waits for it: it goes on. */
static void
test_forgotten(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, last = {0};
    AppChange *change;

    change_hold(fixture, &first);
    change = change_add_target(fixture, "forgotten", &last);
    app_forget_change(change);
    atomic_store(&change_held, FALSE);
    while (!app_find_target(fixture->app, "forgotten"))
        (void)g_main_context_iteration(NULL, FALSE);
    g_assert_false(last.ended);
}

static void *
release_later(void *data)
{
    g_usleep(300000);
    atomic_store(&change_held, FALSE);
    return NULL;
}

/* A stop waits for what is being saved, and for no more. */
static void
test_stop(ChangeFixture *fixture, gconstpointer data)
{
    Awaited first = {0}, second = {0}, late = {0};
    g_autofree char *cancelled = NULL, *refused = NULL;
    pthread_t thread;

    change_hold(fixture, &first);
    g_assert_nonnull(change_add_target(fixture, "second", &second));
    g_assert_cmpint(pthread_create(&thread, NULL, release_later, NULL), ==, 0);
    app_finish_changes(fixture->app);
    (void)pthread_join(thread, NULL);
    g_assert_true(first.ended);
    g_assert_no_error(first.error);
    change_assert_heard(fixture, "+held ");
    g_assert_true(second.ended);
    cancelled = await_fails(NULL, &second, STREAMD_ERROR_CANCELLED);
    refused = await_fails(change_add_target(fixture, "late", &late), &late, STREAMD_ERROR_BUSY);
}

static void
test_stop_late(ChangeFixture *fixture, gconstpointer data)
{
    gint64 begin;
    Awaited first = {0};
    g_autofree char *late = NULL;

    change_hold(fixture, &first);
    begin = g_get_monotonic_time();
    app_finish_changes(fixture->app);
    g_assert_true(first.ended);
    late = await_fails(NULL, &first, STREAMD_ERROR_TIMED_OUT);
    change_assert_heard(fixture, "");
    g_clear_pointer(&fixture->app, app_free);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, APP_STOP_WAIT);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, APP_STOP_WAIT + MARGIN);
    atomic_store(&change_held, FALSE);
    g_usleep(200000); /* the thread that was left alone */
}

static int
connect_to(guint16 port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (const struct sockaddr *)&address, sizeof address), ==, 0);
    return fd;
}

static guint16
free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static gboolean
was_reset(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

/* A tunnel that is not kept yet takes no connection, and its stream is not there. */
static void
test_tunnel_waits(ChangeFixture *fixture, gconstpointer data)
{
    g_autofree char *listen = NULL;
    g_autoptr(GPtrArray) streams = NULL;
    Awaited first = {0}, kept = {0};
    guint16 port = free_port();
    int fd;

    change_hold(fixture, &first);
    listen = g_strdup_printf("%u", port);
    g_assert_nonnull(app_keep_tunnel(fixture->app,
                                     &(TunnelOptions){.hub = "a",
                                                      .device = "d",
                                                      .stream = "s",
                                                      .listen = listen,
                                                      .persistent = TRUE,
                                                      .owner_uid = getuid()},
                                     AWAIT(&kept)));
    fd = connect_to(port);
    while (!was_reset(fd))
        (void)g_main_context_iteration(NULL, FALSE);
    (void)close(fd);
    streams = app_list_streams(fixture->app);
    g_assert_cmpuint(streams->len, ==, 0);
    change_assert_heard(fixture, "");
    atomic_store(&change_held, FALSE);
    await_end(&kept);
    g_assert_cmpuint(tunnel_streams(kept.object), ==, 0);
    g_clear_pointer(&streams, g_ptr_array_unref);
    fd = connect_to(port);
    do {
        (void)g_main_context_iteration(NULL, FALSE);
        g_clear_pointer(&streams, g_ptr_array_unref);
        streams = app_list_streams(fixture->app);
    } while (streams->len == 0);
    (void)close(fd);
}

#define ADD(name, function)                                                                        \
    g_test_add("/change/" name, ChangeFixture, NULL, change_set_up, function, change_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("saved-first", test_saved_first);
    ADD("together", test_together);
    ADD("checked-again", test_checked_again);
    ADD("busy", test_busy);
    ADD("reload-queues", test_reload_queues);
    ADD("forgotten", test_forgotten);
    ADD("stop", test_stop);
    ADD("stop-late", test_stop_late);
    ADD("tunnel-waits", test_tunnel_waits);
    return g_test_run();
}
