/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/peer-uid.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

static gboolean
unix_uid(int fd, guint32 *ret_uid)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
        return FALSE;
    *ret_uid = credentials.uid;
    return TRUE;
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

/* The other end's own socket: its source is our peer, its destination is we. */
static gboolean
diag_ask(int netlink, const Address *source, const Address *destination)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = (guint8)source->any.sa_family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = (guint32)-1},
    };

    message.request.id.idiag_cookie[0] = message.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    diag_address(source, message.request.id.idiag_src, &message.request.id.idiag_sport);
    diag_address(destination, message.request.id.idiag_dst, &message.request.id.idiag_dport);
    return send(netlink, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

static gboolean
diag_answer(int netlink, guint32 *ret_uid)
{
    union {
        struct nlmsghdr header;
        guint8 bytes[4096];
    } buffer;
    ssize_t len = recv(netlink, &buffer, sizeof buffer, MSG_DONTWAIT);
    const struct inet_diag_msg *answer = NLMSG_DATA(&buffer.header);

    if (len < (ssize_t)NLMSG_LENGTH(sizeof *answer) ||
        buffer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        buffer.header.nlmsg_len < NLMSG_LENGTH(sizeof *answer))
        return FALSE;
    /* A socket that its process has closed belongs to nobody any more, and says UID 0. */
    if (answer->idiag_inode == 0)
        return FALSE;
    *ret_uid = answer->idiag_uid;
    return TRUE;
}

gboolean
peer_uid_get(int fd, guint32 *ret_uid)
{
    Address own = {0}, peer = {0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    gboolean found = FALSE;
    int netlink;

    if (getsockname(fd, &own.any, &own_len) < 0)
        return FALSE;
    if (own.any.sa_family == AF_UNIX)
        return unix_uid(fd, ret_uid);
    if (getpeername(fd, &peer.any, &peer_len) < 0)
        return FALSE;
    netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return FALSE;
    found = diag_ask(netlink, &peer, &own) && diag_answer(netlink, ret_uid);
    close(netlink);
    return found;
}
