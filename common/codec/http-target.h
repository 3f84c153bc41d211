/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a request target: path segments and query values (RFC 3986 sections 3.3, 3.4).
 *
 * Routes are compared segment by segment. The path is split before it is decoded, so that an
 * encoded slash stays inside its segment. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

/* Enough for the longest route (the bridges of docs/wire-protocol.md, section 4, with a module). */
#define HTTP_SEGMENTS_MAX 12

typedef struct {
    Slice items[HTTP_SEGMENTS_MAX]; /* raw, between the slashes; may be empty ("//") */
    guint count;                    /* "/" has one empty segment */
} HttpPath;

/* Whether it is in origin form: it begins with '/', has only characters that RFC 3986 allows in
 * path and query, and every `%` has two hexadecimal digits. */
gboolean http_target_is_valid(Slice target);

/* Whether its escapes decode to UTF-8 without NUL. */
gboolean http_path_is_valid(Slice path);

/* Splits a path that begins with '/'. FALSE when it has more segments than any route. */
gboolean http_path_split(Slice path, HttpPath *ret);

/* Whether segment `index` exists and, decoded, equals `name` exactly. */
gboolean http_path_is(const HttpPath *path, guint index, Slice name);

/* Segment `index`, decoded: UTF-8 without NUL, never empty. NULL when it is not so or does not
 * exist. The caller frees it. */
char *http_path_decode(const HttpPath *path, guint index);

/* The raw value of `name` in a query. FALSE when it is absent or there more than once: two readers
 * could then each pick another value. */
gboolean http_query_get(Slice query, const char *name, Slice *ret);
