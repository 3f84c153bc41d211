/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Table: aligned columns on standard output. One thread. */
#pragma once

#include <glib.h>

typedef struct Table Table;

/* HEADINGS: NULL-terminated, at least one. */
Table *table_new(const char *const *headings);

/* One text per column; copied. Control characters are shown as '?'. */
void table_add(Table *table, const char *const *cells);

/* The lines: headings, then the rows; nothing but the headings when there are no rows. */
char *table_format(const Table *table);

void table_free(Table *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
