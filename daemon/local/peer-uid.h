/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peer UID: which local user is at the other end of an accepted socket (requirement R24).
 *
 * A Unix socket says it itself (SO_PEERCRED, as of its connect); of a TCP connection over loopback
 * the kernel's socket table is asked for the other end (socket-diag.h). One look-up by the four
 * numbers of the connection, answered within the system call: some 10 µs, whatever the number of
 * sockets. Any thread; does not wait.
 *
 * A client may have written and closed by then. Kernels since 6.17 still say whose its socket was,
 * for the 40 ms or so until its end is acknowledged: ask as soon as a connection is accepted. */
#pragma once

#include <glib.h>

/* 0; -ESRCH: the other end is not a socket of this machine (any more), so it may be anybody's;
 * -ENODATA: its process has closed it, and the kernel does not tell whose it was; another negative
 * errno: the kernel cannot be asked. *RET_UID is untouched on failure, and so must the connection
 * be. */
int peer_uid_get(int fd, guint32 *ret_uid);

/* Whether the kernel can be asked at all: it is asked for LISTENER, a listening TCP socket of this
 * process. 0 or negative errno. */
int peer_uid_probe(int listener);

/* Whether this kernel tells whose a TCP connection was when its client has closed it. A connection
 * of our own is tried: 1 it does, 0 it does not, or negative errno. */
int peer_uid_tells_closed(void);
