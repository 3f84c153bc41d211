/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel's listening socket, and who is at its other end (requirement R24). */
#include "common/base/error.h"
#include "daemon/local/listener.h"
#include "daemon/local/peer-uid.h"

#include <glib/gstdio.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A listener of this process's own user. */
static Listener *
listen_on(const char *address, gboolean shared, GError **error)
{
    const ListenerOptions options = {address, shared, getuid()};

    return listener_new(&options, error);
}

static int
connect_to(int listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } address;
    socklen_t len = sizeof address;
    int fd;

    g_assert_cmpint(getsockname(listener, &address.any, &len), ==, 0);
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, &address.any, len), ==, 0);
    return fd;
}

static int
accept_from(int listener)
{
    int fd;

    do {
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    } while (fd < 0);
    return fd;
}

static void
test_tcp(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Listener) listener = listen_on(NULL, FALSE, &error);
    guint32 uid = 12345;
    int client, server;

    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(listener_address(listener), "tcp:127.0.0.1:"));
    g_assert_false(g_str_has_suffix(listener_address(listener), ":0"));
    client = connect_to(listener_fd(listener));
    server = accept_from(listener_fd(listener));
    g_assert_cmpint(peer_uid_get(server, &uid), ==, 0);
    g_assert_cmpuint(uid, ==, getuid());
    /* A process that has closed its end is nobody any more, and not root. */
    close(client);
    g_assert_cmpint(peer_uid_get(server, &uid), ==, -ESRCH);
    close(server);
}

static void
test_in_use(void)
{
    g_autoptr(Listener) first = listen_on("tcp:localhost:0", FALSE, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(first);
    g_assert_null(listen_on(listener_address(first), FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
}

static void
test_not_loopback(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Listener) shared = NULL;

    g_assert_null(listen_on("tcp:0.0.0.0:0", FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_null(listen_on("tcp:[::]:0", FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_null(listen_on("tcp:example.org:0", FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_clear_error(&error);
    shared = listen_on("tcp:0.0.0.0:0", TRUE, &error);
    g_assert_no_error(error);
    g_assert_nonnull(shared);
}

static void
test_unix(void)
{
    g_autofree char *dir = g_dir_make_tmp("streamd-listener-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "socket", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    g_autoptr(GError) error = NULL;
    Listener *listener = listen_on(address, FALSE, &error);
    struct stat status;
    guint32 uid = 12345;
    int client, server;

    g_assert_no_error(error);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    client = connect_to(listener_fd(listener));
    server = accept_from(listener_fd(listener));
    g_assert_cmpint(peer_uid_get(server, &uid), ==, 0);
    g_assert_cmpuint(uid, ==, getuid());
    close(client);
    close(server);
    /* In use: not taken from whoever listens. */
    g_assert_null(listen_on(address, FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    listener_free(listener);
    g_assert_cmpint(stat(path, &status), <, 0);
    (void)g_rmdir(dir);
}

static void
test_unix_stale(void)
{
    g_autofree char *dir = g_dir_make_tmp("streamd-listener-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "socket", NULL);
    g_autofree char *address = g_strconcat("unix:", path, NULL);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    g_autoptr(GError) error = NULL;
    Listener *listener;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&name, sizeof name), ==, 0);
    close(fd); /* the file stays, nobody listens */
    listener = listen_on(address, FALSE, &error);
    g_assert_no_error(error);
    listener_free(listener);
    /* What is no socket is not ours to remove. */
    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    g_assert_null(listen_on(address, FALSE, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    g_assert_cmpint(g_unlink(path), ==, 0);
    (void)g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listener/tcp", test_tcp);
    g_test_add_func("/listener/in-use", test_in_use);
    g_test_add_func("/listener/not-loopback", test_not_loopback);
    g_test_add_func("/listener/unix", test_unix);
    g_test_add_func("/listener/unix-stale", test_unix_stale);
    return g_test_run();
}
