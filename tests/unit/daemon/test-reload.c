/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reload takes all of the new configuration or nothing, and touches only what changed. */
#include "common/base/error.h"
#include "daemon/app.h"
#include "tests/unit/daemon/await.h"

#include <glib/gstdio.h>
#include <string.h>

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=Y2FuYXJ5"
#define DEVICE "HostName=localhost:9;DeviceId=gw1;SharedAccessKey=Y2FuYXJ5"
#define HUBS                                                                                       \
    "[hub a]\nConnectionStringFile=@/service\n[hub b]\nConnectionStringFile=@/device\n"            \
    "[target sshd]\nAddress=tcp:127.0.0.1:22\n[target web]\nAddress=tcp:127.0.0.1:80\n"            \
    "[rule 1]\nStream=ssh\nVerdict=accept\nTarget=sshd\n"

typedef struct {
    char *dir, *file;
    App *app;
    GString *heard;
} Fixture;

static void
write_file(const Fixture *fixture, const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", -1);
    g_autofree char *full = g_strjoinv(fixture->dir, parts);
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

    g_assert_true(
        g_file_set_contents_full(path, full, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
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
    g_string_append_printf(data, "+%s=%s ", target_name(target), target_address(target));
}

static void
on_target_removed(Target *target, void *data)
{
    g_string_append_printf(data, "-%s ", target_name(target));
}

static const Observer observer = {
    .hub_added = on_hub_added,
    .hub_removed = on_hub_removed,
    .target_added = on_target_added,
    .target_removed = on_target_removed,
};

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->dir = g_dir_make_tmp("streamd-reload-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->dir, "streamd.conf", NULL);
    fixture->heard = g_string_new(NULL);
    write_file(fixture, "service", SERVICE);
    write_file(fixture, "device", DEVICE);
    write_file(fixture, "streamd.conf", HUBS);
    fixture->app = app_new(
        &(AppOptions){.config_file = fixture->file, .state_dir = fixture->dir, .threads = 1},
        &error);
    g_assert_no_error(error);
    app_set_observer(fixture->app, &observer, fixture->heard);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    const char *argv[] = {"rm", "-r", fixture->dir, NULL};

    app_free(fixture->app);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->dir);
    g_free(fixture->file);
    g_string_free(fixture->heard, TRUE);
}

static void
reload(Fixture *fixture, const char *text)
{
    Awaited done = {0};

    write_file(fixture, "streamd.conf", text);
    g_string_truncate(fixture->heard, 0);
    (void)await_well(app_reload(fixture->app, AWAIT(&done)), &done);
}

static char *
reload_fails(Fixture *fixture, const char *text)
{
    Awaited done = {0};
    char *problems;

    write_file(fixture, "streamd.conf", text);
    g_string_truncate(fixture->heard, 0);
    problems = await_fails(app_reload(fixture->app, AWAIT(&done)), &done, STREAMD_ERROR_INVALID);
    g_assert_cmpstr(fixture->heard->str, ==, "");
    return problems;
}

static void
test_same(Fixture *fixture, gconstpointer data)
{
    const Hub *before = app_find_hub(fixture->app, "a");

    reload(fixture, "# only the lines moved\n" HUBS);
    g_assert_cmpstr(fixture->heard->str, ==, "");
    g_assert_true(app_find_hub(fixture->app, "a") == before);
    g_assert_true(g_str_has_suffix(hub_source(before), "/streamd.conf:2"));
}

static AcceptVerdict
judge(Fixture *fixture)
{
    const AcceptRequest request = {.hub = "b", .stream = "ssh"};

    return accept_policy_test(app_policy(fixture->app), &request, NULL, NULL);
}

static void
test_changes(Fixture *fixture, gconstpointer data)
{
    const Hub *before = app_find_hub(fixture->app, "b");
    AcceptVerdict verdict;

    reload(fixture, "[hub a]\nConnectionStringFile=@/device\n[hub b]\nConnectionStringFile=@/device"
                    "\n[target web]\nAddress=tcp:127.0.0.1:81\n[target new]\nAddress=unix:/run/x\n"
                    "[rule 2]\nVerdict=reject\nReason=closed\n[policy]\nDefault=accept\n");
    g_assert_cmpstr(fixture->heard->str, ==,
                    "-sshd -a +a -web +web=tcp:127.0.0.1:81 +new=unix:/run/x ");
    g_assert_true(app_find_hub(fixture->app, "b") == before);
    g_assert_cmpint(hub_role(app_find_hub(fixture->app, "a")), ==, HUB_ROLE_DEVICE);
    verdict = judge(fixture);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_REJECT);
    g_assert_cmpuint(verdict.rule, ==, 2);
    reload(fixture, "");
    g_assert_cmpstr(fixture->heard->str, ==, "-b -a -web -new ");
    verdict = judge(fixture);
    g_assert_cmpint(verdict.kind, ==, ACCEPT_REJECT); /* no default any more: reject */
}

