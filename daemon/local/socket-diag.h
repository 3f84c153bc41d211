/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket diag: the messages that ask the kernel's socket table for one TCP socket, and what its
 * answer says (NETLINK_SOCK_DIAG). Pure: no I/O. */
#pragma once

#include <glib.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} SocketAddress;

typedef struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
} SocketDiagRequest;

/* Whose a socket is, as the table has it. */
typedef struct {
    guint8 state;  /* TCP_ESTABLISHED... */
    guint32 inode; /* 0: no process holds it any more */
    guint32 uid;
} SocketOwner;

/* For the socket from LOCAL to REMOTE. */
void socket_diag_request(const SocketAddress *local, const SocketAddress *remote,
                         SocketDiagRequest *ret);

/* The answer to that. 0; -ESRCH: there is no such socket; another negative errno: the kernel's, or
 * -EPROTO. BYTES are aligned as a struct nlmsghdr is. */
int socket_diag_parse(const void *bytes, gsize len, const SocketAddress *local,
                      const SocketAddress *remote, SocketOwner *ret);

/* The user of the other end of an accepted connection. 0; -ESRCH: this is not such an end;
 * -ENODATA: its process has closed it, and the kernel does not tell whose it was. A kernel before
 * 6.17 says UID 0 of every socket without an inode, and a later one does of those that are reduced
 * to their numbers (some 40 ms after the close): UID 0 is nobody's there, and not root's. */
int socket_owner_uid(const SocketOwner *owner, guint32 *ret_uid);
