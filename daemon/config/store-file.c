/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-file.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/config/store-upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_MAGIC "streamd-store"
#define TORN_SUFFIX 6 /* the random part of g_mkstemp's names */
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static gboolean
store_file_fail(const char *path, const char *text, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: %s; restore it from a backup, or remove it to start empty", path, text);
    return FALSE;
}

static gboolean
store_file_fail_errno(const char *path, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
    return FALSE;
}

static char *
store_file_checksum(const char *body)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
}

/* Moves the body, which follows the first line, to the front of TEXT. */
static StoreFileResult
store_file_check(const char *path, char *text, int *ret_version, GError **error)
{
    char *body = strchr(text, '\n');
    g_autofree char *sum = NULL;
    char stored[65] = "";
    int version = 0, fields = 0;

    if (body)
        fields = sscanf(text, STORE_MAGIC " version=%d sha256=%64[0-9a-f]", &version, stored);
    if (fields >= 1 && version > STORE_VERSION) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_BUSY,
                    "%s: it has version %d, and this streamd reads %d to %d; use the streamd that "
                    "wrote it, or remove it to start empty",
                    path, version, STORE_VERSION_OLDEST, STORE_VERSION);
        return STORE_FILE_NEWER;
    }
    if (fields != 2 || version < STORE_VERSION_OLDEST) {
        store_file_fail(path, "it does not begin as a file of streamd's", error);
        return STORE_FILE_REFUSED;
    }
    sum = store_file_checksum(++body);
    if (strcmp(sum, stored) != 0) {
        store_file_fail(path, "it is damaged: its checksum does not match", error);
        return STORE_FILE_REFUSED;
    }
    memmove(text, body, strlen(body) + 1);
    *ret_version = version;
    return STORE_FILE_READ;
}

static gboolean
store_file_check_rights(const char *path, const struct stat *status, mode_t forbidden,
                        GError **error)
{
    if (!S_ISREG(status->st_mode))
        return store_file_fail(path, "it is not a regular file", error);
    if (status->st_size > STORE_FILE_MAX)
        return store_file_fail(path, "it is too large", error);
    if ((status->st_uid == 0 || status->st_uid == geteuid()) && !(status->st_mode & forbidden))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: it belongs to user %u and has mode %04o; it must belong to user %u and have "
                "mode 0600",
                path, status->st_uid, status->st_mode & 07777, geteuid());
    return FALSE;
}

/* Reads the whole file. */
static char *
store_file_read_fd(int fd, const char *path, mode_t forbidden, GError **error)
{
    struct stat status = {0};
    g_auto(SecretText) text = NULL;
    gsize size, len = 0;
    ssize_t r = 0;

    if (fstat(fd, &status) < 0) {
        store_file_fail_errno(path, error);
        return NULL;
    }
    if (!store_file_check_rights(path, &status, forbidden, error))
        return NULL;
    size = (gsize)status.st_size;
    text = g_malloc0(size + 1);
    while (len < size && (r = read(fd, text + len, size - len)) > 0)
        len += (gsize)r;
    if (r < 0) {
        store_file_fail_errno(path, error);
        return NULL;
    }
    if (strlen(text) != size) {
        store_file_fail(path, "it is damaged: a byte of it is 0", error);
        return NULL;
    }
    return g_steal_pointer(&text);
}

static StoreFileResult
store_file_read_whole(const char *path, mode_t forbidden, char **ret, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text;

    if (fd < 0 && errno == ENOENT)
        return STORE_FILE_ABSENT;
    if (fd < 0) {
        store_file_fail_errno(path, error);
        return STORE_FILE_REFUSED;
    }
    text = store_file_read_fd(fd, path, forbidden, error);
    (void)close(fd);
    if (!text)
        return STORE_FILE_REFUSED;
    *ret = text;
    return STORE_FILE_READ;
}

