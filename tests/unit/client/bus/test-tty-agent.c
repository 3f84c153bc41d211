/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The password agent: how it is called, when it is waited for, and that it ends. The one here is a
 * script of that name. */
#include "client/bus/tty-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *dir;
    char *path;
} Fixture;

/* SCRIPT becomes pkttyagent, the only one in PATH; it runs in DIR. */
static void
set_up(Fixture *fixture, gconstpointer script)
{

    fixture->dir = g_dir_make_tmp("streamd-agent-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->dir, "pkttyagent", NULL);
    if (script != NULL) {
        g_autofree char *text =
            g_strdup_printf("#!/bin/sh\ncd '%s'\n%s\n", fixture->dir, (const char *)script);

        g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
        g_assert_cmpint(chmod(fixture->path, 0700), ==, 0);
        (void)g_setenv("PATH", fixture->dir, TRUE);
    } else {
        (void)g_setenv("PATH", "/nonexistent", TRUE);
    }
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"pkttyagent", "args", "pid", NULL};

    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(fixture->dir, names[i], NULL);

        (void)unlink(path);
    }
    g_assert_cmpint(rmdir(fixture->dir), ==, 0);
    g_free(fixture->path);
    g_free(fixture->dir);
}

static char *
said(const Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_strchomp(text);
}

/* By then it has written: so it was waited for. And after the end it is no more. */
static void
test_ready(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Agent) agent = agent_start_anyway();
    g_autofree char *args = said(fixture, "args");
    g_autofree char *pid = said(fixture, "pid");
    g_autofree char *wanted =
        g_strdup_printf("--notify-fd 3 --fallback --process %d", (int)getpid());

    g_assert_nonnull(agent);
    g_assert_cmpstr(args, ==, wanted);
    g_assert_cmpint(kill(atoi(pid), 0), ==, 0);
    agent_stop(g_steal_pointer(&agent));
    g_assert_cmpint(kill(atoi(pid), 0), ==, -1);
    g_assert_cmpint(errno, ==, ESRCH);
}

/* One that fails at once, as without a terminal, holds nobody up. */
static void
test_fails(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Agent) agent = agent_start_anyway();

    g_assert_nonnull(agent);
}

static void
test_missing(Fixture *fixture, gconstpointer data)
{
    g_assert_null(agent_start_anyway());
}

/* Neither standard input nor standard error is a terminal here. */
static void
test_no_terminal(Fixture *fixture, gconstpointer data)
{
    int input = dup(STDIN_FILENO), error = dup(STDERR_FILENO), none = g_open("/dev/null", O_RDWR);
    g_autofree char *args = g_build_filename(fixture->dir, "args", NULL);

    g_assert_cmpint(dup2(none, STDIN_FILENO), >=, 0);
    g_assert_cmpint(dup2(none, STDERR_FILENO), >=, 0);
    g_assert_false(agent_has_terminal());
    g_assert_null(agent_start());
    g_assert_cmpint(dup2(input, STDIN_FILENO), >=, 0);
    g_assert_cmpint(dup2(error, STDERR_FILENO), >=, 0);
    g_assert_false(g_file_test(args, G_FILE_TEST_EXISTS));
    (void)close(input);
    (void)close(error);
    (void)close(none);
}

#define READY "echo $$ >pid; echo \"$@\" >args; exec 3>&-; exec /bin/sleep 1000"

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/agent/ready", Fixture, READY, set_up, test_ready, tear_down);
    g_test_add("/agent/fails", Fixture, "exit 1", set_up, test_fails, tear_down);
    g_test_add("/agent/missing", Fixture, NULL, set_up, test_missing, tear_down);
    g_test_add("/agent/no-terminal", Fixture, READY, set_up, test_no_terminal, tear_down);
    return g_test_run();
}
