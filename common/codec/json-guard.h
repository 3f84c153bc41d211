/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict check of JSON before a lenient parser gets it (RFC 8259; requirement R27).
 *
 * json-glib recurses without a limit, and accepts comments, duplicate names, a second root and
 * numbers that it then changes. This check accepts only texts that every reader understands alike.
 * It does not recurse or allocate, and stops at the first fault. Pure; any thread. */
#pragma once

#include <glib.h>

#define JSON_GUARD_SIZE_MAX ((gsize)64 * 1024) /* default */
#define JSON_GUARD_DEPTH_MAX 16                /* default; "[]" has depth 1 */
#define JSON_GUARD_DEPTH_CAP 64                /* a larger limit counts as this one */
#define JSON_GUARD_OPEN_MEMBERS_MAX 512 /* members of all objects that are open at one place */
#define JSON_GUARD_NUMBER_MAX 64        /* characters of a number */

typedef enum {
    JSON_GUARD_OK,
    JSON_GUARD_TOO_LARGE,
    JSON_GUARD_TOO_DEEP,
    JSON_GUARD_TOO_MANY_MEMBERS,
    JSON_GUARD_SYNTAX,      /* breaks the grammar of RFC 8259; also an empty or unfinished text */
    JSON_GUARD_ENCODING,    /* not UTF-8 */
    JSON_GUARD_NUL,         /* a NUL byte or \u0000 */
    JSON_GUARD_SURROGATE,   /* half of a \ud800-\udfff pair */
    JSON_GUARD_DUPLICATE,   /* a name twice in one object, however it is escaped */
    JSON_GUARD_NUMBER,      /* an integer outside int64, or not a finite double */
    JSON_GUARD_SECOND_ROOT, /* something after the end of the value */
} JsonGuardResult;

typedef struct {
    gsize size;  /* bytes */
    guint depth; /* open arrays and objects */
} JsonGuardLimits;

/* `limits` NULL: the defaults above. On a fault *ret_offset (may be NULL) is the byte where it was
 * seen; otherwise it does not change. */
JsonGuardResult
json_guard_check(const char *text, gsize len, const JsonGuardLimits *limits, gsize *ret_offset);

/* A static text for a message or log. */
const char *json_guard_text(JsonGuardResult result);
