/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/file.h"

#include "common/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static void
set_error(GError **error, int number)
{
    StreamdError code = number == ENOENT   ? STREAMD_ERROR_NOT_FOUND
                        : number == EACCES ? STREAMD_ERROR_DENIED
                                           : STREAMD_ERROR_INVALID;

    g_set_error_literal(error, STREAMD_ERROR, (int)code, g_strerror(number));
}

static gboolean
file_check(int fd, GError **error)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        set_error(error, errno);
        return FALSE;
    }
    if (S_ISREG(status.st_mode))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "it is %s and not a regular file",
                kind_name(status.st_mode));
    return FALSE;
}

/* O_NONBLOCK: a FIFO must not hold us up; of a regular file it changes nothing. */
int
file_open(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        if (errno == ENXIO) /* a socket */
            g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                                "it is a socket or a device, and not a regular file");
        else
            set_error(error, errno);
        return -1;
    }
    if (file_check(fd, error))
        return fd;
    close(fd);
    return -1;
}

char *
file_read_fd(int fd, gsize max, gsize *ret_len, GError **error)
{
    char *text = g_malloc(max + 2);
    gsize len = 0;
    ssize_t r = 0;

    while (len <= max) {
        r = read(fd, text + len, max + 1 - len);
        if (r == 0 || (r < 0 && errno != EINTR))
            break;
        len += r > 0 ? (gsize)r : 0;
    }
    if (r >= 0 && len <= max) {
        text[len] = '\0';
        if (ret_len)
            *ret_len = len;
        return text;
    }
    if (r < 0)
        set_error(error, errno);
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "it is larger than %zu bytes",
                    max);
    explicit_bzero(text, len);
    g_free(text);
    return NULL;
}

char *
file_read(const char *path, gsize max, gsize *ret_len, GError **error)
{
    g_autoptr(GError) failure = NULL;
    int fd = file_open(path, &failure);
    char *text = NULL;

    if (fd >= 0) {
        text = file_read_fd(fd, max, ret_len, &failure);
        close(fd);
    }
    if (!text)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path, failure->message);
    return text;
}
