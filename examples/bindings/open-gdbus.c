/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a stream with what gdbus-codegen makes of the installed XML:
 *
 *   gdbus-codegen --interface-prefix io.streamd.Streamd1. --c-namespace Streamd \
 *     --c-generate-autocleanup all \
 *     --generate-c-code streamd-gdbus XML...
 *
 * open-gdbus DEVICE STREAM: writes a line, prints what comes back and how the stream ended. */
#include "streamd-gdbus.h"

#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "io.streamd.Streamd1"
#define ROOT "/io/streamd/Streamd1"

static int
talk(int fd)
{
    char buffer[100];
    ssize_t n;

    if (send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6 || shutdown(fd, SHUT_WR) < 0)
        return 1;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)n, stdout);
    close(fd);
    return n < 0;
}

/* The stream itself is an object, whose properties change until it has ended. */
static void
await_end(const char *path)
{
    g_autoptr(StreamdStream) stream = streamd_stream_proxy_new_for_bus_sync(
        G_BUS_TYPE_SESSION, G_DBUS_PROXY_FLAGS_NONE, NAME, path, NULL, NULL);

    while (stream && streamd_stream_get_closed_at(stream) == 0)
        g_main_context_iteration(NULL, TRUE);
    if (stream)
        printf("%s\n", streamd_stream_get_close_reason(stream));
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) handle = NULL;
    g_autofree char *path = NULL;
    g_autoptr(StreamdManager) manager = streamd_manager_proxy_new_for_bus_sync(
        G_BUS_TYPE_SESSION, G_DBUS_PROXY_FLAGS_NONE, NAME, ROOT, NULL, &error);

    if (argc != 3 || !manager ||
        !streamd_manager_call_open_stream_sync(manager, "", argv[1], argv[2],
                                               g_variant_new("a{sv}", NULL), NULL, &handle, &path,
                                               &fds, NULL, &error)) {
        fprintf(stderr, "%s\n", error ? error->message : "open-gdbus DEVICE STREAM");
        return 1;
    }
    if (talk(g_unix_fd_list_get(fds, g_variant_get_handle(handle), NULL)) != 0)
        return 1;
    await_end(path);
    return 0;
}
