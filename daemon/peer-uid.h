/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peer UID: which local user is at the other end of an accepted socket (requirement R24).
 *
 * A Unix socket says it itself (SO_PEERCRED); of a TCP connection over loopback the kernel's socket
 * table is asked for the other end (NETLINK_SOCK_DIAG). Any thread; does not wait. */
#pragma once

#include <glib.h>

/* FALSE when there is no such local socket (any more), or the kernel cannot be asked. */
gboolean peer_uid_get(int fd, guint32 *ret_uid);
