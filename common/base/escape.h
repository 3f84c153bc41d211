/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escape: makes text from outside safe for a line of the log (requirement R28). Any thread. */
#pragma once

#include <glib.h>

#define ESCAPE_MAX 256 /* bytes of a value in a record, as written */

/* LEN bytes (-1: a C string; NULL: nothing) as printable UTF-8: what is not valid, not printable,
 * or a backslash becomes \xNN, byte by byte. So no value can start a line, hide in one, or pass for
 * an escaped one. At most MAX bytes come out; what was cut ends in "...". MAX is at least 3. */
void escape_append(GString *out, const char *text, gssize len, gsize max);
char *escape_text(const char *text, gsize max);
