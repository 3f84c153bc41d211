/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listener: a tunnel's listening socket (requirement R24). Main thread.
 *
 * TCP listens on loopback addresses only, unless it is shared, and only when the kernel can tell
 * who owns a connection (peer-uid.h). Clients that connect to localhost try 127.0.0.1 and ::1, and
 * another user could listen on the second one. So 127.0.0.1, ::1, localhost and a bare port all
 * mean both addresses with the same port number, or an error. Without IPv6 there is only the first.
 *
 * A Unix socket for streamd's own user has mode 0600 (0666 when shared), anywhere that user may
 * create it. A socket file is replaced only when nobody listens on it. For another user (the
 * system's instance) it is made in that user's directory below $RUNTIME_DIRECTORY and nowhere else:
 * elsewhere one user could take a name, or an abandoned socket, from another one through us. It
 * gets that user as owner and mode 0600 where we may change the owner, else mode 0666. The UID of
 * each peer is checked in any case (SO_PEERCRED). */
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

/* The file of a Unix socket, by which it is known whether the path still leads to it. */
typedef struct {
    guint64 device, inode; /* 0: of a TCP address */
} ListenerFile;

/* Goes on with the sockets that a former process had for ADDRESS, as bound. FDS are taken. INVALID:
 * they are not listening, or FILE is no longer at the path. */
Listener *listener_adopt(const char *address, const ListenerFile *file, const int *fds, guint count,
                         GError **error);
ListenerFile listener_file(const Listener *listener);

/* Closes it; the socket file that it made is removed. NULL is fine. */
void listener_free(Listener *listener);
/* The same for one whose sockets are handed on: the file stays. */
void listener_leave(Listener *listener);

const char *listener_address(const Listener *listener); /* as bound; of two the one asked for */
guint listener_sockets(const Listener *listener);
int listener_fd(const Listener *listener, guint index); /* non-blocking */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listener, listener_free)
