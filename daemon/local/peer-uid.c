/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/peer-uid.h"

#include "daemon/local/socket-diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_TRIES 8
#define PROBE_UID 65534 /* any UID but root's; only root can switch to it, and others need not */

static int
unix_uid(int fd, guint32 *ret_uid)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
        return -errno;
    *ret_uid = credentials.uid;
    return 0;
}

static int
diag_exchange(int netlink, const SocketAddress *local, const SocketAddress *remote,
              SocketOwner *ret)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    SocketDiagRequest request;
    union {
        struct nlmsghdr header;
        guint8 bytes[4096];
    } buffer;
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len;

    socket_diag_request(local, remote, &request);
    if (sendto(netlink, &request, sizeof request, 0, (const struct sockaddr *)&kernel,
               sizeof kernel) != (ssize_t)sizeof request)
        return -errno;
    /* The kernel has answered within sendto. */
    len = recvfrom(netlink, &buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&from,
                   &from_len);
    if (len < 0)
        return -errno;
    if (from.nl_pid != 0)
        return -EPROTO;
    return socket_diag_parse(&buffer, (gsize)len, local, remote, ret);
}

/* Finds the socket that is connected from LOCAL to REMOTE. */
static int
diag_find(const SocketAddress *local, const SocketAddress *remote, SocketOwner *ret)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int r;

    if (netlink < 0)
        return -errno;
    r = diag_exchange(netlink, local, remote, ret);
    close(netlink);
    return r;
}

/* After a peer has reset its connection, somebody else may use the same addresses and ports, while
 * bytes of the peer can still be read here. As long as our end is open and not reset, nobody else
 * can have them. */
static gboolean
is_closed(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state == TCP_CLOSE;
}

/* The socket at the other end of FD: from there, our address is the remote one. */
static int
peer_find(int fd, SocketOwner *ret)
{
    SocketAddress own = {0}, peer = {0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;

    if (getsockname(fd, &own.any, &own_len) < 0)
        return -errno;
    if (getpeername(fd, &peer.any, &peer_len) < 0)
        return -ESRCH;
    return diag_find(&peer, &own, ret);
}

static gboolean
is_unix(int fd)
{
    int domain = AF_UNSPEC;
    socklen_t len = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

int
peer_uid_get(int fd, guint32 *ret_uid)
{
    SocketOwner owner;
    guint32 uid;
    int r;

    if (is_unix(fd))
        return unix_uid(fd, ret_uid);
    r = peer_find(fd, &owner);
    if (r >= 0)
        r = socket_owner_uid(&owner, &uid);
    if (r < 0)
        return r;
    if (is_closed(fd)) /* if not, it was not closed when the kernel answered either */
        return -ESRCH;
    *ret_uid = uid;
    return 0;
}

int
peer_uid_probe(int listener)
{
    SocketAddress own = {0}, nobody = {0};
    socklen_t len = sizeof own;
    SocketOwner owner;
    int r;

    if (getsockname(listener, &own.any, &len) < 0)
        return -errno;
    nobody.any.sa_family = own.any.sa_family;
    r = diag_find(&own, &nobody, &owner);
    if (r < 0)
        return r;
    return owner.inode != 0 && owner.uid == geteuid() ? 0 : -EPROTO;
}

/* Opens a socket that does not belong to root, because UID 0 is also the kernel's answer when it
 * does not know. *RET_UID: its owner. */
static int
probe_socket(guint32 *ret_uid)
{
    uid_t before = (uid_t)setfsuid(PROBE_UID);
    int fd;

    *ret_uid = (guint32)setfsuid((uid_t)-1);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setfsuid(before);
    return fd;
}

static int
probe_listen(SocketAddress *ret)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof *ret;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&any, sizeof any) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, &ret->any, &len) == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

/* One try. -EAGAIN: too late, the kernel has kept only the numbers of the socket. */
static int
probe_closed(int listener, const SocketAddress *address)
{
    SocketOwner owner = {0};
    guint32 uid;
    int client = probe_socket(&uid), fd, r;

    if (client < 0)
        return -errno;
    r = connect(client, &address->any, sizeof address->v4) < 0 ? -errno : 0;
    fd = r < 0 ? -1 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(client);
    if (fd < 0)
        return r < 0 ? r : -EAGAIN;
    r = peer_find(fd, &owner);
    close(fd);
    if (r < 0)
        return r;
    if (owner.inode != 0) /* not our client: another one connected first */
        return -EAGAIN;
    if (uid != 0 && owner.uid == uid)
        return 1;
    return owner.state == TCP_FIN_WAIT1 ? 0 : -EAGAIN;
}

int
peer_uid_tells_closed(void)
{
    SocketAddress address;
    int listener = probe_listen(&address), r = -EAGAIN;

    if (listener < 0)
        return listener;
    for (guint i = 0; i < PROBE_TRIES && r == -EAGAIN; i++)
        r = probe_closed(listener, &address);
    close(listener);
    return r;
}
