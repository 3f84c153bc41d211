/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose a connection is; and every case in which that cannot be said. */
#include "daemon/local/peer-uid.h"
#include "daemon/local/socket-diag.h"
#include "tests/unit/daemon/local/user-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SYS_socketcall
#define SOCKETCALL SYS_socketcall
#else
#define SOCKETCALL G_MAXUINT32 /* no system call */
#endif

typedef struct {
    int fd;
    char *address;
} Server;

static void
server_init(Server *server, int family)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *to = family == AF_INET ? (void *)&v4 : (void *)&v6;
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;

    server->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->fd, to, len), ==, 0);
    g_assert_cmpint(listen(server->fd, 8), ==, 0);
    g_assert_cmpint(getsockname(server->fd, to, &len), ==, 0);
    server->address = family == AF_INET ? g_strdup_printf("tcp:127.0.0.1:%u", ntohs(v4.sin_port))
                                        : g_strdup_printf("tcp:[::1]:%u", ntohs(v6.sin6_port));
}

static void
server_clear(Server *server)
{
    close(server->fd);
    g_free(server->address);
}

static int
server_accept(const Server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
assert_uid(int fd, guint32 expected)
{
    guint32 uid = 99;

    g_assert_cmpint(peer_uid_get(fd, &uid), ==, 0);
    g_assert_cmpuint(uid, ==, expected);
}

static void
assert_unknown(int fd, int error)
{
    guint32 uid = 99;

    g_assert_cmpint(peer_uid_get(fd, &uid), ==, error);
    g_assert_cmpuint(uid, ==, 99);
}

static void
test_own(gconstpointer family)
{
    Server server;
    int client, fd;

    server_init(&server, GPOINTER_TO_INT(family));
    g_assert_cmpint(peer_uid_probe(server.fd), ==, 0);
    client = client_connect(server.address);
    fd = server_accept(&server);
    assert_uid(fd, geteuid());
    assert_uid(client, geteuid()); /* and the other way round */
    close(fd);
    close(client);
    server_clear(&server);
}

/* An IPv6 socket that speaks IPv4. */
static void
test_mapped(void)
{
    Server server;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

    server_init(&server, AF_INET);
    g_assert_cmpint(inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr), ==, 1);
    to.sin6_port = htons((guint16)g_ascii_strtoull(server.address + 14, NULL, 10));
    g_assert_cmpint(connect(client, (struct sockaddr *)&to, sizeof to), ==, 0);
    fd = server_accept(&server);
    assert_uid(fd, geteuid());
    close(fd);
    close(client);
    server_clear(&server);
}

static void
test_others(gconstpointer family)
{
    static const uid_t users[] = {USER_A, USER_B, 0};
    Server server;

    if (!user_can_change())
        return;
    server_init(&server, GPOINTER_TO_INT(family));
    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        pid_t pid = client_start(users[i], server.address);
        int fd = server_accept(&server);

        assert_uid(fd, users[i]);
        close(fd);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    }
    server_clear(&server);
}

static void
test_unix(void)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    assert_uid(fds[0], geteuid());
    close(fds[0]);
    close(fds[1]);
}

/* Root's, closed in order, is UID 0 without an inode, as anybody's is on an older kernel: not told.
 * Closed with a reset: nobody's any more, whatever was sent before. */
static void
test_gone(void)
{
    const struct linger reset = {.l_onoff = 1};
    Server server;

    server_init(&server, AF_INET);
    for (guint i = 0; i < 2; i++) {
        int client = client_connect(server.address), fd = server_accept(&server);

        g_assert_cmpint(send(client, "x", 1, 0), ==, 1);
        if (i == 1)
            g_assert_cmpint(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), ==, 0);
        close(client);
        if (i == 1 || geteuid() == 0)
            assert_unknown(fd, i == 1 ? -ESRCH : -ENODATA);
        close(fd);
    }
    server_clear(&server);
}

/* A client that has ended its own direction is still there. */
static void
test_half_closed(void)
{
    Server server;
    int client, fd;

    server_init(&server, AF_INET);
    client = client_connect(server.address);
    fd = server_accept(&server);
    g_assert_cmpint(shutdown(client, SHUT_WR), ==, 0);
    assert_uid(fd, geteuid());
    close(fd);
    close(client);
    server_clear(&server);
}

/* A first client sends and resets; a second one gets the same port. What the first has sent can
 * still be read, and must not pass as the second's. */
