/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of all that is in force is kept, when; and the limits, with what waits to be saved. */
#include "common/base/error.h"
#include "tests/unit/daemon/change-fixture.h"

#include <string.h>
#include <unistd.h>

static void
restart(ChangeFixture *fixture)
{
    g_clear_pointer(&fixture->app, app_free);
    change_start(fixture);
}

static void
save_something(ChangeFixture *fixture)
{
    Awaited done = {0};
    static guint count;
    g_autofree char *name = g_strdup_printf("something%u", count++);

    (void)await_well(change_add_target(fixture, name, &done), &done);
}

/* Neither what the configuration has nor what ends with its caller; a default that accepts. */
static void
test_what(ChangeFixture *fixture, gconstpointer data)
{
    const TunnelOptions foreground = {
        .hub = "a", .device = "d", .stream = "foreground", .owner_uid = getuid()};
    g_autofree char *before = NULL, *after = NULL;
    Awaited kept = {0}, set = {0}, reload = {0};

    change_write_file(fixture, "streamd.conf",
                      HUBS "[target conf]\nAddress=tcp:127.0.0.1:2\n"
                           "[rule 1]\nStream=x\nVerdict=reject\n");
    (void)await_well(app_reload(fixture->app, AWAIT(&reload)), &reload);
    (void)await_well(change_keep_tunnel(fixture, "a", "kept", &kept), &kept);
    (void)await_well(app_set_default(fixture->app, TRUE, NULL, AWAIT(&set)), &set);
    save_something(fixture);
    before = change_shown(fixture);
    g_assert_nonnull(app_open_tunnel(fixture->app, &foreground, NULL));
    save_something(fixture);
    restart(fixture);
    after = change_shown(fixture);
    g_assert_nonnull(strstr(after, "+kept 1yes"));
    g_assert_null(strstr(after, "foreground"));
    g_assert_true(g_str_has_prefix(after, "+a +conf +something"));
}

/* Tunnels that are kept are there before they listen: when something is saved before the start, and
 * when it is being saved meanwhile. */
static void
test_before_the_start(ChangeFixture *fixture, gconstpointer data)
{
    const AppOptions options = {
        .config_file = fixture->file, .state_dir = fixture->dir, .threads = 1};
    g_autofree char *first = NULL, *second = NULL;
    Awaited kept = {0}, done = {0}, late = {0};

    (void)await_well(change_keep_tunnel(fixture, "a", "kept", &kept), &kept);
    g_clear_pointer(&fixture->app, app_free);
    fixture->app = app_new(&options, NULL);
    save_something(fixture);
    restart(fixture);
    first = change_shown(fixture);
    g_assert_nonnull(strstr(first, "+kept "));
    g_clear_pointer(&fixture->app, app_free);
    fixture->app = app_new(&options, NULL);
    change_hold(fixture, &done);
    app_start(fixture->app);
    g_assert_nonnull(change_add_target(fixture, "late", &late));
    atomic_store(&change_held, FALSE);
    await_end(&late);
    g_assert_no_error(late.error);
    restart(fixture);
    second = change_shown(fixture);
    g_assert_nonnull(strstr(second, "+kept "));
}

/* Those that wait count. */
static void
test_tunnels_of_a_user(ChangeFixture *fixture, gconstpointer data)
{
    const TunnelOptions foreground = {
        .hub = "a", .device = "d", .stream = "s", .owner_uid = getuid()};
    Awaited reload = {0}, held = {0}, kept[3] = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    change_write_file(fixture, "streamd.conf", HUBS "[limits]\nListenersPerUser=2\n");
    (void)await_well(app_reload(fixture->app, AWAIT(&reload)), &reload);
    change_hold(fixture, &held);
    g_assert_nonnull(change_keep_tunnel(fixture, "a", "s", &kept[0]));
    g_assert_nonnull(change_keep_tunnel(fixture, "a", "s", &kept[1]));
    text =
        await_fails(change_keep_tunnel(fixture, "a", "s", &kept[2]), &kept[2], STREAMD_ERROR_LIMIT);
    g_assert_nonnull(strstr(text, "ListenersPerUser"));
    g_assert_null(app_open_tunnel(fixture->app, &foreground, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    atomic_store(&change_held, FALSE);
    await_end(&kept[1]);
    g_assert_no_error(kept[1].error);
}

/* Each to its bound, and one past it. */
static void
test_limits(ChangeFixture *fixture, gconstpointer data)
{
    g_autofree Awaited *done = g_new0(Awaited, APP_TARGETS_MAX + APP_HUBS_MAX + 2);
    Awaited *last_target = &done[APP_TARGETS_MAX], *hubs = last_target + 1;
    g_autofree char *targets_text = NULL, *hubs_text = NULL;

    for (guint i = 0; i < APP_TARGETS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("t%u", i);
        AppChange *change = change_add_target(fixture, name, &done[i]);

        if (i % 64 == 63 || i == APP_TARGETS_MAX - 1)
            (void)await_well(change, &done[i]);
    }
    targets_text = await_fails(change_add_target(fixture, "more", last_target), last_target,
                               STREAMD_ERROR_LIMIT);
    for (guint i = 1; i < APP_HUBS_MAX; i++) { /* one is in the configuration */
        g_autofree char *name = g_strdup_printf("h%u", i);
        AppChange *change = change_add_hub(fixture, name, &hubs[i]);

        if (i % 64 == 63 || i == APP_HUBS_MAX - 1)
            (void)await_well(change, &hubs[i]);
    }
    hubs_text =
        await_fails(change_add_hub(fixture, "more", &hubs[0]), &hubs[0], STREAMD_ERROR_LIMIT);
    restart(fixture);
}

#define ADD(name, function)                                                                        \
    g_test_add("/change-kept/" name, ChangeFixture, NULL, change_set_up, function, change_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("what", test_what);
    ADD("before-the-start", test_before_the_start);
    ADD("tunnels-of-a-user", test_tunnels_of_a_user);
    ADD("limits", test_limits);
    return g_test_run();
}
