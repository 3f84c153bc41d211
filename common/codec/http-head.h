/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of an HTTP/1.1 request or response (RFC 9112), for our own edge and our own client.
 *
 * The parsers look at everything received so far, from the first byte of the head, and say whether
 * it is all there. They take no copy and keep no state, so the buffer decides how long the slices
 * live. Any doubt is a refusal (requirement R7), and after a refusal the connection is closed: what
 * follows on it has no known beginning. Pure; any thread. */
#pragma once

#include "common/codec/http-field.h"

/* The largest body of a request (R6); more is refused with 413. */
#define HTTP_REQUEST_BODY_MAX ((guint64)256 * 1024)

/* The largest Content-Length of a response that is believed; what the client reads is its matter.
 */
#define HTTP_RESPONSE_BODY_MAX ((guint64)1 << 40)

typedef enum {
    HTTP_HEAD_MORE,    /* not complete, and nothing wrong so far */
    HTTP_HEAD_OK,      /* complete */
    HTTP_HEAD_REFUSED, /* answer with the refusal's status and close */
} HttpHeadResult;

typedef struct {
    Slice method;             /* a token, as sent; "GET" and "get" differ */
    Slice target;             /* origin form: path, and the query with its question mark */
    Slice path;               /* begins with '/', still percent-encoded; see common/codec/http-target.h */
    Slice query;              /* behind the question mark; empty when there is none */
    Slice host;               /* the one Host field: name or address, maybe with a port */
    guint minor_version;      /* 1, or 0 for HTTP/1.0 */
    gboolean keep_alive;      /* HTTP/1.1 without "Connection: close" */
    gboolean expect_continue; /* 100 Continue is awaited before the body */
    guint64 content_length;   /* 0 when there was none: bodies are never chunked */
    gsize head_len;           /* bytes of the head: the body begins behind them */
    HttpHeaders headers;
} HttpRequest;

typedef struct {
    guint status; /* 100 to 599 */
    Slice reason;
    guint minor_version;
    gboolean keep_alive;
    gboolean has_content_length;
    guint64 content_length;
    gboolean chunked; /* then there is no Content-Length */
    gsize head_len;
    HttpHeaders headers;
} HttpResponse;

/* *ret is written for HTTP_HEAD_OK only, *ret_refusal for HTTP_HEAD_REFUSED only. Refusals:
 * 400, 413 body, 414 request line, 417 Expect, 431 too large or many, 501 Transfer-Encoding, 505.
 * `buf` may hold more than the head. */
HttpHeadResult
http_request_parse(const char *buf, gsize len, HttpRequest *ret, HttpRefusal *ret_refusal);

/* The same for a response; the status of a refusal is always 502. A body is there unless the
 * request was HEAD or the status is 1xx, 204 or 304; with neither chunked nor has_content_length
 * it ends with the connection. */
HttpHeadResult
http_response_parse(const char *buf, gsize len, HttpResponse *ret, HttpRefusal *ret_refusal);
