/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/peer-uid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

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

static void
diag_address(const Address *address, __be32 *ret_address, __be16 *ret_port)
{
    if (address->any.sa_family == AF_INET6) {
        memcpy(ret_address, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
        *ret_port = address->v6.sin6_port;
    } else {
        memcpy(ret_address, &address->v4.sin_addr, sizeof address->v4.sin_addr);
        *ret_port = address->v4.sin_port;
    }
}

/* The socket from LOCAL to REMOTE. */
static int
diag_ask(int netlink, const Address *local, const Address *remote)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = (guint8)local->any.sa_family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = (guint32)-1},
    };

    message.request.id.idiag_cookie[0] = message.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    diag_address(local, message.request.id.idiag_src, &message.request.id.idiag_sport);
    diag_address(remote, message.request.id.idiag_dst, &message.request.id.idiag_dport);
    if (sendto(netlink, &message, sizeof message, 0, (const struct sockaddr *)&kernel,
               sizeof kernel) != (ssize_t)sizeof message)
        return -errno;
    return 0;
}

static int
diag_error(const struct nlmsghdr *header)
{
    const struct nlmsgerr *answer = NLMSG_DATA(header);

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *answer) || answer->error >= 0)
        return -EPROTO;
    return answer->error == -ENOENT ? -ESRCH : answer->error;
}

/* The kernel has answered within sendto. */
static int
diag_answer(int netlink, const Address *local, const Address *remote, guint32 *ret_uid)
{
    union {
        struct nlmsghdr header;
        guint8 bytes[4096];
    } buffer;
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof from;
    const struct inet_diag_msg *answer = NLMSG_DATA(&buffer.header);
    struct inet_diag_sockid asked = {0};
    ssize_t len = recvfrom(netlink, &buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_len);

    if (len < 0)
        return -errno;
    if (len < (ssize_t)sizeof buffer.header || from.nl_pid != 0 || buffer.header.nlmsg_len > len)
        return -EPROTO;
    if (buffer.header.nlmsg_type == NLMSG_ERROR)
        return diag_error(&buffer.header);
    if (buffer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        buffer.header.nlmsg_len < NLMSG_LENGTH(sizeof *answer))
        return -EPROTO;
    diag_address(local, asked.idiag_src, &asked.idiag_sport);
    diag_address(remote, asked.idiag_dst, &asked.idiag_dport);
    /* A look-up that finds no connection goes on to the listeners: that would be another socket. */
    if (answer->id.idiag_sport != asked.idiag_sport || answer->id.idiag_dport != asked.idiag_dport)
        return -ESRCH;
    /* A socket that its process has closed belongs to nobody any more, and says UID 0. */
    if (answer->idiag_inode == 0)
        return -ESRCH;
    *ret_uid = answer->idiag_uid;
    return 0;
}

static int
diag_find(const Address *local, const Address *remote, guint32 *ret_uid)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int r;

    if (netlink < 0)
        return -errno;
    r = diag_ask(netlink, local, remote);
    if (r >= 0)
        r = diag_answer(netlink, local, remote, ret_uid);
    close(netlink);
    return r;
}

/* Once a peer has reset its connection, somebody else may have the same four numbers, and what was
 * sent before could still be read here. While our end is not closed, they are ours alone. */
static gboolean
is_closed(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state == TCP_CLOSE;
}

int
peer_uid_get(int fd, guint32 *ret_uid)
{
    Address own = {0}, peer = {0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    guint32 uid;
    int r;

    if (getsockname(fd, &own.any, &own_len) < 0)
        return -errno;
    if (own.any.sa_family == AF_UNIX)
        return unix_uid(fd, ret_uid);
    if (getpeername(fd, &peer.any, &peer_len) < 0)
        return -ESRCH;
    r = diag_find(&peer, &own, &uid); /* the peer's own socket: it is there that we are remote */
    if (r < 0)
        return r;
    if (is_closed(fd)) /* after the answer: it was not, then, when that was given */
        return -ESRCH;
    *ret_uid = uid;
    return 0;
}

int
peer_uid_probe(int listener)
{
    Address own = {0}, nobody = {0};
    socklen_t len = sizeof own;
    guint32 uid;
    int r;

    if (getsockname(listener, &own.any, &len) < 0)
        return -errno;
    nobody.any.sa_family = own.any.sa_family;
    r = diag_find(&own, &nobody, &uid);
    if (r < 0)
        return r;
    return uid == geteuid() ? 0 : -EPROTO;
}
