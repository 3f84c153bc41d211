/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files whose names somebody gave: what is read, what is refused, and that nothing waits. */
#include "common/base/file.h"

#include "common/base/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BOUND ((gsize)100)

typedef struct {
    char *folder;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->folder = g_dir_make_tmp("file-XXXXXX", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    GDir *dir = g_dir_open(fixture->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);

        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
}

static char *
path_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->folder, name, NULL);
}

static char *
write_file(const Fixture *fixture, const char *name, gsize len)
{
    g_autofree char *text = g_strnfill(len, 'x');
    char *path = path_of(fixture, name);

    g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
    return path;
}

/* At once, and with a message that begins with the path. */
static void
assert_refused(const char *path, const char *word)
{
    g_autoptr(GError) error = NULL;
    gint64 begin = g_get_monotonic_time();

    g_assert_null(file_read(path, BOUND, NULL, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_nonnull(strstr(error->message, word));
    g_assert_cmpint(g_get_monotonic_time() - begin, <, G_TIME_SPAN_SECOND);
}

static void
assert_read(const char *path, gsize expected)
{
    g_autoptr(GError) error = NULL;
    gsize len = 1;
    g_autofree char *text = file_read(path, BOUND, &len, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(len, ==, expected);
    g_assert_cmpuint(strlen(text), ==, expected);
}

static void
test_size(Fixture *fixture, gconstpointer data)
{
    g_autofree char *empty = write_file(fixture, "empty", 0);
    g_autofree char *most = write_file(fixture, "most", BOUND);
    g_autofree char *more = write_file(fixture, "more", BOUND + 1);
    g_autofree char *sparse = write_file(fixture, "sparse", 1);

    assert_read(empty, 0);
    assert_read(most, BOUND);
    assert_refused(more, "larger than 100 bytes");
    g_assert_cmpint(truncate(sparse, (off_t)1 << 40), ==, 0);
    assert_refused(sparse, "larger than 100 bytes");
}

static void
test_links(Fixture *fixture, gconstpointer data)
{
    g_autofree char *file = write_file(fixture, "file", 7);
    g_autofree char *link = path_of(fixture, "link"), *far = path_of(fixture, "far");
    g_autofree char *broken = path_of(fixture, "broken"), *circle = path_of(fixture, "circle");
    g_autofree char *zero = path_of(fixture, "zero");

    g_assert_nonnull(file);
    g_assert_cmpint(symlink("file", link), ==, 0);
    g_assert_cmpint(symlink(link, far), ==, 0);
    g_assert_cmpint(symlink("nothing", broken), ==, 0);
    g_assert_cmpint(symlink("circle", circle), ==, 0);
    g_assert_cmpint(symlink("/dev/zero", zero), ==, 0);
    assert_read(link, 7);
    assert_read(far, 7);
    assert_refused(broken, "No such file");
    assert_refused(circle, "");
    assert_refused(zero, "it is a device");
}

static void
test_others(Fixture *fixture, gconstpointer data)
{
    g_autofree char *fifo = path_of(fixture, "fifo"), *path = path_of(fixture, "socket");
    g_autofree char *none = path_of(fixture, "none"), *below = NULL;
    g_autofree char *file = write_file(fixture, "file", 7);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_strlcpy(at.sun_path, path, sizeof at.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
    assert_refused(fifo, "it is a FIFO");
    assert_refused(path, "not a regular file");
    assert_refused("/dev/zero", "it is a device");
    assert_refused("/dev/null", "it is a device");
    assert_refused(fixture->folder, "it is a directory");
    assert_refused(none, "No such file");
    below = g_build_filename(file, "x", NULL);
    assert_refused(below, "Not a directory");
    close(fd);
}

static void
test_unreadable(Fixture *fixture, gconstpointer data)
{
    g_autofree char *file = write_file(fixture, "file", 7);

    g_assert_cmpint(chmod(file, 0), ==, 0);
    if (access(file, R_OK) == 0) /* root may read everything: as somebody else */
        g_assert_cmpint(seteuid(65534), ==, 0);
    if (access(fixture->folder, X_OK) == 0 || geteuid() == 65534)
        assert_refused(file, "Permission denied");
    if (geteuid() != getuid())
        g_assert_cmpint(seteuid(getuid()), ==, 0);
}

/* Somebody who watches for a file that may be missing can tell that from all else. */
static void
test_missing(Fixture *fixture, gconstpointer data)
{
    g_autofree char *none = path_of(fixture, "none");
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(file_open(none, &error), ==, -1);
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_cmpint(file_open(fixture->folder, &error), ==, -1);
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
}

#define ADD(name, func) g_test_add("/file/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("size", test_size);
    ADD("links", test_links);
    ADD("others", test_others);
    ADD("unreadable", test_unreadable);
    ADD("missing", test_missing);
    return g_test_run();
}
