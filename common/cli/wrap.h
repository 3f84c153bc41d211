/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wrap: long texts as lines of a terminal. Pure. */
#pragma once

#include <glib.h>

/* TEXT in lines of at most WIDTH columns, broken at blanks and beside wide characters; line ends in
 * TEXT stay. INDENT goes in front of every line but the first, and counts. A word that is longer
 * than a line sticks out. Caller frees. */
char *wrap_text(const char *text, guint width, const char *indent);
