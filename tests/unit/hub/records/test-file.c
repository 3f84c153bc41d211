/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of records on a real disk, which is sometimes full. */
#include "hub/records/file.h"

#include "common/base/error.h"
#include "hub/records/chain.h"
#include "hub/records/folder.h"
#include "hub/records/tail.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder;
    char *current;
    RecordsFile *file;
} Self;

static void
self_open(Self *self)
{
    self->file = records_file_new(self->folder, "1.0");
    records_file_set_limits(self->file, 1 << 20, 3);
}

static void
set_up(Self *self, const void *data G_GNUC_UNUSED)
{
    self->folder = g_dir_make_tmp("records-XXXXXX", NULL);
    self->current = records_folder_current(self->folder);
    self_open(self);
}

static void
tear_down(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autoptr(GDir) dir = g_dir_open(self->folder, 0, NULL);
    const char *name;

    records_file_free(self->file);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(self->folder, name, NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(self->folder);
    g_free(self->folder);
    g_free(self->current);
}

/* As the writer does it. */
static void
put_out(Self *self)
{
    g_assert_true(records_file_write(self->file, NULL));
    if (!records_file_is_full(self->file))
        return;
    g_assert_true(records_file_sync(self->file, NULL));
    g_assert_true(records_file_rotate(self->file, NULL));
    g_assert_true(records_file_write(self->file, NULL));
}

static void
again(Self *self)
{
    records_file_free(self->file);
    self_open(self);
    put_out(self);
}

static void
add(Self *self, const char *text)
{
    g_autofree char *record = g_strdup_printf("{\"n\":\"%s\"", text);

    g_assert_true(records_file_open(self->file, NULL));
    records_file_add(self->file, record, strlen(record));
}

static char *
contents(const char *path)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void
append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    close(fd);
}

/* Recomputes every hash from HEAD on; a line that is no record must be the only one before a start
 * that says so. How many records there are. */
