/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes a descriptor to the program at the other end of a Unix socket. The form is that of ssh's
 * ProxyUseFdpass: one zero byte with the descriptor attached. */
#pragma once

#include <glib.h>

/* Whether FD is a connected Unix socket. */
gboolean fdpass_is_possible(int fd);

/* Sends FD over SOCKET. Both stay open here. 0, or negative errno. Blocks while the socket is full,
 * even if it is non-blocking. */
int fdpass_send(int socket, int fd);
