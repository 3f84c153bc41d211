/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listener: a tunnel's listening socket (requirement R24). Main thread.
 *
 * TCP on loopback addresses only, unless shared; the kernel has to be able to tell whose a
 * connection is (peer-uid.h), or there is no listener. Clients that are told localhost try
 * 127.0.0.1 and ::1, and somebody else could listen on the one that is left: who asks for one of
 * the two, for localhost or for a bare port has both, at the same number, or nothing. A machine
 * without IPv6 has the one.
 *
 * A Unix socket of our own user's has mode 0600 (0666 when shared), wherever that user may make
 * one; a socket file is replaced only when nobody listens on it. For another user, as on the
 * system's instance, it is made in a directory per UID below $RUNTIME_DIRECTORY and nowhere else:
 * in no other place could users not take a name, or an abandoned socket, from each other through
 * us. It is given to that user with mode 0600 where we have the right to; where we do not, it has
 * mode 0666 and each peer is asked for its UID (SO_PEERCRED), as it is in any case. */
#pragma once

#include <gio/gio.h>

typedef struct Listener Listener;

#define LISTENER_BACKLOG 128
#define LISTENER_SOCKETS_MAX 2
#define LISTENER_PORT_TRIES 16 /* for a free port that is free on both */

typedef struct {
    const char *address; /* as in tunnel.h; NULL or empty: tcp:127.0.0.1:0 */
    gboolean shared;
    guint32 owner_uid;
} ListenerOptions;

/* Errors: INVALID, DENIED (not loopback, not the user's directory, or no right to it), EXISTS (in
 * use: the message names which), FAILED. */
Listener *listener_new(const ListenerOptions *options, GError **error);

/* Closes it; the socket file that it made is removed. NULL is fine. */
void listener_free(Listener *listener);

const char *listener_address(const Listener *listener); /* as bound; of two the one asked for */
guint listener_sockets(const Listener *listener);
int listener_fd(const Listener *listener, guint index); /* non-blocking */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listener, listener_free)
