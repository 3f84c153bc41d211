/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a request target: path segments and query values (RFC 3986 sections 3.3, 3.4).
 *
 * Routes are compared by whole segments, split before they are decoded, so that an encoded slash
 * stays inside its segment. Pure; any thread. */
#pragma once

#include "common/base/slice.h"

/* Room for the longest route (the bridges of docs/wire-protocol.md, section 4, with a module). */
#define HTTP_SEGMENTS_MAX 12

typedef struct {
    Slice items[HTTP_SEGMENTS_MAX]; /* raw, between the slashes; may be empty ("//") */
    guint count;                    /* "/" has one empty segment */
} HttpPath;

/* Whether it is origin form: begins with '/', holds only what RFC 3986 allows in path and query,
 * every `%` with two hexadecimal digits. */
gboolean http_target_is_valid(Slice target);

/* Splits a path that begins with '/'. FALSE when it has more segments than any route. */
gboolean http_path_split(Slice path, HttpPath *ret);

/* Whether segment `index` is there and spelled exactly so. */
gboolean http_path_is(const HttpPath *path, guint index, const char *name);

/* Segment `index`, decoded: UTF-8 without NUL and never empty; NULL when it is not so or not there.
 * The caller frees it. */
char *http_path_decode(const HttpPath *path, guint index);

/* The raw value of `name` in a query. FALSE when it is not there or is there more than once: a
 * value that two readers could pick differently is none. */
gboolean http_query_get(Slice query, const char *name, Slice *ret);