StoreFileResult
store_file_read(const char *path, mode_t forbidden, char **ret_body, int *ret_version,
                GError **error)
{
    g_auto(SecretText) text = NULL;
    StoreFileResult result = store_file_read_whole(path, forbidden, &text, error);

    if (result == STORE_FILE_READ)
        result = store_file_check(path, text, ret_version, error);
    if (result == STORE_FILE_READ)
        *ret_body = g_steal_pointer(&text);
    return result;
}

/* Takes FD. */
static gboolean
store_file_fill(int fd, const char *path, const char *text, GError **error)
{
    gsize size = strlen(text), len = 0;
    gboolean good = TRUE;

    while (good && len < size) {
        ssize_t r = write(fd, text + len, size - len);

        good = r >= 0 || errno == EINTR;
        len += r > 0 ? (gsize)r : 0;
    }
    good = good && fsync(fd) == 0;
    if (!good)
        store_file_fail_errno(path, error);
    if (close(fd) < 0 && good)
        return store_file_fail_errno(path, error);
    return good;
}

/* Some file systems cannot sync a folder and return EINVAL. */
gboolean
store_file_sync_folder(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    gboolean good;

    if (fd < 0)
        return store_file_fail_errno(path, error);
    good = fsync(fd) == 0 || errno == EINVAL;
    if (!good)
        store_file_fail_errno(path, error);
    (void)close(fd);
    return good;
}

static StoreFileOutcome
store_file_replace(const char *path, const char *text, GError **error)
{
    g_autofree char *beside = g_strconcat(path, ".new.XXXXXX", NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, 0600);
    gboolean good;

    if (fd < 0) {
        store_file_fail_errno(path, error);
        return STORE_FILE_UNCHANGED;
    }
    good = store_file_fill(fd, path, text, error);
    if (good && rename(beside, path) < 0)
        good = store_file_fail_errno(path, error);
    if (!good) {
        (void)unlink(beside);
        return STORE_FILE_UNCHANGED;
    }
    return store_file_sync_folder(folder, error) ? STORE_FILE_WRITTEN : STORE_FILE_UNCERTAIN;
}

StoreFileOutcome
store_file_write(const char *path, const char *body, GError **error)
{
    g_autofree char *sum = store_file_checksum(body);
    g_auto(SecretText) text =
        g_strdup_printf(STORE_MAGIC " version=%d sha256=%s\n%s", STORE_VERSION, sum, body);

    if (strlen(body) <= STORE_FILE_BODY_MAX)
        return store_file_replace(path, text, error);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                "%s would be larger than %d bytes, which is the limit", path, STORE_FILE_BODY_MAX);
    return STORE_FILE_UNCHANGED;
}

gboolean
store_file_is_copy(const char *from, const char *to)
{
    g_auto(SecretText) text = NULL, present = NULL;

    return store_file_read_whole(from, 0, &text, NULL) == STORE_FILE_READ &&
           store_file_read_whole(to, 0, &present, NULL) == STORE_FILE_READ &&
           secret_equals(present, text);
}

gboolean
store_file_copy(const char *from, const char *to, GError **error)
{
    g_auto(SecretText) text = NULL;
    StoreFileResult result = store_file_read_whole(from, 0, &text, error);

    if (result != STORE_FILE_READ)
        return result == STORE_FILE_ABSENT;
    if (store_file_is_copy(from, to))
        return TRUE;
    return store_file_replace(to, text, error) == STORE_FILE_WRITTEN;
}

gboolean
store_file_is_torn(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name || strlen(dot + 1) != TORN_SUFFIX ||
        strspn(dot + 1, SMALL CAPITALS DIGITS) != TORN_SUFFIX)
        return FALSE;
    if (dot - name >= 4 && strncmp(dot - 4, ".new", 4) == 0)
        return TRUE;
    return strspn(dot + 1, SMALL) < TORN_SUFFIX && strspn(dot + 1, CAPITALS) < TORN_SUFFIX &&
           strspn(dot + 1, DIGITS) < TORN_SUFFIX;
}
