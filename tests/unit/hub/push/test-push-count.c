/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits is counted, and what was sent last is looked for, a part of the files at once; files
 * are known by what is in them. */
#include "hub/push/count.h"

#include "../log/log-fixture.h"
#include "hub/push/resume.h"

#include <glib/gstdio.h>
#include <string.h>

#define FILES 4 /* three are rotated */

typedef struct {
    char *folder;
    char first[FILES][LOG_HASH_LEN + 1], last[FILES][LOG_HASH_LEN + 1];
    Position *position;
    Count *count;
} Self;

static char *
path_of(const Self *self, guint file)
{
    g_autofree char *name = log_file_name(file + 1 < FILES ? file + 1 : LOG_NUMBER_CURRENT);

    return g_build_filename(self->folder, name, NULL);
}

/* A start and COUNT - 1 others. */
static void
write_file(Self *self, guint file, guint count, char head[LOG_HASH_LEN + 1])
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *path = path_of(self, file);

    if (file == 0)
        fixture_start(text, head, FALSE);
    else
        fixture_file(text, head, file);
    memcpy(self->first[file], head, sizeof self->first[file]);
    for (guint i = 1; i < count; i++)
        fixture_add(text, head, "reload", "Hub", "");
    memcpy(self->last[file], head, sizeof self->last[file]);
    g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
}

static void
set_up(Self *self, const void *data G_GNUC_UNUSED)
{
    char head[LOG_HASH_LEN + 1] = LOG_HASH_NONE;

    self->folder = g_dir_make_tmp("push-XXXXXX", NULL);
    write_file(self, 0, PUSH_LINES, head);
    write_file(self, 1, PUSH_LINES + 1, head);
    write_file(self, 2, 5, head);
    write_file(self, 3, 7, head);
    self->position = position_load(self->folder, NULL);
    self->count = count_new(self->folder);
}

static void
tear_down(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *own = g_build_filename(self->folder, POSITION_FILE, NULL);

    position_free(self->position);
    count_free(self->count);
    for (guint i = 0; i < FILES; i++) {
        g_autofree char *path = path_of(self, i);

        (void)g_unlink(path);
    }
    (void)g_unlink(own);
    (void)g_rmdir(self->folder);
    g_free(self->folder);
}

static void
remove_file(const Self *self, guint file)
{
    g_autofree char *path = path_of(self, file);

    g_assert_cmpint(g_unlink(path), ==, 0);
}

static guint64
inode_of(const Self *self, guint file)
{
    g_autofree char *path = path_of(self, file);
    GStatBuf about;

    g_assert_cmpint(g_stat(path, &about), ==, 0);
    return about.st_ino;
}

static void
count_all(Self *self)
{
    while (count_step(self->count, self->position) != COUNT_OVER)
        ;
}

/* Of each file so many lines at once, and one past that in the next part. */
static void
test_parts(Self *self, const void *data G_GNUC_UNUSED)
{
    static const CountStep steps[] = {COUNT_MORE, COUNT_FILE, COUNT_MORE, COUNT_FILE,
                                      COUNT_FILE, COUNT_OVER, COUNT_OVER};
    guint counted = 0;

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_assert_cmpint(count_step(self->count, self->position), ==, steps[i]);
        counted += steps[i] == COUNT_FILE ? 1 : 0;
        for (guint number = 1; number <= FILES; number++)
            g_assert_true(position_is_waiting(self->position, number) == (number <= counted));
    }
}

/* What was counted is still known after a restart, though the files are gone. */
static void
test_lost(Self *self, const void *data G_GNUC_UNUSED)
{
    Place place = {.line = 9990, .hash = LOG_HASH_NONE};

    count_all(self);
    memcpy(place.first, self->first[0], sizeof place.first);
    position_set_place(self->position, &place);
    g_assert_true(position_save(self->position, NULL));
    position_free(self->position);
    self->position = position_load(self->folder, NULL);
    g_assert_nonnull(self->position);
    g_assert_cmpuint(position_take_lost(self->position, self->folder), ==, 0);
    remove_file(self, 0);
    remove_file(self, 1);
    position_mark_read(self->position, self->first[2]);
    remove_file(self, 2);
    g_assert_cmpuint(position_take_lost(self->position, self->folder), ==,
                     PUSH_LINES - 9990 + PUSH_LINES + 1);
    g_assert_cmpuint(position_take_lost(self->position, self->folder), ==, 0);
}

/* The file that was sent last is gone, and a newer one has its inode. */
static void
test_inode(Self *self, const void *data G_GNUC_UNUSED)
{
    Place place = {.inode = inode_of(self, 2), .offset = 300, .line = 3};

    memset(place.hash, 'a', LOG_HASH_LEN);
    memset(place.first, 'b', LOG_HASH_LEN);
    position_set_place(self->position, &place);
    count_all(self);
    for (guint number = 1; number <= 3; number++)
        g_assert_true(position_is_waiting(self->position, number));
    for (guint i = 0; i < 3; i++)
        remove_file(self, i);
    g_assert_cmpuint(position_take_lost(self->position, self->folder), ==, 2 * PUSH_LINES + 1 + 5);
}

/* COUNT records are behind it. */
static void
expect_rest(LogCursor *cursor, guint count)
{
    LogLine line;

    for (; count > 0; count--)
        g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_LINE);
    g_assert_cmpint(log_cursor_next(cursor, &line, NULL), ==, LOG_STEP_END);
}

/* Neither its inode nor its offset are what they were: the hash is there. */
static void
test_search(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(self->folder);
    g_autoptr(LogCursor) other = log_cursor_new(self->folder);
    Place place = {.inode = inode_of(self, 2), .offset = 300, .line = 3};

    memcpy(place.hash, self->last[1], sizeof place.hash); /* line PUSH_LINES + 1 of the second */
    g_assert_false(push_resume(cursor, self->folder, &place, NULL));
    g_assert_cmpint(push_search(cursor, &place), ==, SEARCH_MORE);
    g_assert_cmpint(push_search(cursor, &place), ==, SEARCH_MORE);
    g_assert_cmpint(push_search(cursor, &place), ==, SEARCH_FOUND);
    expect_rest(cursor, 5 + 7);
    memset(place.hash, 'a', LOG_HASH_LEN);
    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(push_search(other, &place), ==, SEARCH_MORE);
    g_assert_cmpint(push_search(other, &place), ==, SEARCH_OVER);
}

/* It has to be in the file with the inode, where it was. */
static void
test_resume(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autoptr(LogCursor) cursor = log_cursor_new(self->folder);
    g_autofree char *path = path_of(self, 2);
    Place place = {.inode = inode_of(self, 2), .line = 5};
    GStatBuf about;
    char first[LOG_HASH_LEN + 1];

    g_assert_cmpint(g_stat(path, &about), ==, 0);
    memcpy(place.hash, self->last[2], sizeof place.hash);
    place.offset = (guint64)about.st_size - 1;
    g_assert_false(push_resume(cursor, self->folder, &place, NULL));
    g_assert_false(log_cursor_first(cursor, first)); /* it was not moved */
    place.offset++;
    g_assert_true(push_resume(cursor, self->folder, &place, NULL));
    g_assert_true(log_cursor_first(cursor, first));
    g_assert_cmpstr(first, ==, self->first[2]);
    expect_rest(cursor, 7);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Self *self, const void *data);
    } tests[] = {
        {"/push-count/parts", test_parts},   {"/push-count/lost", test_lost},
        {"/push-count/inode", test_inode},   {"/push-count/search", test_search},
        {"/push-count/resume", test_resume},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Self, NULL, set_up, tests[i].func, tear_down);
    return g_test_run();
}
