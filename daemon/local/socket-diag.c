/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/socket-diag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

static void
diag_address(const SocketAddress *address, __be32 *ret_address, __be16 *ret_port)
{
    if (address->any.sa_family == AF_INET6) {
        memcpy(ret_address, &address->v6.sin6_addr, sizeof address->v6.sin6_addr);
        *ret_port = address->v6.sin6_port;
    } else {
        memcpy(ret_address, &address->v4.sin_addr, sizeof address->v4.sin_addr);
        *ret_port = address->v4.sin_port;
    }
}

void
socket_diag_request(const SocketAddress *local, const SocketAddress *remote, SocketDiagRequest *ret)
{
    struct inet_diag_sockid *id = &ret->request.id;

    *ret = (SocketDiagRequest){
        .header = {.nlmsg_len = sizeof *ret,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = (guint8)local->any.sa_family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = (guint32)-1},
    };
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    diag_address(local, id->idiag_src, &id->idiag_sport);
    diag_address(remote, id->idiag_dst, &id->idiag_dport);
}

static int
diag_error(const struct nlmsghdr *header)
{
    const struct nlmsgerr *answer = NLMSG_DATA(header);

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *answer) || answer->error >= 0)
        return -EPROTO;
    return answer->error == -ENOENT ? -ESRCH : answer->error;
}

int
socket_diag_parse(const void *bytes, gsize len, const SocketAddress *local,
                  const SocketAddress *remote, SocketOwner *ret)
{
    const struct nlmsghdr *header = bytes;
    const struct inet_diag_msg *answer;
    struct inet_diag_sockid asked = {0};

    if (len < sizeof *header || header->nlmsg_len > len)
        return -EPROTO;
    if (header->nlmsg_type == NLMSG_ERROR)
        return diag_error(header);
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof *answer))
        return -EPROTO;
    answer = NLMSG_DATA(header);
    diag_address(local, asked.idiag_src, &asked.idiag_sport);
    diag_address(remote, asked.idiag_dst, &asked.idiag_dport);
    /* If the kernel finds no connection, it returns a listener, which is another socket. */
    if (answer->id.idiag_sport != asked.idiag_sport || answer->id.idiag_dport != asked.idiag_dport)
        return -ESRCH;
    *ret = (SocketOwner){answer->idiag_state, answer->idiag_inode, answer->idiag_uid};
    return 0;
}

int
socket_owner_uid(const SocketOwner *owner, guint32 *ret_uid)
{
    switch (owner->state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
        break;
    default: /* a new connection that uses the numbers of one that is gone */
        return -ESRCH;
    }
    if (owner->inode == 0 && owner->uid == 0)
        return -ENODATA;
    *ret_uid = owner->uid;
    return 0;
}
