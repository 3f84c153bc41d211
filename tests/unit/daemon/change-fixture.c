/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/change-fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

atomic_bool change_held, change_fails;
atomic_uint change_writes;

int
fsync(int fd)
{
    char path[64], name[512] = "";

    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, name, sizeof name - 1) > 0 && strstr(name, "/state.new."))
        atomic_fetch_add(&change_writes, 1);
    while (atomic_load(&change_held))
        g_usleep(1000);
    if (!atomic_load(&change_fails))
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

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
on_tunnel_changed(Tunnel *tunnel, void *data)
{
    g_string_append_printf(data, "~%s ", tunnel_stream(tunnel));
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
    .tunnel_changed = on_tunnel_changed,
    .policy_changed = on_policy_changed,
};

void
change_write_file(const ChangeFixture *fixture, const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", -1);
    g_autofree char *full = g_strjoinv(fixture->dir, parts);
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

    (void)g_unlink(path); /* without syncs */
    g_assert_true(g_file_set_contents_full(path, full, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

void
change_start(ChangeFixture *fixture)
{
    const AppOptions options = {
        .config_file = fixture->file, .state_dir = fixture->dir, .threads = 1};
    g_autoptr(GError) error = NULL;

    fixture->app = app_new(&options, &error);
    g_assert_no_error(error);
    app_set_observer(fixture->app, &observer, fixture->heard);
    app_start(fixture->app);
}

void
change_set_up(ChangeFixture *fixture, gconstpointer data)
{
    atomic_store(&change_held, FALSE);
    atomic_store(&change_fails, FALSE);
    fixture->dir = g_dir_make_tmp("streamd-change-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->dir, "streamd.conf", NULL);
    fixture->heard = g_string_new(NULL);
    change_write_file(fixture, "service", SERVICE);
    change_write_file(fixture, "streamd.conf", HUBS);
    change_start(fixture);
}

void
change_tear_down(ChangeFixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    atomic_store(&change_held, FALSE);
    app_free(fixture->app);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->file);
    g_string_free(fixture->heard, TRUE);
}

void
change_assert_heard(ChangeFixture *fixture, const char *text)
{
    g_assert_cmpstr(fixture->heard->str, ==, text);
    g_string_truncate(fixture->heard, 0);
}

AppChange *
change_add_target(ChangeFixture *fixture, const char *name, Awaited *done)
{
    const TargetSettings settings = {.name = name, .address = "tcp:127.0.0.1:1"};

    return app_add_target(fixture->app, &settings, AWAIT(done));
}

AppChange *
change_add_hub(ChangeFixture *fixture, const char *name, Awaited *done)
{
    const HubSettings settings = {.name = name, .connection_string = SERVICE};

    return app_add_hub(fixture->app, &settings, AWAIT(done));
}

AppChange *
change_add_rule(ChangeFixture *fixture, Awaited *done)
{
    return app_add_rule(fixture->app, &(AcceptRule){.kind = ACCEPT_TARGET}, 0, AWAIT(done));
}

AppChange *
change_keep_tunnel(ChangeFixture *fixture, const char *hub, const char *stream, Awaited *done)
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

    while (atomic_load(&change_writes) < count) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
    }
}

void
change_hold(ChangeFixture *fixture, Awaited *done)
{
    guint before = atomic_load(&change_writes);

    atomic_store(&change_held, TRUE);
    g_assert_nonnull(change_add_target(fixture, "held", done));
    wait_written(before + 1);
}

char *
change_shown(ChangeFixture *fixture)
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