/* A key that was renewed under the same name counts, and a CA file does. */
static void
test_renewed(Fixture *fixture, gconstpointer data)
{
    write_file(fixture, "service", SERVICE "Y2E=");
    reload(fixture, HUBS);
    g_assert_cmpstr(fixture->heard->str, ==, "-a +a ");
    reload(fixture, HUBS);
    g_assert_cmpstr(fixture->heard->str, ==, "");
}

/* One bad line anywhere, and nothing of the rest is taken. */
static void
test_bad(Fixture *fixture, gconstpointer data)
{
    const Hub *before = app_find_hub(fixture->app, "a");
    g_autofree char *text = reload_fails(
        fixture, "[hub c]\nConnectionStringFile=@/device\n[policy]\nDefault=accept\n[target x]\n");

    g_assert_nonnull(strstr(text, "/streamd.conf:5: [target x]: Address is missing"));
    g_assert_true(app_find_hub(fixture->app, "a") == before);
    g_assert_null(app_find_hub(fixture->app, "c"));
    g_assert_false(accept_policy_default(app_policy(fixture->app), NULL));
    g_assert_cmpint(judge(fixture).kind, ==, ACCEPT_TARGET);
}

/* What only shows when the objects are made is refused the same way. */
static void
test_bad_object(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = NULL;

    write_file(fixture, "ca", "no certificate\n");
    text = reload_fails(fixture, "[hub a]\nConnectionStringFile=@/device\n[hub c]\n"
                                 "ConnectionStringFile=@/service\nCaFile=@/ca\n");
    g_assert_nonnull(strstr(text, "/streamd.conf:3: [hub c]: "));
    g_assert_cmpint(hub_role(app_find_hub(fixture->app, "a")), ==, HUB_ROLE_SERVICE);
}

static void
test_names_of_the_bus(Fixture *fixture, gconstpointer data)
{
    const TargetSettings mine = {.name = "mine", .address = "tcp:127.0.0.1:1"};
    g_autofree char *text = NULL;
    Awaited done = {0};

    (void)await_well(app_add_target(fixture->app, &mine, AWAIT(&done)), &done);
    text = reload_fails(fixture, HUBS "[target mine]\nAddress=tcp:127.0.0.1:2\n");
    g_assert_nonnull(strstr(text, "[target mine]: a target of that name was added over D-Bus"));
    reload(fixture, "");
    g_assert_nonnull(app_find_target(fixture->app, "mine"));
}

/* Rules of D-Bus stay behind those of the file, with their ids; so does the default. */
static void
test_rules_of_the_bus(Fixture *fixture, gconstpointer data)
{
    const AcceptPolicy *policy = app_policy(fixture->app);
    const AcceptRule web = {.stream = "web", .kind = ACCEPT_TARGET}, all = {.kind = ACCEPT_TARGET};
    Awaited added = {0}, set = {0}, removed = {0}, next = {0};
    guint32 id;

    (void)await_well(app_add_rule(fixture->app, &web, 0, AWAIT(&added)), &added);
    id = ((AcceptRule *)added.object)->id;
    (void)await_well(app_set_default(fixture->app, FALSE, "mine", AWAIT(&set)), &set);
    reload(fixture, "[rule 7]\nVerdict=accept\nStream=a\n[rule 5]\nVerdict=accept\nStream=b\n"
                    "[policy]\nDefault=accept\n");
    g_assert_cmpuint(accept_policy_size(policy), ==, 3);
    g_assert_cmpuint(accept_policy_get(policy, 0)->id, ==, 5);
    g_assert_cmpuint(accept_policy_get(policy, 1)->id, ==, 7);
    g_assert_cmpuint(accept_policy_get(policy, 2)->id, ==, id);
    g_assert_false(accept_policy_default(policy, NULL));
    (void)await_well(app_remove_rule(fixture->app, id, AWAIT(&removed)), &removed);
    (void)await_well(app_add_rule(fixture->app, &all, -1, AWAIT(&next)), &next);
    g_assert_cmpuint(((AcceptRule *)next.object)->id, ==, 1001);
}

