/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cursor: every line once and in order, however the writer and it take turns, over rotation and
 * removal. */
#include "hub/log/cursor.h"

#include "common/base/error.h"
#include "hub/log/record.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

typedef struct {
    char *folder;
    guint number; /* of the last rotated file */
    guint line;   /* that was written last */
} Writer;

static Writer
writer_new(void)
{
    return (Writer){.folder = g_dir_make_tmp("log-cursor-XXXXXX", NULL)};
}

static void
writer_clear(Writer *writer)
{
    g_autoptr(GDir) dir = g_dir_open(writer->folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(writer->folder, name, NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(writer->folder);
    g_free(writer->folder);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writer, writer_clear)

static char *
path_of(const Writer *writer, guint64 number)
{
    g_autofree char *name = log_file_name(number);

    return g_build_filename(writer->folder, name, NULL);
}

static void
put(const Writer *writer, const char *text)
{
    g_autofree char *path = path_of(writer, LOG_NUMBER_CURRENT);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
    close(fd);
}

/* The next line: its number. */
static void
put_line(Writer *writer)
{
    g_autofree char *text = g_strdup_printf("%u\n", ++writer->line);

    put(writer, text);
}

static void
rotate(Writer *writer)
{
    g_autofree char *from = path_of(writer, LOG_NUMBER_CURRENT);
    g_autofree char *to = path_of(writer, ++writer->number);

    g_assert_cmpint(g_rename(from, to), ==, 0);
}

static void
remove_file(const Writer *writer, guint64 number)
{
    g_autofree char *path = path_of(writer, number);

    g_assert_cmpint(g_unlink(path), ==, 0);
}

static guint
number_in(const LogLine *line)
{
    g_autofree char *text = g_strndup(line->text, line->len);

    return (guint)g_ascii_strtoull(text, NULL, 10);
}

/* Lines up to the last one that was written, the next of which is NEXT. */
static void
expect_all(LogCursor *cursor, const Writer *writer, guint *next)
{
    LogLine line;
    LogStep step;

    while ((step = log_cursor_next(cursor, &line, NULL)) == LOG_STEP_LINE)
        g_assert_cmpuint(number_in(&line), ==, (*next)++);
    g_assert_cmpint(step, ==, LOG_STEP_END);
    g_assert_cmpuint(*next, ==, writer->line + 1);
}

static void
test_names(void)
{
    g_autofree char *name = log_file_name(12), *current = log_file_name(LOG_NUMBER_CURRENT);

    g_assert_cmpstr(name, ==, "records-0000000012.jsonl");
    g_assert_cmpuint(log_file_number(name), ==, 12);
    g_assert_cmpuint(log_file_number(current), ==, LOG_NUMBER_CURRENT);
    g_assert_cmpuint(log_file_number("records-000000001.jsonl"), ==, 0);
    g_assert_cmpuint(log_file_number("records-0000000001.jsonl.gz"), ==, 0);
    g_assert_cmpuint(log_file_number("records-00000000x1.jsonl"), ==, 0);
    g_assert_cmpuint(log_file_number("records-"), ==, 0);
}

static void
test_none(void)
{
    g_autoptr(GError) error = NULL;
    LogLine line;

    {
        g_auto(Writer) writer = writer_new();
        g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);

        g_assert_cmpint(log_cursor_next(cursor, &line, &error), ==, LOG_STEP_END);
        g_assert_no_error(error);
        put_line(&writer);
        g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    }
    {
        g_autoptr(LogCursor) cursor = log_cursor_new("/nonexistent/records");

        g_assert_cmpint(log_cursor_next(cursor, &line, &error), ==, LOG_STEP_FAILED);
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
    }
}

/* Writer and reader take turns by a fixed row of random numbers. */
static void
test_turns(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);
    guint next = 1;

    put_line(&writer);
    for (guint turn = 0; turn < 3000; turn++) {
        LogLine line;

        switch (g_rand_int_range(random, 0, 8)) {
        case 0:
            rotate(&writer);
            if (g_rand_boolean(random))
                expect_all(cursor, &writer, &next); /* there is no current file */
            put_line(&writer);
            break;
        case 1:
            expect_all(cursor, &writer, &next);
            break;
        case 2:
        case 3:
            if (log_cursor_next(cursor, &line, NULL) == LOG_STEP_LINE)
                g_assert_cmpuint(number_in(&line), ==, next++);
            break;
        default:
            put_line(&writer);
        }
    }
    expect_all(cursor, &writer, &next);
    g_assert_cmpuint(writer.number, >, 100);
    g_assert_cmpuint(log_cursor_gaps(cursor), ==, 0);
}

