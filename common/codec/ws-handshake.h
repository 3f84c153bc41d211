/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The opening handshake of a WebSocket (RFC 6455 section 4; docs/wire-protocol.md, sections 1.1,
 * 4).
 *
 * No extension is ever offered or accepted (requirement R8). A subprotocol is returned only when
 * one was offered, in the spelling of the offer: the C client offers "MQTT", C# "mqtt". No random
 * numbers are made here: the caller gives the nonce. Pure; any thread. */
#pragma once

#include "common/codec/http-head.h"

#define WS_NONCE_SIZE 16  /* decoded bytes of Sec-WebSocket-Key */
#define WS_KEY_SIZE 25    /* its base64 text, with the NUL */
#define WS_ACCEPT_SIZE 29 /* Sec-WebSocket-Accept, with the NUL */

/* What a server needs to know of a valid upgrade request. Slices of the request. */
typedef struct {
    Slice key;
    Slice protocols;     /* the offered list as sent; empty when there is none */
} WsUpgrade;

typedef struct {
    const char *host;     /* the Host field, with its port when it is not 443 */
    const char *target;   /* path and query */
    const char *protocol; /* offered subprotocol, or NULL */
    const char *bearer;   /* token for "Authorization: Bearer", or NULL */
} WsClientRequest;

typedef enum {
    WS_RESPONSE_OK,
    WS_RESPONSE_DENIED, /* a valid HTTP answer other than 101; its status says why */
    WS_RESPONSE_BROKEN, /* the answer breaks RFC 6455, or does not fit our request */
} WsResponseResult;

/* Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2), NUL-terminated. */
void ws_accept_compute(Slice key, char ret[static WS_ACCEPT_SIZE]);

/* Whether the request asks for any upgrade at all; then ws_upgrade_validate() decides. */
gboolean ws_upgrade_is_asked(const HttpRequest *request);

/* Refusals: 400, 405 for a method other than GET, 426 for a version other than 13 (answer that with
 * "Sec-WebSocket-Version: 13"). */
gboolean ws_upgrade_validate(const HttpRequest *request, WsUpgrade *ret, HttpRefusal *ret_refusal);

/* Finds the offered subprotocol that equals `wanted` without regard to case; `wanted` NULL: the
 * first one. *ret is the offered spelling. FALSE when none fits. */
gboolean ws_protocol_choose(Slice offered, const char *wanted, Slice *ret);

/* Appends the 101 response; `protocol` from ws_protocol_choose(), or an empty slice for none. */
void ws_upgrade_accept(GString *out, const WsUpgrade *upgrade, Slice protocol);

/* Appends the request of a client. FALSE, with nothing appended, when a part contains a character
 * that is not allowed there. */
G_GNUC_WARN_UNUSED_RESULT
gboolean ws_request_build(GString *out, const WsClientRequest *request,
                          const guint8 nonce[static WS_NONCE_SIZE]);

/* Checks the answer: 101, Upgrade, Connection, the Accept value for our nonce, no extension, no
 * subprotocol except the offered one. A server may choose no subprotocol and then does not send
 * one. *ret_text is a static text that says what is wrong, unless the result is WS_RESPONSE_OK. */
WsResponseResult
ws_response_verify(const HttpResponse *response, const guint8 nonce[static WS_NONCE_SIZE],
                   const char *protocol, const char **ret_text);