static guint
verify(const char *path, char head[CHAIN_HASH + 1])
{
    g_autofree char *text = contents(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = 0;
    gboolean torn = FALSE;

    for (char **line = lines; *line && (*line)[0]; line++) {
        const char *tail = strstr(*line, ",\"hash\":\"");
        Chain chain = {CHAIN_NONE};
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *record = tail ? g_strndup(*line, (gsize)(tail - *line)) : NULL;

        if (!tail) {
            g_assert_false(torn);
            torn = TRUE;
            continue;
        }
        g_assert_true(!torn || strstr(*line, "\"torn\":true"));
        torn = FALSE;
        g_strlcpy(chain.head, head, sizeof chain.head);
        chain_append(&chain, out, record, strlen(record));
        g_string_truncate(out, out->len - 1);
        g_assert_cmpstr(out->str, ==, *line);
        g_strlcpy(head, chain.head, CHAIN_HASH + 1);
        count++;
    }
    g_assert_false(torn);
    return count;
}

static guint
verify_current(Self *self)
{
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    return verify(self->current, head);
}

static void
test_starts(Self *self, const void *data G_GNUC_UNUSED)
{
    struct stat info;
    g_autofree char *text = NULL;

    add(self, "a");
    put_out(self);
    g_assert_cmpint(stat(self->current, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    again(self);
    add(self, "b");
    put_out(self);
    g_assert_cmpuint(verify_current(self), ==, 4);
    text = contents(self->current);
    g_assert_nonnull(strstr(text, "\"torn\":false"));
    g_assert_null(strstr(text, "\"torn\":true"));
}

/* Wherever the machine stopped: in a record, in the newline before a start, in that start. */
static void
test_torn(Self *self, const void *data G_GNUC_UNUSED)
{
    static const char *const rests[] = {"{", "{\"time\":\"2026-11-3", "{\"ti\n", "{\"ti\n{\"tim",
                                        "\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(rests); i++) {
        g_autofree char *text = NULL;

        add(self, "a");
        put_out(self);
        append(self->current, rests[i]);
        if (strcmp(rests[i], "\n") == 0)
            g_assert_true(truncate(self->current, 0) == 0);
        again(self);
        text = contents(self->current);
        g_assert_cmpint(strstr(text, "\"torn\":true") != NULL, ==, strcmp(rests[i], "\n") != 0);
        g_assert_cmpuint(verify_current(self), >=, 1);
    }
}

/* A text that makes the file of SIZE bytes with this record. */
static void
add_up_to(Self *self, guint64 size)
{
    g_autofree char *text = contents(self->current);
    gsize rest = (gsize)size - strlen(text) - strlen("{\"n\":\"\"") - CHAIN_TAIL;
    g_autofree char *filling = g_strnfill(rest, 'x');

    add(self, filling);
}

static void
test_rotation(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    records_file_set_limits(self->file, 4000, 3);
    put_out(self);
    add_up_to(self, 3999);
    g_assert_false(records_file_is_full(self->file));
    put_out(self);
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
    records_file_set_limits(self->file, 4200, 3);
    add_up_to(self, 4200);
    g_assert_true(records_file_is_full(self->file));
    put_out(self);
    g_assert_true(g_file_test(first, G_FILE_TEST_EXISTS));
    add(self, "c");
    put_out(self);
    g_assert_cmpuint(verify(first, head), ==, 3);
    g_assert_cmpuint(verify(self->current, head), ==, 2);
}

/* The oldest goes, and numbers rise even when files were taken away. */
static void
test_kept(Self *self, const void *data G_GNUC_UNUSED)
{
    char head[CHAIN_HASH + 1] = CHAIN_NONE;
    g_autofree char *last = records_folder_numbered(self->folder, 6);

    records_file_set_limits(self->file, 1, 3);
    for (guint i = 0; i < 5; i++) {
        add(self, "a");
        put_out(self);
    }
    for (guint64 i = 1; i <= 5; i++) {
        g_autofree char *path = records_folder_numbered(self->folder, i);
        g_autofree char *text = NULL;

        g_assert_cmpint(g_file_test(path, G_FILE_TEST_EXISTS), ==, i > 2);
        if (i <= 2)
            continue;
        if (i == 3) { /* what it begins with says which hash it goes on from */
            text = contents(path);
            g_strlcpy(head, strstr(text, "\"previous\":\"") + 12, sizeof head);
        }
        g_assert_cmpuint(verify(path, head), ==, 2);
        (void)g_unlink(path);
    }
    again(self);
    add(self, "b");
    records_file_set_limits(self->file, 1, 3);
    put_out(self);
    g_assert_true(g_file_test(last, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(verify(last, head), ==, 3);
}

/* Whether COUNT of its starts name the file before, which is number 1, and only those. */
static gboolean
begins_numbered(const Self *self, guint count)
{
    g_autofree char *text = contents(self->current);
    g_auto(GStrv) parts = g_strsplit(text, ",\"number\":1,\"hash\":", -1);

    return g_strv_length(parts) == count + 1;
}

/* The machine stopped between the rename and the first record of the new file. */
static void
test_between_files(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    add(self, "a");
    put_out(self);
    g_assert_cmpint(g_rename(self->current, first), ==, 0);
    again(self);
    g_assert_cmpuint(verify(first, head), ==, 2);
    g_assert_cmpuint(verify(self->current, head), ==, 1);
    g_assert_true(begins_numbered(self, 1));
}

/* The same in the middle of that record: the start behind it says what it would have said. */
static void
test_within_first(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);

    add(self, "a");
    g_assert_true(records_file_write(self->file, NULL));
    g_assert_cmpint(g_rename(self->current, first), ==, 0);
    g_assert_true(g_file_set_contents(self->current, "{\"time\":\"2026", -1, NULL));
    again(self);
    g_assert_true(begins_numbered(self, 1));
    again(self);
    g_assert_false(begins_numbered(self, 2)); /* none but the first */
}

static void
limit_files(rlim_t most)
{
    struct rlimit limit;
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGXFSZ);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = most;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* The disk takes a part of it: whole lines stay, half a line goes, and nothing comes twice. */
static void
test_short(Self *self, const void *data G_GNUC_UNUSED)
{
    for (rlim_t most = 1; most < 700; most += 23) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;

        (void)g_unlink(self->current);
        records_file_free(self->file);
        self_open(self);
        add(self, "a");
        add(self, "b");
        add(self, "c");
        limit_files(most);
        if (!records_file_write(self->file, &error)) {
            g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED);
            text = contents(self->current);
            g_assert_true(!*text || g_str_has_suffix(text, "\"}\n"));
        }
        limit_files(RLIM_INFINITY);
        put_out(self);
        g_assert_cmpuint(records_file_pending(self->file), ==, 0);
        g_assert_cmpuint(verify_current(self), ==, 4);
    }
}

static void
test_head(Self *self, const void *data G_GNUC_UNUSED)
{
    guint64 number = 0;
    const char *hash = NULL;

    for (guint i = 2; i < RECORDS_HEAD_EVERY; i++) /* the start is the first */
        add(self, "a");
    g_assert_false(records_file_take_head(self->file, &number, &hash));
    add(self, "a");
    g_assert_true(records_file_take_head(self->file, &number, &hash));
    g_assert_cmpuint(number, ==, RECORDS_HEAD_EVERY);
    g_assert_cmpstr(hash, ==, records_file_head(self->file));
    add(self, "a");
    g_assert_false(records_file_take_head(self->file, &number, &hash));
    put_out(self);
    g_assert_cmpuint(verify_current(self), ==, RECORDS_HEAD_EVERY + 1);
}

/* What is no file of ours is not written to. */
static void
test_link(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *other = g_build_filename(self->folder, "other", NULL);

    g_assert_true(g_file_set_contents(other, "", 0, NULL));
    g_assert_cmpint(symlink(other, self->current), ==, 0);
    g_assert_false(records_file_open(self->file, NULL));
    (void)g_unlink(self->current);
    g_assert_cmpint(mkfifo(self->current, 0600), ==, 0);
    g_assert_false(records_file_open(self->file, NULL));
}

/* Somebody moves it TO somewhere. What could not be written before comes after the link. */
static void
take_away(Self *self, const char *to, gboolean waiting)
{
    if (waiting) {
        struct stat info;

        add(self, "waits");
        g_assert_cmpint(stat(self->current, &info), ==, 0);
        limit_files((rlim_t)info.st_size + 1);
        g_assert_false(records_file_write(self->file, NULL));
        limit_files(RLIM_INFINITY);
    }
    g_assert_cmpint(g_rename(self->current, to), ==, 0);
    add(self, "after");
    put_out(self);
}

static void
test_moved(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    g_autofree char *second = records_folder_numbered(self->folder, 2);
    g_autofree char *away = g_build_filename(self->folder, "away", NULL);
    g_autofree char *third = NULL;
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    add(self, "a");
    put_out(self);
    take_away(self, first, FALSE);
    take_away(self, second, TRUE);
    add(self, "b");
    put_out(self);
    take_away(self, away, TRUE); /* which would have been number three */
    g_assert_cmpuint(verify(first, head), ==, 2);
    g_assert_cmpuint(verify(second, head), ==, 2);
    g_assert_cmpuint(verify(away, head), ==, 4);
    g_assert_cmpuint(verify(self->current, head), ==, 3);
    third = contents(self->current);
    g_assert_nonnull(strstr(third, "\"number\":3,\"hash\""));
    g_assert_cmpuint(records_file_count(self->file), ==, 11);
    again(self);
    g_assert_cmpint(g_unlink(self->current), ==, 0);
    add(self, "c");
    put_out(self);
    (void)g_unlink(self->current);
}

/* It was taken away before anything of this start was in it: a start comes first again. */
static void
test_moved_at_start(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *text = NULL;

    add(self, "a");
    g_assert_cmpint(g_unlink(self->current), ==, 0);
    add(self, "b");
    put_out(self);
    g_assert_cmpuint(verify_current(self), ==, 3);
    g_assert_cmpuint(records_file_count(self->file), ==, 3);
    text = contents(self->current);
    g_assert_nonnull(strstr(text, "\"operationName\":\"start\""));
}

/* A copy in its place, as editors leave one, goes on; one from which a record is missing does not
 * follow. */
static void
test_replaced(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *copy = NULL;
    g_autofree char *text = NULL;

    add(self, "a");
    put_out(self);
    copy = contents(self->current);
    g_assert_true(g_file_set_contents(self->current, copy, -1, NULL)); /* another inode */
    add(self, "b");
    put_out(self);
    text = contents(self->current);
    g_assert_nonnull(strstr(text, "\"operationName\":\"file\""));
    g_assert_cmpuint(verify_current(self), ==, 4);
}

/* It stays, takes more than its size, and goes later. */
static void
test_unrotated(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    add(self, "a");
    put_out(self);
    records_file_set_limits(self->file, 1, 3);
    g_assert_cmpint(g_mkdir(first, 0700), ==, 0);
    for (guint i = 0; i < 3; i++) {
        add(self, "b");
        g_assert_true(records_file_write(self->file, NULL));
        g_assert_cmpuint(records_file_pending(self->file), ==, 0);
        g_assert_true(records_file_is_full(self->file));
        g_assert_false(records_file_rotate(self->file, NULL));
    }
    g_assert_cmpint(g_rmdir(first), ==, 0);
    put_out(self);
    g_assert_cmpuint(verify(first, head), ==, 5);
    g_assert_cmpuint(verify(self->current, head), ==, 1);
}

/* What cannot be read is not taken for empty. */
static void
test_unread(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    char head[CHAIN_HASH + 1] = CHAIN_NONE;

    add(self, "a");
    put_out(self);
    text = contents(self->current);
    g_assert_cmpint(g_unlink(self->current), ==, 0);
    g_assert_cmpint(g_mkdir(first, 0700), ==, 0);
    records_file_free(self->file);
    self_open(self);
    g_assert_false(records_file_open(self->file, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
    g_assert_cmpint(g_rmdir(first), ==, 0);
    g_assert_true(g_file_set_contents(first, text, -1, NULL));
    put_out(self);
    g_assert_cmpuint(verify(first, head), ==, 2);
    g_assert_cmpuint(verify(self->current, head), ==, 1);
}

/* Neither what the system does not tell nor what it does not read. */
static void
test_tail(Self *self, const void *data G_GNUC_UNUSED)
{
    int folder = open(self->folder, O_RDONLY | O_DIRECTORY);
    ChainTail tail;
    Chain chain;
    guint64 number;

    g_assert_false(tail_read(-1, &tail, &number));
    g_assert_false(tail_read(folder, &tail, &number));
    g_assert_false(tail_read_number(folder, &number));
    g_assert_true(tail_read_path(self->current, &chain, NULL));
    g_assert_cmpstr(chain.head, ==, CHAIN_NONE);
    g_assert_false(records_folder_last(self->current, &number, NULL));
    close(folder);
}

/* One hub keeps a folder, until it ends. */
static void
test_locked(Self *self, const void *data G_GNUC_UNUSED)
{
    RecordsFile *other = records_file_new(self->folder, "1.0");
    g_autoptr(GError) error = NULL;

    add(self, "a");
    put_out(self);
    g_assert_false(records_file_open(other, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    g_assert_cmpuint(verify_current(self), ==, 2);
    records_file_free(self->file);
    self->file = other;
    put_out(self);
    g_assert_cmpuint(verify_current(self), ==, 3);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Self *self, const void *data);
    } tests[] = {
        {"/records-file/starts", test_starts},
        {"/records-file/torn", test_torn},
        {"/records-file/rotation", test_rotation},
        {"/records-file/kept", test_kept},
        {"/records-file/between-files", test_between_files},
        {"/records-file/within-first", test_within_first},
        {"/records-file/short", test_short},
        {"/records-file/head", test_head},
        {"/records-file/link", test_link},
        {"/records-file/moved", test_moved},
        {"/records-file/moved-at-start", test_moved_at_start},
        {"/records-file/replaced", test_replaced},
        {"/records-file/unrotated", test_unrotated},
        {"/records-file/unread", test_unread},
        {"/records-file/tail", test_tail},
        {"/records-file/locked", test_locked},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Self, NULL, set_up, tests[i].func, tear_down);
    return g_test_run();
}
