/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Base64, strictly (RFC 4648 sections 4 and 5).
 *
 * GLib's decoder skips what it does not know; for keys and tokens one value must have one spelling.
 * So: no blanks, no foreign characters, the unused last bits are zero, padding exactly where the
 * alphabet wants it. Pure; any thread. */
#pragma once

#include <glib.h>

/* The bytes that `len` characters can decode to at most. */
#define BASE64_DECODED_MAX(len) (((len) + 3) / 4 * 3)

/* The common alphabet with `+`, `/` and obligatory `=` padding. Writes at most `size` bytes to
 * `ret`; *ret_len is their number. FALSE, with *ret_len unchanged, when the text is malformed or
 * its bytes do not fit. What `ret` holds is undefined then. */
gboolean base64_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len);

/* The same for the URL alphabet with `-`, `_` and no padding (docs/wire-protocol.md, sections 1.5 b
 * and 4). */
gboolean base64url_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len);

/* Without padding. The caller frees it. */
char *base64url_encode(const guint8 *bytes, gsize len);
