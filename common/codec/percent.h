/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Percent-encoding (RFC 3986 section 2.1) with the two sets of unencoded characters in use.
 *
 * Decoding is strict: `%` needs two hexadecimal digits (either case), a byte that decodes to NUL is
 * refused, `+` is a plus. It is done once; what is still encoded after that stays encoded. Pure;
 * any thread. */
#pragma once

#include <glib.h>

typedef enum {
    /* docs/wire-protocol.md, section 1.5 c: what the C device's decoder accepts unencoded in
       `$url`, namely `! ( ) * - . 0-9 A-Z _ a-z`. Also for the values of our own topic properties.
       That decoder refuses %80 and above, so use it only for ASCII. */
    PERCENT_STRICT,
    /* RFC 3986 "unreserved", `A-Z a-z 0-9 - . _ ~`: for a segment of a path, a value in a query,
       and the `sr` and `sig` of a SAS token as Node writes them (section 1.3). */
    PERCENT_SEGMENT,
} PercentSet;

/* `len` -1: up to the NUL. Hexadecimal digits are upper case. The caller frees the result. */
char *percent_encode(PercentSet set, const char *text, gssize len);
void percent_append(GString *out, PercentSet set, const char *text, gssize len);

/* Decodes into `ret`, which needs room for `len` bytes (no NUL is added) and may be `text` itself.
 * On failure *ret_len does not change, and the content of `ret` is undefined. */
gboolean percent_decode(const char *text, gsize len, char *ret, gsize *ret_len);

/* The decoded text; NULL unless it is UTF-8 without NUL. The caller frees it. */
char *percent_decode_text(const char *text, gsize len);
