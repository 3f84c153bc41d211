/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/socket-dial.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>

struct SocketDial {
    Runtime *runtime;
    GCancellable *cancellable;
    guint limit;
    gboolean timed_out;
    SocketDialDone done; /* NULL: cancelled */
    void *data;
};

static void
socket_dial_free(SocketDial *dial)
{
    if (dial->limit)
        g_source_remove(dial->limit);
    g_object_unref(dial->cancellable);
    dial->runtime->away--;
    g_free(dial);
}

/* The GSocket keeps its own descriptor and closes it; ours is a duplicate. */
static int
socket_dial_take(GSocketConnection *connection, GError **error)
{
    int fd = fcntl(g_socket_get_fd(g_socket_connection_get_socket(connection)), F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s", g_strerror(errno));
    return fd;
}

static void
socket_dial_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    SocketDial *dial = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);
    int fd = -1;

    if (dial->done && connection)
        fd = socket_dial_take(connection, &error);
    if (dial->timed_out && fd < 0) {
        g_clear_error(&error);
        g_set_error_literal(&error, STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT, "no answer in time");
    }
    if (dial->done)
        dial->done(fd, error, dial->data);
    socket_dial_free(dial);
}

static gboolean
socket_dial_limit(gpointer data)
{
    SocketDial *dial = data;

    dial->limit = 0;
    dial->timed_out = TRUE;
    g_cancellable_cancel(dial->cancellable);
    return G_SOURCE_REMOVE;
}

SocketDial *
socket_dial_new(Runtime *runtime, GSocketConnectable *to, gint64 limit, SocketDialDone done,
                void *data)
{
    SocketDial *dial = g_new0(SocketDial, 1);
    g_autoptr(GSocketClient) client = g_socket_client_new();

    dial->runtime = runtime;
    dial->cancellable = g_cancellable_new();
    dial->done = done;
    dial->data = data;
    dial->limit = g_timeout_add((guint)(limit / 1000), socket_dial_limit, dial);
    runtime->away++;
    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_connect_async(client, to, dial->cancellable, socket_dial_connected, dial);
    return dial;
}

void
socket_dial_cancel(SocketDial *dial)
{
    if (!dial)
        return;
    dial->done = NULL;
    g_cancellable_cancel(dial->cancellable);
}
