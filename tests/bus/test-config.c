/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in the configuration, as clients see it; and SIGHUP. */
#include "tests/bus/bus-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TARGET_A BUS_PATH_TARGET "/a"

static void
write_config(const Fixture *fixture, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, "streamd.conf", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Another streamd in the place of the one that has no configuration. */
static void
start_with(Fixture *fixture, sd_bus *bus, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, "streamd.conf", NULL);
    const char *const arguments[] = {"--user", "--threads=1", "--config", path, NULL};

    g_assert_cmpint(kill(fixture->streamd, SIGTERM), ==, 0);
    g_assert_cmpint(fixture_wait_exit(fixture->streamd), ==, 0);
    write_config(fixture, text);
    fixture->streamd = fixture_spawn(fixture, arguments);
    fixture_wait_name(bus);
}

typedef struct {
    const Fixture *fixture;
    const char *wanted;
} Logged;

static gboolean
has_logged(void *data)
{
    const Logged *logged = data;
    g_autofree char *log = fixture_read_log(logged->fixture);

    return strstr(log, logged->wanted) != NULL;
}

static void
hang_up(Fixture *fixture, sd_bus *bus, const char *wanted)
{
    g_assert_cmpint(kill(fixture->streamd, SIGHUP), ==, 0);
    fixture_wait(bus, has_logged, &(Logged){fixture, wanted});
}

static void
test_source(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *source = NULL, *own = NULL, *denied = NULL, *rule = NULL;
    g_autoptr(sd_bus_message) added = NULL, removed = NULL;

    start_with(fixture, bus, "[target a]\nAddress=tcp:127.0.0.1:1\n[rule 3]\nVerdict=accept\n");
    added = fixture_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget", "ssa{sv}", "b",
                         "tcp:127.0.0.1:2", 0);
    source = fixture_property(bus, TARGET_A, BUS_TARGET, "Source");
    g_assert_cmpstr(source, ==, "config");
    own = fixture_property(bus, BUS_PATH_TARGET "/b", BUS_TARGET, "Source");
    g_assert_cmpstr(own, ==, "bus");
    denied = fixture_fails(bus, "Denied", TARGET_A, BUS_TARGET, "Remove", NULL);
    g_assert_nonnull(strstr(denied, "/streamd.conf:1"));
    rule = fixture_fails(bus, "Denied", BUS_ROOT, BUS_POLICY, "Remove", "t", (guint64)3);
    g_assert_nonnull(strstr(rule, "/streamd.conf:3"));
    removed = fixture_call(bus, BUS_PATH_TARGET "/b", BUS_TARGET, "Remove", NULL);
}

static void
test_reload(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *before = NULL, *after = NULL;

    start_with(fixture, bus, "[target a]\nAddress=tcp:127.0.0.1:1\n");
    write_config(fixture, "[target a]\nAddress=tcp:127.0.0.1:2\n[target b]\nnonsense\n");
    hang_up(fixture, bus, "/streamd.conf:4: neither a [section] nor a Key=value");
    before = fixture_property(bus, TARGET_A, BUS_TARGET, "Address");
    g_assert_cmpstr(before, ==, "tcp:127.0.0.1:1");
    g_assert_false(fixture_has_object(bus, BUS_PATH_TARGET "/b"));
    write_config(fixture, "[target a]\nAddress=tcp:127.0.0.1:2\n");
    hang_up(fixture, bus, "Configuration reloaded");
    after = fixture_property(bus, TARGET_A, BUS_TARGET, "Address");
    g_assert_cmpstr(after, ==, "tcp:127.0.0.1:2");
}

static char *
run_reload(const Fixture *fixture, int *ret_status)
{
    const char *argv[] = {g_getenv("STREAMCTL"), "reload", NULL};
    g_auto(GStrv) env =
        g_environ_setenv(g_get_environ(), "DBUS_SESSION_BUS_ADDRESS", fixture->address, TRUE);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_spawn_sync(NULL, (char **)argv, env, 0, NULL, NULL, NULL, &text, ret_status, &error);
    g_assert_no_error(error);
    *ret_status = WEXITSTATUS(*ret_status);
    return text;
}

/* By Manager.Reload: all that is wrong is in the answer, a line each. */
static void
test_reload_by_call(Fixture *fixture, gconstpointer data)
{
    g_autoptr(sd_bus) bus = fixture_connect(fixture);
    g_autofree char *wrong = NULL, *right = NULL, *address = NULL;
    g_auto(GStrv) lines = NULL;
    int status;

    start_with(fixture, bus, "[target a]\nAddress=tcp:127.0.0.1:1\n");
    write_config(fixture, "[target a]\nAddress=nowhere\n[target b]\nnonsense\n");
    wrong = run_reload(fixture, &status);
    g_assert_cmpint(status, ==, 2);
    lines = g_strsplit(wrong, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >=, 3);
    for (guint i = 0; i + 1 < g_strv_length(lines); i++)
        g_assert_nonnull(strstr(lines[i], "/streamd.conf:"));
    write_config(fixture, "[target a]\nAddress=tcp:127.0.0.1:2\n");
    right = run_reload(fixture, &status);
    g_assert_cmpstr(right, ==, "");
    g_assert_cmpint(status, ==, 0);
    address = fixture_property(bus, TARGET_A, BUS_TARGET, "Address");
    g_assert_cmpstr(address, ==, "tcp:127.0.0.1:2");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/config/source", Fixture, NULL, fixture_set_up, test_source, fixture_tear_down);
    g_test_add("/config/reload", Fixture, NULL, fixture_set_up, test_reload, fixture_tear_down);
    g_test_add("/config/reload-by-call", Fixture, NULL, fixture_set_up, test_reload_by_call,
               fixture_tear_down);
    return g_test_run();
}
