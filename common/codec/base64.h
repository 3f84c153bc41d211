/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict Base64 (RFC 4648 sections 4 and 5).
 *
 * GLib's decoder skips what it does not know, but a key or token must have only one spelling. So
 * there are no spaces and no foreign characters, the unused last bits are zero, and padding is
 * exactly where the alphabet requires it. Pure; any thread. */
#pragma once

#include <glib.h>

/* The most bytes that `len` characters can decode to. */
#define BASE64_DECODED_MAX(len) (((len) + 3) / 4 * 3)

/* The common alphabet with `+`, `/` and required `=` padding. Writes at most `size` bytes to `ret`;
 * *ret_len is their number. FALSE when the text is malformed or its bytes do not fit: *ret_len does
 * not change, and the content of `ret` is undefined. */
gboolean base64_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len);

/* The same for the URL alphabet with `-`, `_` and no padding (docs/wire-protocol.md, sections 1.5 b
 * and 4). */
gboolean base64url_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len);

/* Without padding. The caller frees it. */
char *base64url_encode(const guint8 *bytes, gsize len);
