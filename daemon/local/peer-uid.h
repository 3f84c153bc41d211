/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peer UID: which local user is at the other end of an accepted socket (requirement R24).
 *
 * For a Unix socket the kernel says it directly (SO_PEERCRED, as of its connect). For a TCP
 * connection over loopback the kernel's socket table is asked for the other end (socket-diag.h):
 * one look-up by addresses and ports, some 10 µs, whatever the number of sockets. Any thread; does
 * not wait.
 *
 * A client may already have written and closed. Linux 6.17 and later still know the owner of its
 * socket, for the 40 ms or so until its end is acknowledged. So ask as soon as a connection is
 * accepted. */
#pragma once

#include <glib.h>

/* 0; -ESRCH: the other end is not a socket of this machine (any more), so it may be anybody's;
 * -ENODATA: its process has closed it, and the kernel does not tell whose it was; another negative
 * errno: the kernel cannot be asked. On failure *RET_UID is unchanged, and no byte of the
 * connection may be used. */
int peer_uid_get(int fd, guint32 *ret_uid);

/* Whether the kernel can be asked at all: it is asked for LISTENER, a listening TCP socket of this
 * process. 0 or negative errno. */
int peer_uid_probe(int listener);

/* Whether this kernel knows the owner of a TCP connection whose client has closed. Tries it with a
 * connection of our own: 1 yes, 0 no, or negative errno. */
int peer_uid_tells_closed(void);