static void
test_port_reused(void)
{
    const struct linger reset = {.l_onoff = 1};
    const int on = 1;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, to;
    socklen_t len = sizeof from;
    Server server;
    int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), second, fd, fd_second;
    char byte = 0;

    server_init(&server, AF_INET);
    g_assert_cmpint(getsockname(server.fd, (struct sockaddr *)&to, &len), ==, 0);
    /* A port of its own: one that connect() chose may be shared with other connections. */
    g_assert_cmpint(setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
    g_assert_cmpint(bind(first, (struct sockaddr *)&from, len), ==, 0);
    g_assert_cmpint(getsockname(first, (struct sockaddr *)&from, &len), ==, 0);
    g_assert_cmpint(connect(first, (struct sockaddr *)&to, len), ==, 0);
    fd = server_accept(&server);
    g_assert_cmpint(send(first, "x", 1, 0), ==, 1);
    g_assert_cmpint(setsockopt(first, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), ==, 0);
    close(first);
    second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
    g_assert_cmpint(bind(second, (struct sockaddr *)&from, len), ==, 0);
    g_assert_cmpint(connect(second, (struct sockaddr *)&to, len), ==, 0);
    fd_second = server_accept(&server);
    assert_unknown(fd, -ESRCH);
    assert_uid(fd_second, geteuid());
    g_assert_cmpint(recv(fd, &byte, 1, MSG_DONTWAIT), ==, 1); /* that is why */
    close(second);
    close(fd);
    close(fd_second);
    server_clear(&server);
}

/* A client of another user that has written and closed: its own where the kernel tells, else
 * nobody's, and never root's. Once its socket is reduced to its numbers nobody is told either. */
static void
test_closed(gconstpointer family)
{
    const int tells = peer_uid_tells_closed();
    Server server;

    g_assert_cmpint(tells, >=, 0);
    if (!user_can_change())
        return;
    server_init(&server, GPOINTER_TO_INT(family));
    for (guint i = 0; i < 20; i++) {
        pid_t pid = client_start_closing(USER_A, server.address);
        int fd = server_accept(&server), r;
        guint32 uid = 99;
        guint8 byte;

        g_assert_cmpint(recv(fd, &byte, 1, MSG_PEEK), ==, 1);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
        r = peer_uid_get(fd, &uid);
        if (r == 0)
            g_assert_cmpuint(uid, ==, USER_A);
        else
            g_assert_cmpint(r, ==, -ENODATA); /* or the child took its time to end */
        g_assert_true(r == -ENODATA || tells == 1);
        while (peer_uid_get(fd, &uid) == 0)
            g_usleep(1000);
        g_assert_cmpint(peer_uid_get(fd, &uid), ==, -ENODATA);
        close(fd);
    }
    server_clear(&server);
}

/* What a kernel may answer of the socket of a connection that we have accepted. */
typedef struct {
    guint8 state;
    guint32 inode, uid;
    int error;       /* of socket_owner_uid */
    gboolean served; /* to the owner 4711 */
} Answer;

static const Answer answers[] = {
    {TCP_ESTABLISHED, 5, 4711, 0, TRUE},
    {TCP_ESTABLISHED, 5, 0, 0, TRUE}, /* root's processes are let in */
    {TCP_ESTABLISHED, 5, 4712, 0, FALSE},
    {TCP_CLOSE_WAIT, 5, 4711, 0, TRUE},
    {TCP_FIN_WAIT1, 5, 4711, 0, TRUE}, /* has ended its own direction */
    {TCP_FIN_WAIT2, 5, 4711, 0, TRUE},
    {TCP_FIN_WAIT1, 0, 4711, 0, TRUE}, /* closed */
    {TCP_FIN_WAIT2, 0, 4711, 0, TRUE},
    {TCP_TIME_WAIT, 0, 4711, 0, TRUE},
    {TCP_LAST_ACK, 0, 4711, 0, TRUE},
    {TCP_CLOSING, 0, 4711, 0, TRUE},
    {TCP_FIN_WAIT1, 0, 4712, 0, FALSE},
    {TCP_FIN_WAIT1, 0, 0, -ENODATA, FALSE}, /* before Linux 6.17: anybody's */
    {TCP_FIN_WAIT2, 0, 0, -ENODATA, FALSE},
    {TCP_TIME_WAIT, 0, 0, -ENODATA, FALSE},
    {TCP_LAST_ACK, 0, 0, -ENODATA, FALSE},
    {TCP_ESTABLISHED, 0, 0, -ENODATA, FALSE},
    {TCP_SYN_SENT, 5, 4711, -ESRCH, FALSE}, /* another one's, with the same numbers */
    {TCP_SYN_RECV, 0, 4711, -ESRCH, FALSE},
    {TCP_LISTEN, 5, 4711, -ESRCH, FALSE},
    {TCP_CLOSE, 5, 4711, -ESRCH, FALSE},
    {0, 5, 4711, -ESRCH, FALSE},
};

typedef struct {
    struct nlmsghdr header;
    struct inet_diag_msg message;
} Reply;

static const SocketAddress reply_local = {
    .v4 = {.sin_family = AF_INET, .sin_port = 0x1234, .sin_addr = {0x0100007f}}};
static const SocketAddress reply_remote = {
    .v4 = {.sin_family = AF_INET, .sin_port = 0x5678, .sin_addr = {0x0100007f}}};

static Reply
reply_of(const Answer *answer)
{
    Reply reply = {
        .header = {.nlmsg_len = sizeof reply, .nlmsg_type = SOCK_DIAG_BY_FAMILY},
        .message = {.idiag_family = AF_INET,
                    .idiag_state = answer->state,
                    .idiag_inode = answer->inode,
                    .idiag_uid = answer->uid,
                    .id = {.idiag_sport = 0x1234, .idiag_dport = 0x5678}},
    };

    return reply;
}

