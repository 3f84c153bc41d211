/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket dial: a connection to a hub that has been upgraded (RFC 6455 section 4.1), for MQTT
 * (docs/wire-protocol.md, section 1.1) and for the legs of streams (section 4). Main thread. */
#pragma once

#include "common/net/connection.h"
#include "daemon/net/proxy.h"
#include "daemon/net/runtime.h"

typedef struct WsDial WsDial;

#define WS_DIAL_UPGRADE_TIMEOUT (10 * G_TIME_SPAN_SECOND)

typedef struct {
    const char *host; /* without brackets; the certificate must be for it */
    guint16 port;
    const char *target;   /* path and query */
    const char *protocol; /* offered subprotocol, or NULL */
    Proxy *proxy;         /* NULL: directly */
    const char *bearer;   /* token, or NULL: sent after the certificate is trusted, never before */
} WsDialTo;

/* CONNECTION is detached, and the callee owns it; frames that came behind the head can still be
 * read. Or NULL, with an error of dial.h, UNAUTHORIZED for 401 and 403, FAILED for another HTTP
 * status, or PROTOCOL when it is not a WebSocket. Called once, later. */
typedef void (*WsDialDone)(Connection *connection, const GError *error, void *data);

/* REUSE: a connection to that host and port that is free, taken; or NULL: a new one is made. */
WsDial *ws_dial_new(Runtime *runtime, Reactor *reactor, TlsContext *tls, const WsDialTo *to,
                    Connection *reuse, WsDialDone done, void *data);

/* Gives up and closes everything; DONE will not be called. Not allowed after DONE. NULL is fine. */
void ws_dial_cancel(WsDial *dial);
