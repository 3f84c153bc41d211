/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private files: what is taken for a key of ours where somebody else may write, and what a key that
 * is given back to root must be. */
#include "common/base/error.h"
#include "hub/base/private-file.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder, *path, *other;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->folder = g_dir_make_tmp("private-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "key", NULL);
    f->other = g_build_filename(f->folder, "other", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    (void)g_unlink(f->path);
    (void)g_rmdir(f->path);
    (void)g_unlink(f->other);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->path);
    g_free(f->other);
}

typedef enum { PLAIN, GROUP, LINK, SECOND_NAME, FIFO, FOLDER, NOTHING, KINDS } Kind;

static const struct {
    const char *name;
    int code; /* of private_file_read; 0: taken */
    gboolean take;
} kinds[KINDS] = {
    [PLAIN] = {"plain", 0, TRUE},
    [GROUP] = {"group", STREAMD_ERROR_DENIED, TRUE},
    [LINK] = {"link", STREAMD_ERROR_INVALID, FALSE},
    [SECOND_NAME] = {"second-name", STREAMD_ERROR_DENIED, FALSE},
    [FIFO] = {"fifo", STREAMD_ERROR_DENIED, FALSE},
    [FOLDER] = {"folder", STREAMD_ERROR_DENIED, FALSE},
    [NOTHING] = {"nothing", STREAMD_ERROR_NOT_FOUND, TRUE},
};

static void
make(const Fixture *f, Kind kind)
{
    const char *file = kind == LINK ? f->other : f->path;

    if (kind == FIFO)
        g_assert_cmpint(mkfifo(file, 0600), ==, 0);
    else if (kind == FOLDER)
        g_assert_cmpint(g_mkdir(file, 0700), ==, 0);
    else if (kind != NOTHING)
        g_assert_true(private_file_write(file, "secret", 6, NULL));
    if (kind == GROUP)
        g_assert_cmpint(g_chmod(file, 0640), ==, 0);
    if (kind == LINK)
        g_assert_cmpint(symlink(f->other, f->path), ==, 0);
    if (kind == SECOND_NAME)
        g_assert_cmpint(link(f->path, f->other), ==, 0);
}

static void
test_read(Fixture *f, gconstpointer data)
{
    Kind kind = (Kind)GPOINTER_TO_INT(data);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    make(f, kind);
    text = private_file_read(f->path, &error);
    if (kinds[kind].code == 0) {
        g_assert_cmpstr(text, ==, "secret");
        return;
    }
    g_assert_error(error, STREAMD_ERROR, kinds[kind].code);
    g_assert_true(g_str_has_prefix(error->message, f->path));
    g_assert_null(text);
}

/* Only root may give a file to root; for others the system says so, except where nothing is. */
static void
test_take(Fixture *f, gconstpointer data)
{
    Kind kind = (Kind)GPOINTER_TO_INT(data);
    g_autoptr(GError) error = NULL;
    gboolean may = kind == NOTHING || geteuid() == 0;
    struct stat info;

    make(f, kind);
    if (geteuid() == 0 && kind != NOTHING)
        g_assert_cmpint(lchown(f->path, 61234, 61234), ==, 0);
    g_assert_true(private_file_take(f->path, &error) == (kinds[kind].take && may));
    if (kind == NOTHING || geteuid() != 0)
        return;
    g_assert_cmpint(lstat(f->path, &info), ==, 0);
    g_assert_cmpuint(info.st_uid, ==, kinds[kind].take ? 0 : 61234);
    if (kinds[kind].take)
        g_assert_cmpuint(info.st_mode & 07777, ==, 0600);
}

static void
test_replace(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *left = g_strconcat(f->path, ".new", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(left, "torn", 4, NULL));
    for (int i = 0; i < 2; i++) {
        g_assert_true(public_file_replace(f->path, i ? "two" : "one", 3, NULL));
        g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
    }
    g_assert_true(g_file_get_contents(f->path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "two");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < KINDS; i++) {
        g_autofree char *read = g_strconcat("/private-file/read/", kinds[i].name, NULL);
        g_autofree char *take = g_strconcat("/private-file/take/", kinds[i].name, NULL);

        g_test_add(read, Fixture, GINT_TO_POINTER(i), set_up, test_read, tear_down);
        g_test_add(take, Fixture, GINT_TO_POINTER(i), set_up, test_take, tear_down);
    }
    g_test_add("/private-file/replace", Fixture, NULL, set_up, test_replace, tear_down);
    return g_test_run();
}
