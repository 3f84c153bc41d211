/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slice: bytes inside somebody else's buffer, not NUL-terminated.
 *
 * What the parsers hand out instead of copies. A slice is good for as long as the buffer it points
 * into; {NULL, 0} is an empty one. Pure; any thread. */
#pragma once

#include <glib.h>

#include <string.h>

typedef struct {
    const char *ptr;
    gsize len;
} Slice;

static inline Slice
slice_of(const char *text)
{
    return (Slice){text, text ? strlen(text) : 0};
}

static inline gboolean
slice_equal(Slice slice, const char *text)
{
    return slice.len == strlen(text) && (slice.len == 0 || memcmp(slice.ptr, text, slice.len) == 0);
}

/* ASCII letters compare without case, as names in HTTP do. */
static inline gboolean
slice_equal_nocase(Slice slice, const char *text)
{
    return slice.len == strlen(text) &&
           (slice.len == 0 || g_ascii_strncasecmp(slice.ptr, text, slice.len) == 0);
}

/* A NUL-terminated copy; the caller frees it. */
static inline char *
slice_dup(Slice slice)
{
    return g_strndup(slice.ptr ? slice.ptr : "", slice.len);
}
