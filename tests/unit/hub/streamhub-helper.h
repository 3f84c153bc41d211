/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests: runs the program as a user would, and a hub in a scratch folder. */
#pragma once

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder; /* scratch */
    char *state;  /* the hub's state folder, in FOLDER */
    GSubprocess *hub;
    GDataInputStream *lines; /* the output of the hub */
    char *https, *mqtts;     /* addresses */
} Fixture;

typedef struct {
    int code;
    char *out;
    char *err;
} Run;

static char *program; /* main sets it */

/* PATH is that of streamhub. One of another architecture starts as a script (tests/arch). */
static inline void
set_program(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    const char *starters = g_getenv("STREAMD_STARTERS");

    program = starters ? g_build_filename(starters, name, NULL) : g_strdup(path);
}

static inline void
run_clear(Run *run)
{
    g_clear_pointer(&run->out, g_free);
    g_clear_pointer(&run->err, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static inline void
run_words(Run *run, char **words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_newv((const char *const *)words,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);

    run_clear(run);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &run->out, &run->err, &error));
    g_assert_true(g_subprocess_get_if_exited(process));
    run->code = g_subprocess_get_exit_status(process);
}

/* LINE is split at spaces; the hub's state folder is put before it. */
static inline int
hub(Fixture *f, Run *run, const char *line)
{
    g_autofree char *whole = g_strdup_printf("%s --state-dir %s %s", program, f->state, line);
    g_auto(GStrv) words = g_strsplit(whole, " ", -1);

    run_words(run, words);
    return run->code;
}

static inline GSubprocess *
spawn(Fixture *f, const char *notify)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
    g_autofree char *config = g_build_filename(f->folder, "hub.conf", NULL);
    g_autoptr(GError) error = NULL;
    GSubprocess *process;

    if (notify)
        g_subprocess_launcher_setenv(launcher, "NOTIFY_SOCKET", notify, TRUE);
    process = g_subprocess_launcher_spawn(
        launcher, &error, program, "serve", "--state-dir", f->state, "--listen", "127.0.0.1:0",
        "--mqtt-listen", "127.0.0.1:0", "--threads", "1", "--grace", "1", "--config", config, NULL);
    g_assert_no_error(error);
    return process;
}

static inline char *
next_line(Fixture *f)
{
    return g_data_input_stream_read_line(f->lines, NULL, NULL, NULL);
}

static inline char *
address_line(Fixture *f, const char *kind)
{
    g_autofree char *line = next_line(f);
    g_autofree char *prefix = g_strdup_printf("listening %s 127.0.0.1:", kind);

    g_assert_nonnull(line);
    g_assert_true(g_str_has_prefix(line, prefix));
    return g_strdup(strrchr(line, ' ') + 1);
}

static inline void
start(Fixture *f, const char *notify)
{
    g_autofree char *ready = NULL;

    f->hub = spawn(f, notify);
    f->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(f->hub));
    f->https = address_line(f, "https");
    f->mqtts = address_line(f, "mqtts");
    ready = next_line(f);
    g_assert_cmpstr(ready, ==, "ready");
}

static inline void
stop(Fixture *f, int number)
{
    g_subprocess_send_signal(f->hub, number);
    g_assert_true(g_subprocess_wait(f->hub, NULL, NULL));
    g_clear_object(&f->hub);
    g_clear_object(&f->lines);
    g_clear_pointer(&f->https, g_free);
    g_clear_pointer(&f->mqtts, g_free);
}

static inline void
make_state(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *config = NULL;
    g_auto(Run) run = {0};

    f->folder = g_dir_make_tmp("streamhub-XXXXXX", NULL);
    f->state = g_build_filename(f->folder, "state", NULL);
    config = g_build_filename(f->folder, "hub.conf", NULL);
    g_assert_true(g_file_set_contents(config, "[hub]\n", -1, NULL));
    g_assert_cmpint(
        hub(f, &run, "init --host-name hub.example --san DNS:localhost --san IP:127.0.0.1"), ==, 0);
}

static inline void
set_up(Fixture *f, gconstpointer data)
{
    make_state(f, data);
    start(f, NULL);
}

static inline void
remove_files(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_files(path);
        (void)g_remove(path);
    }
}

static inline void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    if (f->hub)
        stop(f, SIGKILL);
    remove_files(f->folder);
    (void)g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->state);
}

#define ASSERT_HAS(text, part) g_assert_nonnull(strstr((text), (part)))
