/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Charset: what is printed is UTF-8; a terminal of another character set gets it in that one. What
 * the set lacks is shown as "?", in as many columns as it would take. Files and pipes get UTF-8. */
#pragma once

#include <glib.h>

/* TEXT in CHARSET; invalid UTF-8 is replaced, too. Pure. Caller frees. */
char *charset_convert(const char *text, const char *charset);

/* Whether CHARSET has every character of TEXT. Pure. */
gboolean charset_has(const char *charset, const char *text);

/* From now on standard output and error, where they are terminals, are written in the character set
 * of the locale. Once, after setlocale. */
void charset_begin(void);

/* "…", or "..." where a terminal does not have it. */
const char *charset_ellipsis(void);

/* TEXT as the terminal of standard output takes it. Caller frees. */
char *charset_for_terminal(const char *text);