static void
test_not_removable(Fixture *fixture, gconstpointer data)
{
    App *app = fixture->app;
    Awaited hub = {0}, target = {0}, rule = {0};
    g_autofree char *hub_text =
        await_fails(app_remove_hub(app, "a", AWAIT(&hub)), &hub, STREAMD_ERROR_DENIED);
    g_autofree char *target_text =
        await_fails(app_remove_target(app, "sshd", AWAIT(&target)), &target, STREAMD_ERROR_DENIED);
    g_autofree char *rule_text =
        await_fails(app_remove_rule(app, 1, AWAIT(&rule)), &rule, STREAMD_ERROR_DENIED);

    g_assert_nonnull(strstr(hub_text, fixture->file));
    g_assert_nonnull(strstr(target_text, fixture->file));
    g_assert_nonnull(strstr(rule_text, fixture->file));
}

static void
on_opened(Stream *stream, int fd, const GError *error, void *data)
{
    g_assert_cmpint(fd, ==, -1); /* nobody is at the hub's port */
}

static void
test_stream_limit(Fixture *fixture, gconstpointer data)
{
    const OpenOptions options = {.device = "d", .stream = "s", .owner_uid = 1234};
    const OpenOptions other = {.device = "d", .stream = "s", .owner_uid = 1235};
    g_autoptr(GError) error = NULL;

    reload(fixture, HUBS "[limits]\nStreamsPerUser=2\n");
    g_assert_nonnull(app_open_stream(fixture->app, &options, on_opened, NULL, &error));
    g_assert_nonnull(app_open_stream(fixture->app, &options, on_opened, NULL, &error));
    g_assert_null(app_open_stream(fixture->app, &options, on_opened, NULL, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_nonnull(strstr(error->message, "StreamsPerUser"));
    g_clear_error(&error);
    g_assert_nonnull(app_open_stream(fixture->app, &other, on_opened, NULL, &error));
}

/* Requirement R22: refused with the limit's name; raised and lowered by a reload. */
static void
test_limits(Fixture *fixture, gconstpointer data)
{
    const TunnelOptions options = {.device = "d", .stream = "s", .owner_uid = 1234};
    g_autoptr(GError) error = NULL;

    reload(fixture, HUBS "[limits]\nListenersPerUser=2\n");
    g_assert_nonnull(app_open_tunnel(fixture->app, &options, &error));
    g_assert_nonnull(app_open_tunnel(fixture->app, &options, &error));
    g_assert_null(app_open_tunnel(fixture->app, &options, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    g_assert_nonnull(strstr(error->message, "ListenersPerUser"));
    g_clear_error(&error);
    g_assert_nonnull(app_open_tunnel(
        fixture->app, &(TunnelOptions){.device = "d", .stream = "s", .owner_uid = 1235}, &error));
    reload(fixture, HUBS);
    g_assert_nonnull(app_open_tunnel(fixture->app, &options, &error));
}

#define ADD(name, function) g_test_add("/reload/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("same", test_same);
    ADD("changes", test_changes);
    ADD("renewed", test_renewed);
    ADD("bad", test_bad);
    ADD("bad-object", test_bad_object);
    ADD("names-of-the-bus", test_names_of_the_bus);
    ADD("rules-of-the-bus", test_rules_of_the_bus);
    ADD("not-removable", test_not_removable);
    ADD("limits", test_limits);
    ADD("stream-limit", test_stream_limit);
    return g_test_run();
}
