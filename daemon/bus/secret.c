/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/secret.h"

#include "common/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct BusSecret {
    int fd;
    char *text; /* MAX + 1 bytes and a NUL; one byte over MAX is enough to refuse */
    gsize length;
    gsize max;
    guint ready; /* GSource ids */
    guint timer;
    BusSecretDone done;
    void *data;
};

static void
bus_secret_free(BusSecret *secret)
{
    g_clear_handle_id(&secret->ready, g_source_remove);
    g_clear_handle_id(&secret->timer, g_source_remove);
    explicit_bzero(secret->text, secret->max + 2);
    g_free(secret->text);
    (void)close(secret->fd);
    g_free(secret);
}

static void
bus_secret_fail(BusSecret *secret, StreamdError code, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(STREAMD_ERROR, (int)code, text);

    secret->done(NULL, error, secret->data);
    bus_secret_free(secret);
}

static void
bus_secret_finish(BusSecret *secret)
{
    gsize length = secret->length;

    if (length > 0 && secret->text[length - 1] == '\n')
        length--;
    if (length > 0 && secret->text[length - 1] == '\r')
        length--;
    secret->text[length] = '\0';
    if (length == 0 || strlen(secret->text) != length) {
        bus_secret_fail(secret, STREAMD_ERROR_INVALID,
                        length == 0 ? "the credentials are empty"
                                    : "the credentials hold a NUL byte");
        return;
    }
    secret->done(secret->text, NULL, secret->data);
    bus_secret_free(secret);
}

static gboolean
bus_secret_on_ready(int fd, GIOCondition condition, gpointer data)
{
    BusSecret *secret = data;
    ssize_t n = read(fd, secret->text + secret->length, secret->max + 1 - secret->length);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n > 0)
        secret->length += (gsize)n;
    if (n > 0 && secret->length <= secret->max)
        return G_SOURCE_CONTINUE;
    secret->ready = 0;
    if (n < 0)
        bus_secret_fail(secret, STREAMD_ERROR_INVALID, "the credentials cannot be read");
    else if (secret->length > secret->max)
        bus_secret_fail(secret, STREAMD_ERROR_INVALID, "the credentials are too long");
    else
        bus_secret_finish(secret);
    return G_SOURCE_REMOVE;
}

static gboolean
bus_secret_on_timeout(gpointer data)
{
    BusSecret *secret = data;

    secret->timer = 0;
    bus_secret_fail(secret, STREAMD_ERROR_TIMED_OUT,
                    "the credentials' descriptor was not closed by its writer in time");
    return G_SOURCE_REMOVE;
}

static gboolean
bus_secret_is_safe(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return FALSE;
    if (S_ISREG(status.st_mode))
        return fcntl(fd, F_GET_SEALS) >= 0; /* memory only: no disk or network behind it */
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
}

BusSecret *
bus_secret_read(int fd, gsize max, BusSecretDone done, void *data, GError **error)
{
    BusSecret *secret;
    int copy;

    if (!bus_secret_is_safe(fd)) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "credentials come from a pipe, a socket or a memfd");
        return NULL;
    }
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0 || !g_unix_set_fd_nonblocking(copy, TRUE, NULL)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED,
                    "the credentials cannot be read: %s", g_strerror(errno));
        if (copy >= 0)
            (void)close(copy);
        return NULL;
    }
    secret = g_new0(BusSecret, 1);
    secret->fd = copy;
    secret->max = max;
    secret->text = g_malloc0(max + 2);
    secret->done = done;
    secret->data = data;
    secret->ready = g_unix_fd_add(copy, G_IO_IN | G_IO_HUP | G_IO_ERR, bus_secret_on_ready, secret);
    secret->timer = g_timeout_add((guint)(BUS_SECRET_TIMEOUT / G_TIME_SPAN_MILLISECOND),
                                  bus_secret_on_timeout, secret);
    return secret;
}

void
bus_secret_cancel(BusSecret *secret)
{
    if (secret != NULL)
        bus_secret_free(secret);
}
