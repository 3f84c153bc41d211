/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/local/user-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un path;
} Address;

gboolean
user_can_change(void)
{
    if (getuid() == 0)
        return TRUE;
    g_test_skip("only root can be other users");
    return FALSE;
}

static socklen_t
address_read(const char *text, Address *ret)
{
    const char *port = strrchr(text, ':') + 1;

    memset(ret, 0, sizeof *ret);
    if (g_str_has_prefix(text, "unix:")) {
        ret->path.sun_family = AF_UNIX;
        g_strlcpy(ret->path.sun_path, text + strlen("unix:"), sizeof ret->path.sun_path);
        return sizeof ret->path;
    }
    if (g_str_has_prefix(text, "tcp:[")) {
        ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                        .sin6_port = htons((guint16)atoi(port)),
                                        .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        return sizeof ret->v6;
    }
    ret->v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((guint16)atoi(port)),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return sizeof ret->v4;
}

int
client_connect(const char *address)
{
    Address to;
    socklen_t len = address_read(address, &to);
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    if (connect(fd, &to.any, len) < 0)
        g_error("%s: %s", address, g_strerror(errno));
    return fd;
}

/* A test that plays another user keeps root as its real one. */
static gboolean
client_become(uid_t uid)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return (geteuid() == 0 || seteuid(0) == 0) && setresuid(uid, uid, uid) == 0;
}

/* In the child. */
static ClientEnd
client_run(uid_t uid, const Address *to, socklen_t len)
{
    char byte = 0;
    int fd;

    if (!client_become(uid))
        return CLIENT_FAILED;
    fd = socket(to->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return CLIENT_FAILED;
    if (connect(fd, &to->any, len) < 0)
        return errno == EACCES ? CLIENT_DENIED : CLIENT_FAILED;
    return read(fd, &byte, 1) == 1 && byte == 'y' ? CLIENT_SERVED : CLIENT_CUT;
}

pid_t
client_start(uid_t uid, const char *address)
{
    Address to;
    socklen_t len = address_read(address, &to);
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        _exit((int)client_run(uid, &to, len));
    return pid;
}

static ClientEnd
client_run_closing(uid_t uid, const Address *to, socklen_t len)
{
    int fd;

    if (!client_become(uid))
        return CLIENT_FAILED;
    fd = socket(to->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, &to->any, len) < 0 || write(fd, "x", 1) != 1)
        return CLIENT_FAILED;
    return close(fd) == 0 ? CLIENT_CLOSED : CLIENT_FAILED;
}

pid_t
client_start_closing(uid_t uid, const char *address)
{
    Address to;
    socklen_t len = address_read(address, &to);
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
        _exit((int)client_run_closing(uid, &to, len));
    return pid;
}

gboolean
client_poll(pid_t pid, ClientEnd *ret_end)
{
    int status;
    pid_t r = waitpid(pid, &status, WNOHANG);

    g_assert_cmpint(r, >=, 0);
    if (r == 0)
        return FALSE;
    g_assert_true(WIFEXITED(status));
    *ret_end = (ClientEnd)WEXITSTATUS(status);
    return TRUE;
}
