/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each change that is kept, on a disk that fails and on one that works: what is refused is in force
 * nowhere, and what is not comes back after a restart. */
#include "common/base/error.h"
#include "tests/unit/daemon/change-fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* All that is changed here, each once. */
typedef AppChange *(*Action)(ChangeFixture *fixture, Awaited *done);

static AppChange *
do_add_hub(ChangeFixture *fixture, Awaited *done)
{
    return change_add_hub(fixture, "new", done);
}

static AppChange *
do_remove_hub(ChangeFixture *fixture, Awaited *done)
{
    return app_remove_hub(fixture->app, "b", AWAIT(done));
}

static AppChange *
do_add_target(ChangeFixture *fixture, Awaited *done)
{
    return change_add_target(fixture, "new", done);
}

static AppChange *
do_remove_target(ChangeFixture *fixture, Awaited *done)
{
    return app_remove_target(fixture->app, "t", AWAIT(done));
}

static AppChange *
do_remove_rule(ChangeFixture *fixture, Awaited *done)
{
    return app_remove_rule(fixture->app, 1000, AWAIT(done));
}

static AppChange *
do_move_rule(ChangeFixture *fixture, Awaited *done)
{
    return app_move_rule(fixture->app, 1000, 0, AWAIT(done));
}

static AppChange *
do_set_default(ChangeFixture *fixture, Awaited *done)
{
    return app_set_default(fixture->app, TRUE, NULL, AWAIT(done));
}

static AppChange *
do_keep_tunnel(ChangeFixture *fixture, Awaited *done)
{
    return change_keep_tunnel(fixture, "a", "new", done);
}

static AppChange *
do_drop_tunnel(ChangeFixture *fixture, Awaited *done)
{
    g_autoptr(GPtrArray) tunnels = app_list_tunnels(fixture->app);

    return app_drop_tunnel(fixture->app, tunnel_id(tunnels->pdata[0]), AWAIT(done));
}

/* The hub of a tunnel that is kept goes with it. */
static AppChange *
do_reload(ChangeFixture *fixture, Awaited *done)
{
    change_write_file(fixture, "streamd.conf", "# nothing\n");
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
    {"Policy.Add", change_add_rule, "100210011000no:never "},
    {"Policy.Remove", do_remove_rule, "1001no:never "},
    {"Policy.Move", do_move_rule, "10001001no:never "},
    {"Policy.SetDefault", do_set_default, "10011000yes "},
    {"OpenTunnel", do_keep_tunnel, "+new "},
    {"Tunnel.Close", do_drop_tunnel, "-kept "},
    {"Reload", do_reload, "-kept -a 10011000no:never "},
};

static void
fill(ChangeFixture *fixture)
{
    Awaited done[7] = {0};

    (void)await_well(change_add_hub(fixture, "b", &done[0]), &done[0]);
    (void)await_well(change_add_target(fixture, "t", &done[1]), &done[1]);
    (void)await_well(change_add_rule(fixture, &done[2]), &done[2]);
    g_assert_cmpuint(((const AcceptRule *)done[2].object)->id, ==, 1000);
    (void)await_well(change_add_rule(fixture, &done[3]), &done[3]);
    (void)await_well(app_set_default(fixture->app, FALSE, "never", AWAIT(&done[4])), &done[4]);
    (void)await_well(change_keep_tunnel(fixture, "a", "kept", &done[5]), &done[5]);
    (void)await_well(change_keep_tunnel(fixture, "b", "other", &done[6]), &done[6]);
    g_string_truncate(fixture->heard, 0);
}

static char *
state_text(const ChangeFixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "state", NULL);
    char *text = NULL;

    (void)g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

/* A disk that fails: an error, nobody was told of anything, and nothing is in force, now and after
 * a restart. Then it works again: all of it is. */
static void
test_each(ChangeFixture *fixture, gconstpointer data)
{
    const guint which = GPOINTER_TO_UINT(data);
    g_autofree char *before = NULL, *text_before = NULL, *after = NULL, *text = NULL, *why = NULL;
    g_autofree char *again = NULL;
    Awaited done = {0}, well = {0};

    fill(fixture);
    before = change_shown(fixture);
    text_before = state_text(fixture);
    atomic_store(&change_fails, TRUE);
    why = await_fails(actions[which].action(fixture, &done), &done, STREAMD_ERROR_FAILED);
    atomic_store(&change_fails, FALSE);
    if (!g_str_has_prefix(why, "cannot save this change: ") || !strstr(why, g_strerror(EIO)))
        g_error("%s: %s", actions[which].name, why);
    change_assert_heard(fixture, "");
    after = change_shown(fixture);
    text = state_text(fixture);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpstr(text, ==, text_before);
    change_write_file(fixture, "streamd.conf", HUBS);
    g_clear_pointer(&fixture->app, app_free);
    change_start(fixture);
    again = change_shown(fixture);
    g_assert_cmpstr(again, ==, before);
    g_string_truncate(fixture->heard, 0);
    (void)await_well(actions[which].action(fixture, &well), &well);
    change_assert_heard(fixture, actions[which].heard);
    g_clear_pointer(&before, g_free);
    g_clear_pointer(&after, g_free);
    before = change_shown(fixture);
    g_clear_pointer(&fixture->app, app_free);
    change_start(fixture);
    after = change_shown(fixture);
    g_assert_cmpstr(after, ==, before);
}

/* What is saved comes back. */
static void
test_kept(ChangeFixture *fixture, gconstpointer data)
{
    g_autofree char *before = NULL, *after = NULL;

    fill(fixture);
    before = change_shown(fixture);
    g_clear_pointer(&fixture->app, app_free);
    change_start(fixture);
    after = change_shown(fixture);
    g_assert_cmpstr(after, ==, before);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autofree char *path = g_strconcat("/change-fails/", actions[i].name, NULL);

        g_test_add(path, ChangeFixture, GUINT_TO_POINTER(i), change_set_up, test_each,
                   change_tear_down);
    }
    g_test_add("/change-fails/kept", ChangeFixture, NULL, change_set_up, test_kept,
               change_tear_down);
    return g_test_run();
}
