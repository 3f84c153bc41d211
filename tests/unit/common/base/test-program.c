/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the file of a program that runs was replaced: a copy of this test looks at itself. */
#include "common/base/program.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As the copy: says what it sees, each time it is asked. */
static int
look(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) == 1) {
        byte = program_is_replaced() ? 'y' : 'n';
        if (write(STDOUT_FILENO, &byte, 1) != 1)
            return 1;
    }
    return 0;
}

static char
ask(GSubprocess *process)
{
    char byte = '?';
    GOutputStream *in = g_subprocess_get_stdin_pipe(process);
    GInputStream *out = g_subprocess_get_stdout_pipe(process);

    g_assert_cmpint(g_output_stream_write(in, &byte, 1, NULL, NULL), ==, 1);
    g_assert_cmpint(g_input_stream_read(out, &byte, 1, NULL, NULL), ==, 1);
    return byte;
}

static void
copy(const char *to)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *bytes = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(self, &bytes, &len, NULL));
    g_assert_true(g_file_set_contents_full(to, bytes, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT,
                                           0755, NULL));
}

static void
test_replaced(void)
{
    g_autofree char *dir = g_dir_make_tmp("streamd-program-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "program", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = NULL;

    g_assert_false(program_is_replaced());
    copy(path);
    process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                               &error, path, "--look", NULL);
    g_assert_no_error(error);
    g_assert_cmpint(ask(process), ==, 'n');
    copy(path); /* a new file takes its place, as the package manager does it */
    g_assert_cmpint(ask(process), ==, 'y');
    g_assert_true(g_output_stream_close(g_subprocess_get_stdin_pipe(process), NULL, NULL));
    g_assert_true(g_subprocess_wait_check(process, NULL, &error));
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--look") == 0)
        return look();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/program/replaced", test_replaced);
    return g_test_run();
}