static void
test_parts(void)
{
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);
    const char *rest = NULL;
    LogLine line;

    put(&writer, "ab");
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
    g_assert_cmpuint(log_cursor_rest(cursor, &rest), ==, 2);
    put(&writer, "c\nd");
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_true(line.len == 3 && memcmp(line.text, "abc", 3) == 0);
    g_assert_cmpuint(line.offset, ==, 4);
    g_assert_cmpuint(line.file, ==, LOG_NUMBER_CURRENT);
    rotate(&writer);
    put(&writer, "e\n");
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_PART);
    g_assert_true(line.len == 1 && line.text[0] == 'd' && line.line == 2);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_true(line.len == 1 && line.text[0] == 'e' && line.line == 1);
    g_assert_cmpuint(log_cursor_before(cursor), ==, 1);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
}

/* A line of LEN bytes without its end, between two others: what comes of it has GIVEN bytes. */
static void
try_length(gsize len, gsize given)
{
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);
    g_autofree char *text = g_strnfill(len, 'x');
    LogLine line;

    put(&writer, "a\n");
    put(&writer, text);
    put(&writer, "\nb\n");
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpuint(line.len, ==, given);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_true(line.len == 1 && *line.text == 'b');
    g_assert_cmpuint(line.line, ==, 3);
    g_assert_cmpuint(line.offset, ==, len + 5);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
}

static void
test_long(void)
{
    try_length(LOG_LINE_MAX - 1, LOG_LINE_MAX - 1);
    try_length(LOG_LINE_MAX, LOG_LINE_MAX);
    try_length(LOG_LINE_MAX + 1, LOG_LINE_MAX);
    try_length((gsize)1024 * 1024, LOG_LINE_MAX);
}

/* Files that are removed before they were read are a gap; the one that is open is read to its end.
 */
static void
test_removed(void)
{
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);
    LogLine line;

    for (guint i = 0; i < 4; i++) {
        put_line(&writer);
        put_line(&writer);
        rotate(&writer);
    }
    put_line(&writer);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    remove_file(&writer, 1);
    remove_file(&writer, 2);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpuint(number_in(&line), ==, 2);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpuint(number_in(&line), ==, 5);
    g_assert_cmpuint(log_cursor_gaps(cursor), ==, 1);
    g_assert_cmpuint(log_cursor_before(cursor), ==, 0);
    for (guint next = 6; next <= 9; next++) {
        g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
        g_assert_cmpuint(number_in(&line), ==, next);
    }
    remove_file(&writer, LOG_NUMBER_CURRENT); /* by hand, and the hub begins another one */
    put_line(&writer);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpuint(number_in(&line), ==, 10);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
}

static void
test_seek(void)
{
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder), other = NULL;
    g_autoptr(GError) error = NULL;
    LogFile file;
    LogLine line;

    for (guint i = 0; i < 3; i++)
        put_line(&writer);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    rotate(&writer);
    put_line(&writer);
    g_assert_true(log_cursor_file(cursor, &file));
    g_assert_cmpuint(file.number, ==, 1); /* as it is called now */
    other = log_cursor_new(writer.folder);
    g_assert_true(log_cursor_seek(other, &file, line.offset, line.line + 1, &error));
    for (guint next = 3; next <= 4; next++) {
        g_assert_cmpint(log_cursor_next(other, &line, NULL), ==, LOG_STEP_LINE);
        g_assert_cmpuint(number_in(&line), ==, next);
    }
    file.number = LOG_NUMBER_CURRENT; /* another one has the name */
    g_assert_false(log_cursor_seek(other, &file, 0, 1, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
}

/* What is no regular file in the folder is none of the files. */
static void
test_strange(void)
{
    g_auto(Writer) writer = writer_new();
    g_autoptr(LogCursor) cursor = log_cursor_new(writer.folder);
    g_autofree char *link = path_of(&writer, 1), *current = path_of(&writer, LOG_NUMBER_CURRENT);
    LogLine line;

    g_assert_cmpint(symlink("/dev/zero", link), ==, 0);
    g_assert_cmpint(mkfifo(current, 0600), ==, 0);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-cursor/names", test_names);
    g_test_add_func("/log-cursor/none", test_none);
    g_test_add_func("/log-cursor/turns", test_turns);
    g_test_add_func("/log-cursor/parts", test_parts);
    g_test_add_func("/log-cursor/long", test_long);
    g_test_add_func("/log-cursor/removed", test_removed);
    g_test_add_func("/log-cursor/seek", test_seek);
    g_test_add_func("/log-cursor/strange", test_strange);
    return g_test_run();
}
