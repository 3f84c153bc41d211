/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Line: texts for a terminal that is narrower than they are. Widths are columns, as in table.h; the
 * terminal's sequences for colours take none. Pure. Results: the caller frees. */
#pragma once

#include <glib.h>

/* TEXT, or as much of it as WIDTH columns take, ending in ELLIPSIS; colours end with it. */
char *line_cut(const char *text, guint width, const char *ellipsis);

/* TEXT with line breaks in the place of blanks, so that no line takes more than WIDTH columns; a
 * word that is longer is broken where the line ends. WIDTH 0: as it is. */
char *line_fold(const char *text, guint width);
