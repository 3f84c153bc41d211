/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables: aligned columns for people.
 *
 * Widths are terminal columns, not bytes: wide characters count two, combining ones none. Control
 * characters are shown escaped: a text that came from another machine cannot drive the terminal.
 * A column without any text is left out. */
#pragma once

#include <glib.h>

typedef struct Table Table;

/* Titles, then NULL. */
Table *table_new(const char *title, ...) G_GNUC_NULL_TERMINATED;
Table *table_new_of(const char *const *titles);
void table_free(Table *table); /* NULL is fine */

/* Numbers read better at the right. */
void table_align_right(Table *table, guint column);

/* Where the terminal is too narrow for all columns, the last one is left out first, and the first
 * one stays. COLUMNS, ended by 0, are worth more than the others: the last of them stays longest.
 */
void table_prefer(Table *table, const guint *columns);

/* One more cell of the current row; a full row begins the next. NULL is an empty cell. */
void table_add(Table *table, const char *text);
void table_addf(Table *table, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same, and BRIEF where there is little room: "12.3M" for "12.3 MiB". */
void table_add_brief(Table *table, const char *text, const char *brief);

guint table_rows(const Table *table);

/* What the last cell tells; seen where there are colours. */
typedef enum {
    TABLE_PLAIN,
    TABLE_GOOD,
    TABLE_WAITS,
    TABLE_BAD,
    TABLE_OVER,
    TABLE_PAINTS
} TablePaint;
void table_paint(Table *table, TablePaint paint);

/* The terminal sequence for it, NULL for TABLE_PLAIN; and the end of any. */
const char *table_paint_sequence(TablePaint paint);
#define TABLE_PAINT_OFF "\033[0m"

typedef struct {
    gboolean color; /* bold titles and painted cells, by terminal sequences */
    gboolean untitled;
    guint width; /* columns of the terminal: what does not fit gets short forms, is cut, or left
                    out (table-fit.h); 0: never */
    const char *ellipsis; /* at the end of what is cut; NULL: "…" */
} TableStyle;

/* The whole table, a line per row. STYLE may be NULL: plain. Caller frees. */
char *table_format(const Table *table, const TableStyle *style);

/* For a table too long to be held: the rows that were added since the last call, which it forgets.
 * The first call has the titles and settles the widths: later cells that are longer make their line
 * longer, unless STYLE has a width, where they are cut. Caller frees. */
char *table_take(Table *table, const TableStyle *style);

/* TEXT with control characters as \xNN and broken UTF-8 replaced. Caller frees. */
char *table_escape(const char *text);

/* How many columns a terminal takes for TEXT. */
guint table_width(const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
