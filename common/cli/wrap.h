/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wrap: breaks long texts into lines for a terminal. Pure. */
#pragma once

#include <glib.h>

/* TEXT in lines of at most WIDTH columns, broken at spaces and next to wide characters. Line ends
 * in TEXT stay. INDENT goes before every line but the first, and counts. A word that is longer than
 * a line is not broken. Caller frees. */
char *wrap_text(const char *text, guint width, const char *indent);
