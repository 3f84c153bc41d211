/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listener: a tunnel's listening socket (requirement R24). Main thread.
 *
 * TCP on loopback addresses only, unless shared; a Unix socket with mode 0600 (0666 when shared). A
 * socket file is replaced only when it is a socket on which nobody listens. */
#pragma once

#include <gio/gio.h>

typedef struct Listener Listener;

#define LISTENER_BACKLOG 128

/* ADDRESS as in tunnel.h; NULL: tcp:127.0.0.1:0. Errors: INVALID, DENIED (not loopback, or no right
 * to it), EXISTS (in use), FAILED. */
Listener *listener_new(const char *address, gboolean shared, GError **error);

/* Closes it; the socket file that it made is removed. NULL is fine. */
void listener_free(Listener *listener);

const char *listener_address(const Listener *listener); /* as bound */
int listener_fd(const Listener *listener);              /* non-blocking */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listener, listener_free)
