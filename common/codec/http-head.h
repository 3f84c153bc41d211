/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of an HTTP/1.1 request or response (RFC 9112), for our own edge and our own client.
 *
 * The parsers read everything received so far, from the first byte of the head, and say whether it
 * is complete. They copy nothing and keep no state, so the slices live as long as the buffer. Any
 * doubt is a refusal (requirement R7). After a refusal the connection is closed, because nobody
 * knows where the next message begins. Pure; any thread. */
#pragma once

#include "common/codec/http-field.h"

/* The largest body of a request (R6); more is refused with 413. */
#define HTTP_REQUEST_BODY_MAX ((guint64)256 * 1024)

/* The largest Content-Length that is accepted in a response. How much the client then reads is its
 * own decision. */
#define HTTP_RESPONSE_BODY_MAX ((guint64)1 << 40)

typedef enum {
    HTTP_HEAD_MORE,    /* not complete, and nothing wrong so far */
    HTTP_HEAD_OK,      /* complete */
    HTTP_HEAD_REFUSED, /* answer with the refusal's status and close */
} HttpHeadResult;

typedef struct {
    Slice method; /* a token, as sent; case matters */
    Slice target; /* origin form: path, and the query with its question mark */
    Slice path;   /* begins with '/', still percent-encoded; see common/codec/http-target.h */
    Slice query;  /* behind the question mark; empty when there is none */
    Slice host;   /* the only Host field: name or address, possibly with a port */
    guint minor_version;      /* 1, or 0 for HTTP/1.0 */
    gboolean keep_alive;      /* HTTP/1.1 without "Connection: close" */
    gboolean expect_continue; /* the client waits for 100 Continue before it sends the body */
    guint64 content_length;   /* 0 when there was none */
    gboolean chunked;         /* the body is read by common/codec/http-chunks.h */
    gsize head_len;           /* length of the head: the body begins behind it */
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
 * 400, 413 body, 414 request line, 417 Expect, 431 too large or many, 501 a Transfer-Encoding other
 * than chunked, 505.
 * `buf` may hold more than the head. */
HttpHeadResult
http_request_parse(const char *buf, gsize len, HttpRequest *ret, HttpRefusal *ret_refusal);

/* The same for a response. The status of a refusal is always 502. There is a body unless the
 * request was HEAD or the status is 1xx, 204 or 304. With neither chunked nor has_content_length it
 * ends with the connection. */
HttpHeadResult
http_response_parse(const char *buf, gsize len, HttpResponse *ret, HttpRefusal *ret_refusal);
