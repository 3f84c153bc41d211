/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/private-file.h"

#include "common/base/error.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
file_error_set(const char *path, int number, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(number), "%s: %s", path,
                g_strerror(number));
    return FALSE;
}

/* 0, or an errno. */
static int
write_all(int fd, const char *bytes, gsize len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);

        if (done < 0 && errno != EINTR)
            return errno;
        if (done > 0) {
            bytes += done;
            len -= (gsize)done;
        }
    }
    return fsync(fd) < 0 ? errno : 0;
}

static gboolean
file_write(const char *path, mode_t mode, const void *bytes, gsize len, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    int result;

    if (fd < 0)
        return file_error_set(path, errno, error);
    /* Sets the mode whatever the umask is. */
    result = fchmod(fd, mode) < 0 ? errno : write_all(fd, bytes, len);
    if (close(fd) < 0 && result == 0)
        result = errno;
    if (result == 0)
        return TRUE;
    (void)g_unlink(path);
    return file_error_set(path, result, error);
}

gboolean
private_file_write(const char *path, const void *bytes, gsize len, GError **error)
{
    return file_write(path, 0600, bytes, len, error);
}

gboolean
public_file_write(const char *path, const void *bytes, gsize len, GError **error)
{
    return file_write(path, 0644, bytes, len, error);
}

gboolean
public_file_replace(const char *path, const void *bytes, gsize len, GError **error)
{
    g_autofree char *next = g_strconcat(path, ".new", NULL);

    (void)g_unlink(next); /* left by one that was interrupted */
    if (!public_file_write(next, bytes, len, error))
        return FALSE;
    if (g_rename(next, path) == 0)
        return TRUE;
    (void)file_error_set(path, errno, error);
    (void)g_unlink(next);
    return FALSE;
}

gboolean
private_folder_make(const char *path, GError **error)
{
    struct stat info;

    if (g_mkdir_with_parents(path, 0700) < 0)
        return file_error_set(path, errno, error);
    if (stat(path, &info) < 0)
        return file_error_set(path, errno, error);
    return S_ISDIR(info.st_mode) || file_error_set(path, ENOTDIR, error);
}

gboolean
private_file_check(const char *path, GError **error)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return file_error_set(path, errno, error);
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: it is not a regular file",
                    path);
        return FALSE;
    }
    if ((info.st_mode & 077) == 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                "%s: others than its owner have access to it (mode %03o), and it holds keys", path,
                info.st_mode & 0777);
    return FALSE;
}

/* A link could lead to a key of somebody else's that this user may read, and another name of the
 * file be one under which others write to it. */
static int
open_own(const char *path, struct stat *ret, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

    if (fd < 0) {
        g_set_error(error, STREAMD_ERROR,
                    errno == ENOENT ? STREAMD_ERROR_NOT_FOUND : STREAMD_ERROR_INVALID, "%s: %s",
                    path, g_strerror(errno));
        return -1;
    }
    if (fstat(fd, ret) == 0 && S_ISREG(ret->st_mode) && ret->st_nlink == 1)
        return fd;
    close(fd);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                "%s: it is not a regular file with one name", path);
    return -1;
}

char *
private_file_read(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct stat info;
    int fd = open_own(path, &info, error);
    char *text = NULL;

    if (fd < 0)
        return NULL;
    if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    "%s: it belongs to user %u with mode %04o, and must be of user %u alone (0600)",
                    path, info.st_uid, info.st_mode & 07777, geteuid());
    } else {
        text = file_read_fd(fd, FILE_PEM_MAX, NULL, &failure);
        if (!text)
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path,
                        failure->message);
    }
    close(fd);
    return text;
}

gboolean
private_file_take(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct stat info;
    int fd = open_own(path, &info, &failure);
    gboolean ok;

    if (fd < 0) {
        ok = g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
        if (!ok)
            g_propagate_error(error, g_steal_pointer(&failure));
        return ok;
    }
    ok = (fchown(fd, 0, 0) == 0 && fchmod(fd, 0600) == 0) || file_error_set(path, errno, error);
    close(fd);
    return ok;
}
