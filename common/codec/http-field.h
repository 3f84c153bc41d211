/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict parsing of the header fields of an HTTP/1.1 head (RFC 9110 section 5, RFC 9112 section 5).
 *
 * Nothing is copied: names and values are slices of the parsed buffer. Anything that two readers
 * could understand differently is refused (failure classes 1 to 4): a line that does not end in
 * CRLF, a folded line, a space before the colon, a control character, a second copy of a field that
 * decides anything. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

/* Requirement R6. A line is counted without its CRLF. */
#define HTTP_HEAD_MAX ((gsize)16 * 1024)
#define HTTP_LINE_MAX ((gsize)8 * 1024)
#define HTTP_HEADERS_MAX 64

/* What is wrong with a head: the status to answer with, and a static English text for the log. */
typedef struct {
    guint status;
    const char *text;
} HttpRefusal;

typedef struct {
    Slice name;  /* as sent; compare with slice_equal_nocase() */
    Slice value; /* without the spaces around it; bytes 0x80-0xff may occur */
} HttpHeader;

typedef struct {
    HttpHeader items[HTTP_HEADERS_MAX];
    guint count;
} HttpHeaders;

/* Sets *ret_refusal and returns FALSE: `return http_refuse(ret_refusal, 400, "...");`. */
gboolean http_refuse(HttpRefusal *ret_refusal, guint status, const char *text);

/* Parses the field lines of `lines`, each with its CRLF, without the empty line at the end. */
gboolean http_headers_parse(Slice lines, HttpHeaders *ret, HttpRefusal *ret_refusal);

/* The first field of that name; NULL when there is none. In an accepted head only two kinds of
 * fields may occur more than once: fields that are lists themselves, as Connection, and fields that
 * nothing here depends on. */
const HttpHeader *http_headers_find(const HttpHeaders *headers, const char *name);

/* The value of http_headers_find(). *ret is set only when there is one. */
gboolean http_headers_get(const HttpHeaders *headers, const char *name, Slice *ret);

/* Whether the comma-separated lists of all fields of that name contain the token. Case does not
 * matter: http_headers_have_token(h, "Connection", "Upgrade"). */
gboolean http_headers_have_token(const HttpHeaders *headers, const char *name, const char *token);

/* Takes the next token off the comma-separated *list; empty elements are skipped. FALSE at the end,
 * where *list is empty, and at an element that is not a token, where it is not. */
gboolean http_list_next(Slice *list, Slice *ret_token);

gboolean http_is_token(Slice text);

/* 1 to 18 digits without a leading zero, at most `max`. */
gboolean http_decimal_parse(Slice text, guint64 max, guint64 *ret);

/* The values of the iothub-streaming-*-timeout-in-seconds headers ("30", "1.5"), in microseconds:
 * 1 to 7 digits and, after a dot, 1 to 20 more, of which six count. No sign, no exponent
 * (docs/wire-protocol.md, section 3). */
gboolean http_seconds_parse(Slice text, gint64 *ret_usec);
