/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of all that is in force is kept, when; and the limits, with what waits to be saved. */
#include "common/base/error.h"
#include "tests/unit/daemon/change-fixture.h"

#include <glib/gstdio.h>
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

    while (g_main_context_iteration(NULL, FALSE))
        continue; /* no draft of the changes before is left */
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

static void
on_opened(Stream *stream, int fd, const GError *error, void *data)
{
    g_error("a stream was begun");
}

static void
assert_not_opened(ChangeFixture *fixture, const char *hub, int code, const char *text)
{
    const OpenOptions options = {.hub = hub, .device = "d", .stream = "s", .owner_uid = getuid()};
    const TunnelOptions tunnel = {.hub = hub, .device = "d", .stream = "s", .owner_uid = getuid()};
    g_autoptr(GError) stream_error = NULL, tunnel_error = NULL;

    g_assert_null(app_open_stream(fixture->app, &options, on_opened, NULL, &stream_error));
    g_assert_error(stream_error, STREAMD_ERROR, code);
    g_assert_nonnull(strstr(stream_error->message, text));
    g_assert_null(app_open_tunnel(fixture->app, &tunnel, &tunnel_error));
    g_assert_error(tunnel_error, STREAMD_ERROR, code);
}

/* A state of a newer version: nothing is changed and no stream is begun; the configuration can
 * still be read again. */
static void
test_newer(ChangeFixture *fixture, gconstpointer data)
{
    Awaited done[6] = {0}, reload = {0};
    const TunnelOptions tunnel = {.hub = "a", .device = "d", .stream = "s", .persistent = TRUE};
    AppChange *changes[5];
    App *app;

    g_clear_pointer(&fixture->app, app_free);
    change_write_file(fixture, "state", "streamd-store version=5 sha256=0\n");
    change_start(fixture);
    app = fixture->app;
    g_assert_nonnull(strstr(app_state_error(app), "it has version 5"));
    changes[0] = change_add_target(fixture, "t", &done[0]);
    changes[1] = change_add_hub(fixture, "h", &done[1]);
    changes[2] = change_add_rule(fixture, &done[2]);
    changes[3] = app_set_default(app, TRUE, NULL, AWAIT(&done[3]));
    changes[4] = app_keep_tunnel(app, &tunnel, AWAIT(&done[4]));
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *text = await_fails(changes[i], &done[i], STREAMD_ERROR_BUSY);

        g_assert_cmpstr(text, ==, app_state_error(app));
    }
    assert_not_opened(fixture, "a", STREAMD_ERROR_BUSY, "it has version 5");
    change_write_file(fixture, "streamd.conf", HUBS "[policy]\nDefault=accept\n");
    (void)await_well(app_reload(app, AWAIT(&reload)), &reload);
    g_assert_cmpint(
        accept_policy_test(app_policy(app), &(AcceptRequest){.stream = "s"}, NULL, NULL).kind, ==,
        ACCEPT_REJECT);
}

/* A hub whose key is missing says so, whatever it is told, and stays what it is. */
static void
test_key_missing(ChangeFixture *fixture, gconstpointer data)
{
    const HubSettings device = {
        .name = "dev",
        .connection_string = "HostName=localhost:9;DeviceId=gw;ModuleId=m;SharedAccessKey=MTEx"};
    Awaited added = {0}, service = {0};
    g_autofree char *first = g_build_filename(fixture->dir, "secrets.d", "dev.1", NULL);
    g_autofree char *second = g_build_filename(fixture->dir, "secrets.d", "h.2", NULL);

    (void)await_well(app_add_hub(fixture->app, &device, AWAIT(&added)), &added);
    (void)await_well(change_add_hub(fixture, "h", &service), &service);
    g_clear_pointer(&fixture->app, app_free);
    g_assert_cmpint(g_unlink(first), ==, 0);
    g_assert_cmpint(g_unlink(second), ==, 0);
    change_start(fixture);
    for (guint i = 0; i < 2; i++) { /* as it was loaded, and as it was saved then */
        Hub *dev = app_find_hub(fixture->app, "dev"), *hub = app_find_hub(fixture->app, "h");

        hub_connect(dev);
        hub_connect(hub);
        hub_disconnect(dev);
        g_assert_cmpint(hub_state(dev), ==, HUB_REFUSED);
        g_assert_cmpint(hub_state(hub), ==, HUB_REFUSED);
        g_assert_true(g_str_has_prefix(hub_last_error(dev), "its key is missing"));
        g_assert_cmpstr(hub_identity(dev), ==, "gw/m");
        g_assert_cmpstr(hub_host_name(dev), ==, "localhost");
        g_assert_cmpuint(hub_port(dev), ==, 9);
        g_assert_cmpint(hub_role(hub), ==, HUB_ROLE_SERVICE);
        g_assert_cmpstr(hub_identity(hub), ==, "service");
        assert_not_opened(fixture, "h", STREAMD_ERROR_UNAUTHORIZED, "its key is missing");
        save_something(fixture);
        restart(fixture);
    }
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
    ADD("newer", test_newer);
    ADD("key-missing", test_key_missing);
    return g_test_run();
}
