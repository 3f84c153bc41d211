/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change is saved, and only then in force: on a disk that takes its time, and on one that fails.
 */
#include "common/base/error.h"
#include "daemon/app.h"
#include "tests/unit/daemon/await.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=Y2FuYXJ5"
#define HUBS "[hub a]\nConnectionStringFile=@/service\n"
#define MARGIN (2 * G_TIME_SPAN_SECOND) /* what a busy machine takes */

/* The disk: each sync waits while it is held, and fails while it fails. */
static atomic_bool held, fails;
static atomic_uint writes; /* that have begun, of a file */

int
fsync(int fd)
{
    char path[64], name[512] = "";

    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, name, sizeof name - 1) > 0 && strstr(name, "/state.new."))
        atomic_fetch_add(&writes, 1);
    while (atomic_load(&held))
        g_usleep(1000);
    if (!atomic_load(&fails))
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

typedef struct {
    char *dir, *file;
    App *app;
    GString *heard;
} Fixture;

static void
on_hub_added(Hub *hub, void *data)
{
    g_string_append_printf(data, "+%s ", hub_name(hub));
}

static void
on_hub_removed(Hub *hub, void *data)
{
    g_string_append_printf(data, "-%s ", hub_name(hub));
}

static void
on_target_added(Target *target, void *data)
{
    g_string_append_printf(data, "+%s ", target_name(target));
}

static void
on_target_removed(Target *target, void *data)
{
    g_string_append_printf(data, "-%s ", target_name(target));
}

static void
on_tunnel_added(Tunnel *tunnel, void *data)
{
    g_string_append_printf(data, "+%s ", tunnel_stream(tunnel));
}

static void
on_tunnel_removed(Tunnel *tunnel, void *data)
{
    g_string_append_printf(data, "-%s ", tunnel_stream(tunnel));
}

static void
on_policy_changed(AcceptPolicy *policy, void *data)
{
    const char *text;
    gboolean accept = accept_policy_default(policy, &text);

    for (guint i = 0; i < accept_policy_size(policy); i++)
        g_string_append_printf(data, "%u", accept_policy_get(policy, i)->id);
    g_string_append_printf(data, accept ? "yes " : "no:%s ", text);
}

static const Observer observer = {
    .hub_added = on_hub_added,
    .hub_removed = on_hub_removed,
    .target_added = on_target_added,
    .target_removed = on_target_removed,
    .tunnel_added = on_tunnel_added,
    .tunnel_removed = on_tunnel_removed,
    .policy_changed = on_policy_changed,
};

