/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dial: an outgoing TLS connection to a hub, its certificate verified.
 *
 * The socket is connected from the main thread (socket-dial.h), the handshake done on the reactor
 * on which the connection will live. Nothing is sent to a peer before its certificate is verified
 * (failure class 36): a proxy on the way sees only TLS. Main thread. */
#pragma once

#include "common/net/connection.h"
#include "daemon/net/proxy.h"
#include "daemon/net/runtime.h"

typedef struct Dial Dial;

#define DIAL_TIMEOUT (10 * G_TIME_SPAN_SECOND)

/* CONNECTION is detached, and the callee owns it. Or it is NULL: then ERROR is UNREACHABLE (name,
 * route, refusal), UNTRUSTED (the certificate; the message says why), TIMED_OUT, PROTOCOL (no TLS
 * there), UNAUTHORIZED (it refused the certificate that we have shown) or PROXY_REFUSED, with a
 * message that names host and port, and the proxy. Once, later. */
typedef void (*DialDone)(Connection *connection, const GError *error, void *data);

/* HOST: a name or address, without brackets; it is also what the certificate must be for. PROXY
 * NULL: directly. */
Dial *dial_new(Runtime *runtime, Reactor *reactor, const char *host, guint16 port, TlsContext *tls,
               Proxy *proxy, DialDone done, void *data);

/* The same from a connected socket on: takes FD. NAME of the proxy that it passes, or NULL. */
Dial *dial_new_on(Runtime *runtime, Reactor *reactor, int fd, const char *name, const char *host,
                  guint16 port, TlsContext *tls, DialDone done, void *data);

/* Of the hub's certificate, as far as TLS came. In DONE. */
TlsPeer dial_peer(const Dial *dial);

/* How it failed; valid in DONE. A hub that is being restarted refuses connections, or ends one that
 * it has accepted: then another attempt makes sense. */
typedef enum {
    DIAL_FAILED,
    DIAL_REFUSED, /* nobody listens there just now */
    DIAL_CUT,     /* it was connected; the connection ended before TLS was up */
} DialFailure;

DialFailure dial_failure(const Dial *dial);

/* Gives up and closes everything; DONE will not be called. Not allowed after DONE. NULL is fine. */
void dial_cancel(Dial *dial);
