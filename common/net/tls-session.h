/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS session over a non-blocking socket. One thread at a time. It reads and writes the socket in
 * large pieces of its own, and holds those buffers only while they have something in them. */
#pragma once

#include "common/loop/reactor.h"
#include "common/net/tls-context.h"

#include <stddef.h>
#include <sys/types.h>

typedef struct TlsSession TlsSession;

/* FD is borrowed. SERVER_NAME: a client's, the name that the certificate must bear (also sent as
 * SNI unless it is an IP address); NULL on the hub's side. */
TlsSession *tls_session_new(TlsContext *context, int fd, const char *server_name);
void tls_session_free(TlsSession *session);

/* Where its buffers come from and go to from now on; NULL: the heap. */
void tls_session_set_reactor(TlsSession *session, Reactor *reactor);

/* 0 when done, -EAGAIN, or a failure: -EKEYREJECTED (certificate refused), -EACCES (the peer has
 * refused ours; in TLS 1.3 also of the first read after it), -EPROTO, -ECONNRESET... */
int tls_session_handshake(TlsSession *session);

/* Why the handshake or a later call failed: one English clause, for the user. Never NULL. */
const char *tls_session_error(const TlsSession *session);

/* What is wrong with the peer's certificate, in the order in which it is told. */
typedef enum {
    TLS_FAULT_NONE,
    TLS_FAULT_NOT_YET, /* valid from a later date on */
    TLS_FAULT_EXPIRED,
    TLS_FAULT_ISSUER, /* no chain to an authority that is trusted */
    TLS_FAULT_NAME,   /* it is for another name */
    TLS_FAULT_OTHER,
} TlsFault;

/* NOT_BEFORE and NOT_AFTER: s since the epoch; 0: there is no certificate. */
typedef struct {
    TlsFault fault;
    gint64 not_before, not_after;
} TlsPeer;

/* A client's: of the hub's certificate, after the handshake, whether it failed or not. */
TlsPeer tls_session_peer(const TlsSession *session);

/* The hub's side, after the handshake: the certificate that the client has shown; NULL: none, or it
 * was not asked for one. The caller gets a reference. */
TlsClient *tls_session_client(const TlsSession *session);

/* A client's side, after the handshake: the hub asked for a certificate. */
gboolean tls_session_was_asked(const TlsSession *session);

/* The protocol agreed by ALPN, or NULL. Valid as long as the session. */
const char *tls_session_alpn(const TlsSession *session);

/* TRUE when a ticket of an earlier session was taken. After the handshake. */
gboolean tls_session_resumed(const TlsSession *session);

/* > 0: bytes; 0: the peer said close_notify; -EAGAIN; -ESHUTDOWN: FIN without close_notify;
 * other negative errno: lost. Fills BUF as far as bytes are there. */
ssize_t tls_session_read(TlsSession *session, void *buf, size_t len);

/* Bytes taken (more than 0), -EAGAIN, or a negative errno. What was taken may still wait for
 * tls_session_flush. */
ssize_t tls_session_write(TlsSession *session, const void *buf, size_t len);

int tls_session_flush(TlsSession *session); /* 0: all is with the kernel; -EAGAIN; other: lost */
int tls_session_bye(TlsSession *session);   /* sends close_notify; as flush */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsSession, tls_session_free)
