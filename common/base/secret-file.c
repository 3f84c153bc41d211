/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/secret-file.h"

#include "common/base/error.h"
#include "common/base/file.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
    G_GNUC_PRINTF(3, 4) secret_fail(const char *path, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: %s", path, text);
    return FALSE;
}

static gboolean
secret_check(int fd, const char *path, gboolean credential, GError **error)
{
    struct stat status;
    guint mode;

    if (fstat(fd, &status) < 0)
        return secret_fail(path, error, "%s", g_strerror(errno));
    mode = status.st_mode & 07777;
    if (credential)
        return TRUE;
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return secret_fail(path, error,
                           "it holds a key and belongs to user %u; it must belong to user %s: "
                           "chown %s",
                           status.st_uid, g_get_user_name(), g_get_user_name());
    if (mode & 077)
        return secret_fail(path, error,
                           "it holds a key and has mode %04o, so that others may reach it; it "
                           "must be 0600: chmod 0600",
                           mode);
    return TRUE;
}

/* Drops line ends at the end. */
static char *
secret_read(int fd, const char *path, gsize max, GError **error)
{
    gsize had = 0, len;
    char *text = file_read_fd(fd, max, &had, error);

    if (!text) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    for (len = had; len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r');)
        text[--len] = '\0';
    if (len == 0)
        secret_fail(path, error, "it is empty");
    else if (strlen(text) != len)
        secret_fail(path, error, "there is a NUL byte in it");
    else
        return text;
    explicit_bzero(text, had); /* also the bytes behind a NUL */
    g_free(text);
    return NULL;
}

/* A file that only root can read is the usual case: the error says how to fix it. */
static gboolean
secret_fail_open(const char *path, const GError *failure, GError **error)
{
    const char *user = g_get_user_name();
    struct stat status;

    if (failure->code != STREAMD_ERROR_DENIED)
        return secret_fail(path, error, "%s", failure->message);
    if (stat(path, &status) < 0)
        return secret_fail(path, error, "%s: user %s cannot enter its folder", failure->message,
                           user);
    return secret_fail(
        path, error,
        "%s: it belongs to user %u, and user %s has to read it: chown %s %s; or load "
        "it as a credential, with LoadCredential= in the unit",
        failure->message, status.st_uid, user, user, path);
}

static gboolean
is_credential(const char *path)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *parent = g_path_get_dirname(path);

    return directory && g_path_is_absolute(directory) && strcmp(parent, directory) == 0;
}

char *
secret_file_read(const char *path, gsize max, GError **error)
{
    g_autoptr(GError) failure = NULL;
    int fd = file_open(path, &failure);
    char *secret = NULL;

    if (fd < 0) {
        (void)secret_fail_open(path, failure, error);
        return NULL;
    }
    if (secret_check(fd, path, is_credential(path), error))
        secret = secret_read(fd, path, max, error);
    close(fd);
    return secret;
}

char *
secret_file_read_credential(const char *name, gsize max, GError **error)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = NULL;

    if (strchr(name, '/') || name[0] == '.' || name[0] == '\0') {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "a credential's name is not a path and does not begin with a dot");
        return NULL;
    }
    if (!directory || !*directory) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the service has no credentials: they are given to it with "
                            "LoadCredential= in its unit");
        return NULL;
    }
    path = g_build_filename(directory, name, NULL);
    return secret_file_read(path, max, error);
}
