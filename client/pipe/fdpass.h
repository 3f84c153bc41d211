/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passing a descriptor to the program at the other end of a Unix socket, as ssh's ProxyUseFdpass
 * takes it: one byte of zero with the descriptor beside it. */
#pragma once

#include <glib.h>

/* Whether FD is a connected Unix socket. */
gboolean fdpass_is_possible(int fd);

/* Sends FD over SOCKET. Both stay open here. 0, or negative errno. Blocks while the socket is full,
 * whatever mode it is in. */
int fdpass_send(int socket, int fd);
