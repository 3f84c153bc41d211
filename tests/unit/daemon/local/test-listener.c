/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel's listening socket, and who is at its other end (requirement R24). */
#include "common/base/error.h"
#include "daemon/local/listener.h"
#include "daemon/local/peer-uid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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
    client = connect_to(listener_fd(listener, 0));
    server = accept_from(listener_fd(listener, 0));
    g_assert_cmpint(peer_uid_get(server, &uid), ==, 0);
    g_assert_cmpuint(uid, ==, getuid());
    close(client);
    close(server);
}

/* A socket on the other loopback, or on the one itself, at the port of ADDRESS. */
static int
take_port(int family, const char *address)
{
    const guint16 port = htons((guint16)g_ascii_strtoull(strrchr(address, ':') + 1, NULL, 10));
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    int r;

    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
    r = family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof v4)
                          : bind(fd, (struct sockaddr *)&v6, sizeof v6);
    if (r == 0 && listen(fd, 1) == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

/* Whoever asks for one loopback, localhost or a bare port has both; 127.0.0.2 is 127.0.0.2. */
static void
test_both_loopbacks(void)
{
    static const struct {
        const char *host;  /* PORT is added */
        const char *bound; /* is said */
        guint sockets;
    } rows[] = {
        {"tcp:127.0.0.1:", "tcp:127.0.0.1:", 2}, {"tcp:[::1]:", "tcp:[::1]:", 2},
        {"tcp:localhost:", "tcp:127.0.0.1:", 2}, {"", "tcp:127.0.0.1:", 2},
        {"tcp:", "tcp:127.0.0.1:", 2},           {"tcp:127.0.0.2:", "tcp:127.0.0.2:", 1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *any = g_strconcat(rows[i].host, "0", NULL), *same = NULL, *again = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(Listener) listener = listen_on(any, FALSE, &error);
        const char *port;
        int other;

        g_assert_no_error(error);
        g_assert_true(g_str_has_prefix(listener_address(listener), rows[i].bound));
        g_assert_cmpuint(listener_sockets(listener), ==, rows[i].sockets);
        for (guint k = 0; k < rows[i].sockets; k++) {
            int client = connect_to(listener_fd(listener, k));
            int server = accept_from(listener_fd(listener, k));

            close(client);
            close(server);
        }
        port = strrchr(listener_address(listener), ':') + 1;
        same = g_strconcat(rows[i].host, port, NULL);
        again = g_strdup(listener_address(listener));
        other = take_port(AF_INET6, again);
        g_assert_cmpint(other >= 0, ==, rows[i].sockets == 1);
        if (other >= 0)
            close(other);
        g_clear_pointer(&listener, listener_free);
        /* The same with the number given. */
        listener = listen_on(same, FALSE, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(listener_address(listener), ==, again);
        g_assert_cmpuint(listener_sockets(listener), ==, rows[i].sockets);
    }
}

/* One of the two is taken: no listener on the other either, and the error says which it is. */
static void
test_other_taken(void)
{
    static const struct {
        const char *host;
        int family;
        const char *named;
    } rows[] = {
        {"tcp:127.0.0.1:", AF_INET6, "tcp:[::1]:"},
        {"tcp:127.0.0.1:", AF_INET, "tcp:127.0.0.1:"},
        {"tcp:[::1]:", AF_INET, "tcp:127.0.0.1:"},
        {"tcp:[::1]:", AF_INET6, "tcp:[::1]:"},
        {"tcp:localhost:", AF_INET6, "tcp:[::1]:"},
        {"", AF_INET6, "tcp:[::1]:"},
        {"", AF_INET, "tcp:127.0.0.1:"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Listener) free_port = listen_on(NULL, FALSE, NULL);
        g_autofree char *was = g_strdup(listener_address(free_port));
        const char *port = strrchr(was, ':') + 1;
        g_autofree char *wanted = g_strconcat(rows[i].host, port, NULL);
        g_autofree char *named = g_strconcat("listen on ", rows[i].named, port, ":", NULL);
        g_autoptr(GError) error = NULL;
        int taken, left;

        g_clear_pointer(&free_port, listener_free);
        taken = take_port(rows[i].family, was);
        g_assert_cmpint(taken, >=, 0);
        g_assert_null(listen_on(wanted, FALSE, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
        g_assert_nonnull(strstr(error->message, named));
        left = take_port(rows[i].family == AF_INET ? AF_INET6 : AF_INET, was);
        g_assert_cmpint(left, >=, 0); /* nothing stays behind */
        close(left);
        close(taken);
    }
}

/* In a child of its own network, where the kernel hands out only port FIRST to LAST. */
static gboolean
own_network(gboolean ipv6, guint first, guint last)
{
    g_autofree char *ports = g_strdup_printf("%u %u", first, last);
    const struct {
        const char *path, *text;
    } writes[] = {
        {"/proc/sys/net/ipv6/conf/all/disable_ipv6", ipv6 ? "0" : "1"},
        {"/proc/sys/net/ipv4/ip_local_port_range", ports},
    };
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd;

    if (unshare(CLONE_NEWNET) < 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(writes); i++) {
        fd = open(writes[i].path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, writes[i].text, strlen(writes[i].text)) < 0 || close(fd) < 0)
            return FALSE;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && close(fd) == 0;
}

#define NO_NETWORK 77

static void
in_child(int (*run)(void))
{
    int status;
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        _exit(run());
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NETWORK && geteuid() != 0)
        g_test_skip("only root can have a network of its own");
    else
        g_assert_cmpint(status, ==, 0);
}

static int
run_no_ipv6(void)
{
    g_autoptr(GError) error = NULL;
    Listener *listener;

    if (!own_network(FALSE, 40000, 40100))
        return NO_NETWORK;
    listener = listen_on("tcp:localhost:2222", FALSE, &error);
    if (!listener || listener_sockets(listener) != 1 ||
        strcmp(listener_address(listener), "tcp:127.0.0.1:2222") != 0)
        return 1;
    listener_free(listener);
    return listen_on("tcp:[::1]:2222", FALSE, &error) == NULL && error ? 0 : 2;
}

/* A machine without IPv6 has the one; what it has not cannot be asked for by name. */
static void
test_no_ipv6(void)
{
    in_child(run_no_ipv6);
}

/* The kernel has as many ports to hand out as there are tries. */
#define FIRST_PORT 40000
#define LAST_PORT (FIRST_PORT + LISTENER_PORT_TRIES - 1)

static int
run_port_tries(void)
{
    g_autofree char *kept = g_strdup_printf("tcp:127.0.0.1:%u", LAST_PORT - 1);
    g_autoptr(GError) error = NULL;
    Listener *listener;

    if (!own_network(TRUE, FIRST_PORT, LAST_PORT))
        return NO_NETWORK;
    for (guint port = FIRST_PORT; port <= LAST_PORT; port++) {
        g_autofree char *address = g_strdup_printf("tcp:[::1]:%u", port);

        if (port != LAST_PORT - 1 && take_port(AF_INET6, address) < 0)
            return 1;
    }
    listener = listen_on("tcp:127.0.0.1:0", FALSE, NULL);
    if (!listener || listener_sockets(listener) != 2)
        return 2;
    if (strcmp(listener_address(listener), kept) != 0)
        return 3;
    /* With that the last one is taken, too. */
    if (listen_on(NULL, FALSE, &error) || !error || error->code != STREAMD_ERROR_EXISTS)
        return 4;
    listener_free(listener);
    listener = listen_on("0", FALSE, NULL); /* what was tried has been let go */
    return listener ? 0 : 5;
}

/* Any port: one is looked for that is free on both, 16 times. */
static void
test_port_tries(void)
{
    in_child(run_port_tries);
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
    client = connect_to(listener_fd(listener, 0));
    server = accept_from(listener_fd(listener, 0));
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
    g_test_add_func("/listener/both-loopbacks", test_both_loopbacks);
    g_test_add_func("/listener/other-taken", test_other_taken);
    g_test_add_func("/listener/no-ipv6", test_no_ipv6);
    g_test_add_func("/listener/port-tries", test_port_tries);
    g_test_add_func("/listener/in-use", test_in_use);
    g_test_add_func("/listener/not-loopback", test_not_loopback);
    g_test_add_func("/listener/unix", test_unix);
    g_test_add_func("/listener/unix-stale", test_unix_stale);
    return g_test_run();
}
