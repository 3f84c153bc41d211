/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Table fit: how wide each column of a table is where there is not room for all of it. Pure. */
#pragma once

#include <glib.h>

#define TABLE_FIT_LEAST 8 /* a text is not cut below this, while another column can go */

typedef struct {
    guint full;   /* what its texts take; 0: it is not shown */
    guint brief;  /* the same with the short forms of its numbers; at most FULL */
    gboolean cut; /* whether a text may be cut */
    guint rank;   /* of those that do not fit, the highest goes first; 0: it stays */
    guint width;  /* out: 0: it is not shown */
} TableColumn;

/* GAP: between two columns. Takes from the widest texts first, then uses short forms, then leaves
 * out columns, and at last cuts what is left. Returns whether the short forms are used. */
gboolean table_fit(TableColumn *columns, guint count, guint gap, guint width);
