/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/app-end.h"

#include "common/base/error.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct AppEnd {
    Stream *stream;
    int fd;
    AppEndDone done; /* NULL: cancelled */
    void *data;
};

gboolean
app_end_socketpair(int ret[2], GError **error)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) == 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "no descriptors left: %s",
                g_strerror(errno));
    return FALSE;
}

AppEnd *
app_end_new(Stream *stream, AppEndDone done, void *data, GError **error)
{
    AppEnd *end;
    int fds[2];

    if (!app_end_socketpair(fds, error))
        return NULL;
    stream_set_local(stream, connection_new(fds[0]));
    end = g_new0(AppEnd, 1);
    *end = (AppEnd){stream, fds[1], done, data};
    return end;
}

void
app_end_finish(AppEnd *end, const GError *error)
{
    /* Cut the stream before closing the descriptor, which alone would be an orderly end. */
    if (!error && !end->done)
        stream_close(end->stream, REASON_LOCAL_CUT);
    if (error || !end->done)
        close(end->fd);
    if (end->done)
        end->done(end->stream, error ? -1 : end->fd, error, end->data);
    g_free(end);
}

void
app_end_cancel(AppEnd *end)
{
    end->done = NULL;
}