static void
write_file(const Fixture *fixture, const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", -1);
    g_autofree char *full = g_strjoinv(fixture->dir, parts);
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

    (void)g_unlink(path); /* without syncs */
    g_assert_true(g_file_set_contents_full(path, full, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void
start(Fixture *fixture)
{
    const AppOptions options = {
        .config_file = fixture->file, .state_dir = fixture->dir, .threads = 1};
    g_autoptr(GError) error = NULL;

    fixture->app = app_new(&options, &error);
    g_assert_no_error(error);
    app_set_observer(fixture->app, &observer, fixture->heard);
    app_start(fixture->app);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    atomic_store(&held, FALSE);
    atomic_store(&fails, FALSE);
    fixture->dir = g_dir_make_tmp("streamd-change-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->dir, "streamd.conf", NULL);
    fixture->heard = g_string_new(NULL);
    write_file(fixture, "service", SERVICE);
    write_file(fixture, "streamd.conf", HUBS);
    start(fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    atomic_store(&held, FALSE);
    app_free(fixture->app);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->file);
    g_string_free(fixture->heard, TRUE);
}

static void
assert_heard(Fixture *fixture, const char *text)
{
    g_assert_cmpstr(fixture->heard->str, ==, text);
    g_string_truncate(fixture->heard, 0);
}

static AppChange *
add_target(Fixture *fixture, const char *name, Awaited *done)
{
    const TargetSettings settings = {.name = name, .address = "tcp:127.0.0.1:1"};

    return app_add_target(fixture->app, &settings, AWAIT(done));
}

static AppChange *
add_hub(Fixture *fixture, const char *name, Awaited *done)
{
    const HubSettings settings = {.name = name, .connection_string = SERVICE};

    return app_add_hub(fixture->app, &settings, AWAIT(done));
}

static AppChange *
add_rule(Fixture *fixture, Awaited *done)
{
    return app_add_rule(fixture->app, &(AcceptRule){.kind = ACCEPT_TARGET}, 0, AWAIT(done));
}

static AppChange *
keep_tunnel(Fixture *fixture, const char *hub, const char *stream, Awaited *done)
{
    const TunnelOptions options = {
        .hub = hub, .device = "d", .stream = stream, .persistent = TRUE, .owner_uid = getuid()};

    return app_keep_tunnel(fixture->app, &options, AWAIT(done));
}

/* Until the thread is about to sync the state, or a key before it. */
static void
wait_written(guint count)
{
    gint64 until = g_get_monotonic_time() + AWAIT_PATIENCE;

    while (atomic_load(&writes) < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
    }
}

/* One change is being saved until RELEASE. */
static void
hold(Fixture *fixture, Awaited *done)
{
    guint before = atomic_load(&writes);

    atomic_store(&held, TRUE);
    g_assert_nonnull(add_target(fixture, "held", done));
    wait_written(before + 1);
}

/* Reads show what is in force, the main loop turns, and nobody is told before it is saved. */
static void
test_saved_first(Fixture *fixture, gconstpointer data)
{
    g_autofree char *state = g_build_filename(fixture->dir, "state", NULL);
    Awaited done = {0};

    assert_heard(fixture, "");
    hold(fixture, &done);
    for (guint i = 0; i < 100; i++)
        (void)g_main_context_iteration(NULL, FALSE);
    g_assert_false(done.ended);
    g_assert_null(app_find_target(fixture->app, "held"));
    assert_heard(fixture, "");
    atomic_store(&held, FALSE);
    await_end(&done);
    g_assert_no_error(done.error);
    g_assert_true(app_find_target(fixture->app, "held") == done.object);
    assert_heard(fixture, "+held ");
    g_assert_true(g_file_test(state, G_FILE_TEST_EXISTS));
}

/* All that is changed here, each once. */
typedef AppChange *(*Action)(Fixture *fixture, Awaited *done);

static AppChange *
do_add_hub(Fixture *fixture, Awaited *done)
{
    return add_hub(fixture, "new", done);
}

static AppChange *
do_remove_hub(Fixture *fixture, Awaited *done)
{
    return app_remove_hub(fixture->app, "b", AWAIT(done));
}

static AppChange *
do_add_target(Fixture *fixture, Awaited *done)
{
    return add_target(fixture, "new", done);
}

static AppChange *
do_remove_target(Fixture *fixture, Awaited *done)
{
    return app_remove_target(fixture->app, "t", AWAIT(done));
}

static AppChange *
do_remove_rule(Fixture *fixture, Awaited *done)
{
    return app_remove_rule(fixture->app, 1000, AWAIT(done));
}

static AppChange *
do_move_rule(Fixture *fixture, Awaited *done)
{
    return app_move_rule(fixture->app, 1000, 0, AWAIT(done));
}

static AppChange *
do_set_default(Fixture *fixture, Awaited *done)
{
    return app_set_default(fixture->app, TRUE, NULL, AWAIT(done));
}

static AppChange *
do_keep_tunnel(Fixture *fixture, Awaited *done)
{
    return keep_tunnel(fixture, "a", "new", done);
}

static AppChange *
do_drop_tunnel(Fixture *fixture, Awaited *done)
{
    g_autoptr(GPtrArray) tunnels = app_list_tunnels(fixture->app);

    return app_drop_tunnel(fixture->app, tunnel_id(tunnels->pdata[0]), AWAIT(done));
}

/* The hub of a tunnel that is kept goes with it. */
static AppChange *
do_reload(Fixture *fixture, Awaited *done)
{
    write_file(fixture, "streamd.conf", "# nothing\n");
    return app_reload(fixture->app, AWAIT(done));
}

static const struct {
    const char *name;
    Action action;
    const char *heard; /* when it succeeds */
} actions[] = {
    {"AddHub", do_add_hub, "+new "},
    {"Hub.Remove", do_remove_hub, "-other -b "},
    {"ExposeTarget", do_add_target, "+new "},
    {"Target.Remove", do_remove_target, "-t "},
    {"Policy.Add", add_rule, "100210011000no:never "},
    {"Policy.Remove", do_remove_rule, "1001no:never "},
    {"Policy.Move", do_move_rule, "10001001no:never "},
    {"Policy.SetDefault", do_set_default, "10011000yes "},
    {"OpenTunnel", do_keep_tunnel, "+new "},
    {"Tunnel.Close", do_drop_tunnel, "-kept "},
    {"Reload", do_reload, "-kept -a 10011000no:never "},
};

static void
fill(Fixture *fixture)
{
    Awaited done[7] = {0};

    (void)await_well(add_hub(fixture, "b", &done[0]), &done[0]);
    (void)await_well(add_target(fixture, "t", &done[1]), &done[1]);
    (void)await_well(add_rule(fixture, &done[2]), &done[2]);
    g_assert_cmpuint(((const AcceptRule *)done[2].object)->id, ==, 1000);
    (void)await_well(add_rule(fixture, &done[3]), &done[3]);
    (void)await_well(app_set_default(fixture->app, FALSE, "never", AWAIT(&done[4])), &done[4]);
    (void)await_well(keep_tunnel(fixture, "a", "kept", &done[5]), &done[5]);
    (void)await_well(keep_tunnel(fixture, "b", "other", &done[6]), &done[6]);
    g_string_truncate(fixture->heard, 0);
}

static char *
state_text(const Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "state", NULL);
    char *text = NULL;

    (void)g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

/* What is in force, in words. */
static char *
shown(Fixture *fixture)
{
    g_autoptr(GPtrArray) hubs = app_list_hubs(fixture->app);
    g_autoptr(GPtrArray) targets = app_list_targets(fixture->app);
    g_autoptr(GPtrArray) tunnels = app_list_tunnels(fixture->app);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < hubs->len; i++)
        on_hub_added(hubs->pdata[i], text);
    for (guint i = 0; i < targets->len; i++)
        on_target_added(targets->pdata[i], text);
    for (guint i = 0; i < tunnels->len; i++)
        on_tunnel_added(tunnels->pdata[i], text);
    on_policy_changed(app_policy(fixture->app), text);
    return g_string_free(text, FALSE);
}

/* A disk that fails: an error, nobody was told of anything, and nothing is in force, now and after
 * a restart. Then it works again: all of it is. */
static void
test_each(Fixture *fixture, gconstpointer data)
{
    const guint which = GPOINTER_TO_UINT(data);
    g_autofree char *before = NULL, *text_before = NULL, *after = NULL, *text = NULL, *why = NULL;
    g_autofree char *again = NULL;
    Awaited done = {0}, well = {0};

    fill(fixture);
    before = shown(fixture);
    text_before = state_text(fixture);
    atomic_store(&fails, TRUE);
    why = await_fails(actions[which].action(fixture, &done), &done, STREAMD_ERROR_FAILED);
    atomic_store(&fails, FALSE);
    if (!g_str_has_prefix(why, "cannot save this change: ") || !strstr(why, g_strerror(EIO)))
        g_error("%s: %s", actions[which].name, why);
    assert_heard(fixture, "");
    after = shown(fixture);
    text = state_text(fixture);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpstr(text, ==, text_before);
    write_file(fixture, "streamd.conf", HUBS);
    g_clear_pointer(&fixture->app, app_free);
    start(fixture);
    again = shown(fixture);
    g_assert_cmpstr(again, ==, before);
    g_string_truncate(fixture->heard, 0);
    (void)await_well(actions[which].action(fixture, &well), &well);
    assert_heard(fixture, actions[which].heard);
    g_clear_pointer(&before, g_free);
    g_clear_pointer(&after, g_free);
    before = shown(fixture);
    g_clear_pointer(&fixture->app, app_free);
    start(fixture);
    after = shown(fixture);
    g_assert_cmpstr(after, ==, before);
}

/* What is saved comes back. */
static void
test_kept(Fixture *fixture, gconstpointer data)
{
    g_autofree char *before = NULL, *after = NULL;

    fill(fixture);
    before = shown(fixture);
    g_clear_pointer(&fixture->app, app_free);
    start(fixture);
    after = shown(fixture);
    g_assert_cmpstr(after, ==, before);
}

/* While one is being saved: others are checked against what will be, and go together. */
static void
test_together(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, twice = {0}, removed = {0}, gone = {0}, next[3] = {0};
    g_autofree char *exists = NULL, *missing = NULL;
    guint before;

    hold(fixture, &first);
    before = atomic_load(&writes);
    exists = await_fails(add_target(fixture, "held", &twice), &twice, STREAMD_ERROR_EXISTS);
    g_assert_nonnull(app_remove_target(fixture->app, "held", AWAIT(&removed)));
    missing = await_fails(app_remove_target(fixture->app, "held", AWAIT(&gone)), &gone,
                          STREAMD_ERROR_NOT_FOUND);
    g_assert_nonnull(add_target(fixture, "held", &next[0]));
    g_assert_nonnull(add_hub(fixture, "h", &next[1]));
    g_assert_nonnull(keep_tunnel(fixture, "h", "s", &next[2]));
    atomic_store(&held, FALSE);
    await_end(&next[2]);
    for (guint i = 0; i < G_N_ELEMENTS(next); i++) {
        g_assert_true(next[i].ended);
        g_assert_no_error(next[i].error);
    }
    g_assert_true(first.ended && removed.ended);
    assert_heard(fixture, "+held -held +held +h +s ");
    g_assert_cmpuint(atomic_load(&writes), ==, before + 1);
}

/* The write fails: what it carried is refused, and what waited is checked again. */
static void
test_checked_again(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, on_it = {0}, other = {0};
    g_autofree char *gone = NULL, *refused = NULL;

    hold(fixture, &first);
    g_assert_nonnull(app_remove_target(fixture->app, "held", AWAIT(&on_it)));
    g_assert_nonnull(add_target(fixture, "other", &other));
    atomic_store(&fails, TRUE);
    atomic_store(&held, FALSE);
    await_end(&first);
    atomic_store(&fails, FALSE);
    refused = await_fails(NULL, &first, STREAMD_ERROR_FAILED);
    await_end(&on_it);
    gone = await_fails(NULL, &on_it, STREAMD_ERROR_NOT_FOUND);
    (void)await_end(&other);
}

/* At the bound, and one past it. */
static void
test_busy(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, waiting[APP_WAITING_MAX] = {0}, more = {0}, reload = {0};
    g_autofree char *busy = NULL, *reload_busy = NULL;

    hold(fixture, &first);
    for (guint i = 0; i < APP_WAITING_MAX; i++)
        g_assert_nonnull(app_set_default(fixture->app, i % 2 == 0, NULL, AWAIT(&waiting[i])));
    busy = await_fails(add_target(fixture, "more", &more), &more, STREAMD_ERROR_BUSY);
    g_assert_cmpstr(busy, ==, "100 changes wait to be saved already, which is the limit");
    reload_busy =
        await_fails(app_reload(fixture->app, AWAIT(&reload)), &reload, STREAMD_ERROR_BUSY);
    atomic_store(&held, FALSE);
    for (guint i = 0; i < APP_WAITING_MAX; i++) {
        await_end(&waiting[i]);
        g_assert_no_error(waiting[i].error);
    }
}

/* A reload waits for what is being saved, and what comes after it for the reload. */
static void
test_reload_queues(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, before = {0}, rule = {0}, reload = {0}, after = {0}, taken = {0};
    g_autofree char *exists = NULL;

    hold(fixture, &first);
    g_assert_nonnull(add_target(fixture, "before", &before));
    g_assert_nonnull(add_rule(fixture, &rule));
    write_file(fixture, "streamd.conf", HUBS "[target conf]\nAddress=tcp:127.0.0.1:2\n");
    g_assert_nonnull(app_reload(fixture->app, AWAIT(&reload)));
    g_assert_nonnull(add_target(fixture, "after", &after));
    g_assert_nonnull(add_target(fixture, "conf", &taken));
    g_assert_null(app_find_target(fixture->app, "conf"));
    g_string_truncate(fixture->heard, 0);
    atomic_store(&held, FALSE);
    await_end(&after);
    g_assert_true(first.ended && before.ended && reload.ended);
    g_assert_no_error(reload.error);
    g_assert_no_error(after.error);
    assert_heard(fixture, "+held +before 1000no: +conf 1000no: +after ");
    await_end(&taken);
    exists = await_fails(NULL, &taken, STREAMD_ERROR_EXISTS);
}

/* Nobody waits for it: it goes on. */
static void
test_forgotten(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, last = {0};
    AppChange *change;

    hold(fixture, &first);
    change = add_target(fixture, "forgotten", &last);
    app_forget_change(change);
    atomic_store(&held, FALSE);
    while (!app_find_target(fixture->app, "forgotten"))
        (void)g_main_context_iteration(NULL, FALSE);
    g_assert_false(last.ended);
}

static void *
release_later(void *data)
{
    g_usleep(300000);
    atomic_store(&held, FALSE);
    return NULL;
}

/* A stop waits for what is being saved, and for no more. */
static void
test_stop(Fixture *fixture, gconstpointer data)
{
    Awaited first = {0}, second = {0}, late = {0};
    g_autofree char *cancelled = NULL, *refused = NULL;
    pthread_t thread;

    hold(fixture, &first);
    g_assert_nonnull(add_target(fixture, "second", &second));
    g_assert_cmpint(pthread_create(&thread, NULL, release_later, NULL), ==, 0);
    app_finish_changes(fixture->app);
    (void)pthread_join(thread, NULL);
    g_assert_true(first.ended);
    g_assert_no_error(first.error);
    assert_heard(fixture, "+held ");
    g_assert_true(second.ended);
    cancelled = await_fails(NULL, &second, STREAMD_ERROR_CANCELLED);
    refused = await_fails(add_target(fixture, "late", &late), &late, STREAMD_ERROR_BUSY);
}

static void
test_stop_late(Fixture *fixture, gconstpointer data)
{
    gint64 begin;
    Awaited first = {0};
    g_autofree char *late = NULL;

    hold(fixture, &first);
    begin = g_get_monotonic_time();
    app_finish_changes(fixture->app);
    g_assert_true(first.ended);
    late = await_fails(NULL, &first, STREAMD_ERROR_TIMED_OUT);
    assert_heard(fixture, "");
    g_clear_pointer(&fixture->app, app_free);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, APP_STOP_WAIT);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, APP_STOP_WAIT + MARGIN);
    atomic_store(&held, FALSE);
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
test_tunnel_waits(Fixture *fixture, gconstpointer data)
{
    g_autofree char *listen = NULL;
    g_autoptr(GPtrArray) streams = NULL;
    Awaited first = {0}, kept = {0};
    guint16 port = free_port();
    int fd;

    hold(fixture, &first);
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
    assert_heard(fixture, "");
    atomic_store(&held, FALSE);
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

#define ADD(name, function) g_test_add("/change/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("saved-first", test_saved_first);
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autofree char *path = g_strconcat("/change/fails/", actions[i].name, NULL);

        g_test_add(path, Fixture, GUINT_TO_POINTER(i), set_up, test_each, tear_down);
    }
    ADD("kept", test_kept);
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
