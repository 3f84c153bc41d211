/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP exchange: one request and its answer on a connection that is up (RFC 9112).
 *
 * After it the connection is free for the next exchange, or has become a WebSocket; bytes that came
 * behind the head can still be read. Redirects are not followed, nothing is cached (security class
 * 36). Main thread; the bytes move on the reactor. */
#pragma once

#include "common/codec/http-head.h"
#include "common/net/connection.h"
#include "daemon/net/runtime.h"

typedef struct HttpExchange HttpExchange;

#define HTTP_EXCHANGE_BODY_MAX ((gsize)64 * 1024)

typedef struct {
    HttpResponse head;
    Slice body;        /* empty when it was not read: chunked, or of unknown length */
    gboolean reusable; /* another exchange may follow on the connection */
} HttpAnswer;

/* CONNECTION is detached, and the callee owns it; ANSWER is valid during the call. On failure both
 * are NULL and ERROR is UNREACHABLE (lost), TIMED_OUT or PROTOCOL. Called once, later. */
typedef void (*HttpExchangeDone)(Connection *connection, const HttpAnswer *answer,
                                 const GError *error, void *data);

/* Takes CONNECTION. REQUEST is the whole of it, head and body; its bytes are taken and wiped. */
HttpExchange *http_exchange_new(Runtime *runtime, Reactor *reactor, Connection *connection,
                                GString *request, gint64 limit, HttpExchangeDone done, void *data);

/* In DONE, when it failed: something of an answer had come. */
gboolean http_exchange_was_answered(const HttpExchange *exchange);

/* Closes the connection; DONE will not be called. Not allowed after DONE. NULL is fine. */
void http_exchange_cancel(HttpExchange *exchange);

/* Frees a request that holds a credential. NULL is fine. */
void http_request_wipe(GString *request);

/* "hub.example:443", "[::1]:8443": for CONNECT. Caller frees. */
char *http_authority_with_port(const char *host, guint16 port);

/* The value of the Host field: "hub.example", "hub.example:8443", "[::1]:8443". Caller frees. */
char *http_authority(const char *host, guint16 port);
