/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listening sockets that one process leaves to the next one. */
#include "common/base/error.h"
#include "daemon/local/listener.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* As the service manager has them: copies of the sockets of LISTENER, which is left. */
static guint
leave(Listener *listener, int *fds)
{
    const guint count = listener_sockets(listener);

    for (guint i = 0; i < count; i++)
        fds[i] = fcntl(listener_fd(listener, i), F_DUPFD_CLOEXEC, 0);
    listener_leave(listener);
    return count;
}

static Listener *
listen_on(const char *address)
{
    g_autoptr(GError) error = NULL;
    Listener *listener = listener_new(&(ListenerOptions){address, FALSE, getuid()}, &error);

    g_assert_no_error(error);
    return listener;
}

/* Connects to the peer's side of FD and back: what waits in the backlog is taken later. */
static int
connect_to(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } address;
    socklen_t len = sizeof address;
    int client;

    g_assert_cmpint(getsockname(fd, &address.any, &len), ==, 0);
    client = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client, &address.any, len), ==, 0);
    return client;
}

static void
check_goes_on(const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Listener) after = NULL;
    Listener *before = listen_on(wanted);
    g_autofree char *address = g_strdup(listener_address(before));
    const ListenerFile file = listener_file(before);
    int fds[LISTENER_SOCKETS_MAX], client, server;
    const guint count = leave(before, fds);

    client = connect_to(fds[0]); /* while there is no process */
    after = listener_adopt(address, &file, fds, count, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(listener_address(after), ==, address);
    g_assert_cmpuint(listener_sockets(after), ==, count);
    server = accept4(listener_fd(after, 0), NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(server, >=, 0);
    close(server);
    close(client);
}

static void
test_tcp(void)
{
    check_goes_on("tcp:127.0.0.1:0");
}

static void
test_unix(void)
{
    g_autofree char *dir = g_dir_make_tmp("streamd-adopt-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "socket", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);

    check_goes_on(address);
    g_assert_cmpint(g_access(path, F_OK), ==, -1); /* the last one removes it */
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
refused(const char *address, const ListenerFile *file, const int *fds, guint count)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(listener_adopt(address, file, fds, count, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    for (guint i = 0; i < count; i++)
        g_assert_cmpint(fcntl(fds[i], F_GETFD), ==, -1); /* taken all the same */
}

/* Somebody else has put a file there meanwhile: it stays. */
static void
test_other_file(void)
{
    g_autofree char *dir = g_dir_make_tmp("streamd-adopt-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "socket", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    Listener *listener = listen_on(address);
    const ListenerFile file = listener_file(listener);
    int fds[LISTENER_SOCKETS_MAX];
    const guint count = leave(listener, fds);

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_true(g_file_set_contents(path, "other", -1, NULL));
    refused(address, &file, fds, count);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_not_listening(void)
{
    const ListenerFile none = {0};
    int fds[LISTENER_SOCKETS_MAX + 1] = {0};

    refused("tcp:127.0.0.1:1", &none, fds, 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    refused("tcp:127.0.0.1:1", &none, fds, 1);
    for (guint i = 0; i <= LISTENER_SOCKETS_MAX; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(listen(fds[i], 1), ==, 0);
    }
    refused("tcp:127.0.0.1:1", &none, fds, LISTENER_SOCKETS_MAX + 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listener-adopt/tcp", test_tcp);
    g_test_add_func("/listener-adopt/unix", test_unix);
    g_test_add_func("/listener-adopt/other-file", test_other_file);
    g_test_add_func("/listener-adopt/not-listening", test_not_listening);
    return g_test_run();
}