static void
test_answers(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        const Answer *answer = &answers[i];
        const Reply reply = reply_of(answer);
        SocketOwner owner = {0};
        guint32 uid = 99;
        int r;

        g_assert_cmpint(
            socket_diag_parse(&reply, sizeof reply, &reply_local, &reply_remote, &owner), ==, 0);
        r = socket_owner_uid(&owner, &uid);
        g_test_message("state %u inode %u uid %u", answer->state, answer->inode, answer->uid);
        g_assert_cmpint(r, ==, answer->error);
        g_assert_cmpuint(uid, ==, r == 0 ? answer->uid : 99);
        g_assert_cmpint(r == 0 && (uid == 4711 || uid == 0), ==, answer->served);
    }
}

/* Cut short, of other numbers, or an error. */
static void
test_bad_answers(void)
{
    const Answer answer = {TCP_ESTABLISHED, 5, 4711, 0, TRUE};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } failed = {.header = {.nlmsg_len = sizeof failed, .nlmsg_type = NLMSG_ERROR},
                .error = {.error = -ENOENT}};
    Reply reply = reply_of(&answer);
    SocketOwner owner;

    for (gsize len = 0; len < sizeof reply; len++)
        g_assert_cmpint(socket_diag_parse(&reply, len, &reply_local, &reply_remote, &owner), ==,
                        -EPROTO);
    reply.header.nlmsg_len--;
    g_assert_cmpint(socket_diag_parse(&reply, sizeof reply, &reply_local, &reply_remote, &owner),
                    ==, -EPROTO);
    reply = reply_of(&answer);
    g_assert_cmpint(socket_diag_parse(&reply, sizeof reply, &reply_remote, &reply_local, &owner),
                    ==, -ESRCH);
    g_assert_cmpint(socket_diag_parse(&failed, sizeof failed, &reply_local, &reply_remote, &owner),
                    ==, -ESRCH);
    failed.error.error = -EPERM;
    g_assert_cmpint(socket_diag_parse(&failed, sizeof failed, &reply_local, &reply_remote, &owner),
                    ==, -EPERM);
    failed.error.error = 0;
    g_assert_cmpint(socket_diag_parse(&failed, sizeof failed, &reply_local, &reply_remote, &owner),
                    ==, -EPROTO);
}

static void
test_no_descriptors(void)
{
    struct rlimit limit, none;
    Server server;
    guint32 uid;
    int client, fd, r, probe;

    server_init(&server, AF_INET);
    client = client_connect(server.address);
    fd = server_accept(&server);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    none = (struct rlimit){3, limit.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    r = peer_uid_get(fd, &uid);
    probe = peer_uid_probe(server.fd);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    g_assert_cmpint(r, ==, -EMFILE);
    g_assert_cmpint(probe, ==, -EMFILE);
    close(fd);
    close(client);
    server_clear(&server);
}

/* As RestrictAddressFamilies= of a unit without AF_NETLINK does. On i386 the C library makes
 * sockets by socketcall(2), whose arguments a filter cannot see: there no socket can be made at
 * all. */
static int
forbid_netlink(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 3, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCKETCALL, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_SOCKET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {G_N_ELEMENTS(filter), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void
test_no_netlink(void)
{
    Server server;
    guint32 uid;
    int client, fd, status;
    pid_t pid;

    server_init(&server, AF_INET);
    client = client_connect(server.address);
    fd = server_accept(&server);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        if (forbid_netlink() < 0)
            _exit(2);
        _exit(peer_uid_get(fd, &uid) == -EAFNOSUPPORT && peer_uid_probe(server.fd) == -EAFNOSUPPORT
                  ? 0
                  : 1);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
    close(fd);
    close(client);
    server_clear(&server);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/peer-uid/own", GINT_TO_POINTER(AF_INET), test_own);
    g_test_add_data_func("/peer-uid/own-v6", GINT_TO_POINTER(AF_INET6), test_own);
    g_test_add_func("/peer-uid/mapped", test_mapped);
    g_test_add_data_func("/peer-uid/others", GINT_TO_POINTER(AF_INET), test_others);
    g_test_add_data_func("/peer-uid/others-v6", GINT_TO_POINTER(AF_INET6), test_others);
    g_test_add_func("/peer-uid/unix", test_unix);
    g_test_add_func("/peer-uid/gone", test_gone);
    g_test_add_data_func("/peer-uid/closed", GINT_TO_POINTER(AF_INET), test_closed);
    g_test_add_data_func("/peer-uid/closed-v6", GINT_TO_POINTER(AF_INET6), test_closed);
    g_test_add_func("/peer-uid/answers", test_answers);
    g_test_add_func("/peer-uid/bad-answers", test_bad_answers);
    g_test_add_func("/peer-uid/half-closed", test_half_closed);
    g_test_add_func("/peer-uid/port-reused", test_port_reused);
    g_test_add_func("/peer-uid/no-descriptors", test_no_descriptors);
    g_test_add_func("/peer-uid/no-netlink", test_no_netlink);
    return g_test_run();
}
