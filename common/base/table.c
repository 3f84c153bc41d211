/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TABLE_GAP "  "
#define ELLIPSIS "\u2026"
#define NARROWEST 8 /* a column is not cut below this */
#define BOLD_ON "\033[1m"

static const char *const paints[TABLE_PAINTS] = {
    [TABLE_GOOD] = "\033[32m",
    [TABLE_WAITS] = "\033[33m",
    [TABLE_BAD] = "\033[31m",
    [TABLE_OVER] = "\033[90m",
};

struct Table {
    guint columns;
    GPtrArray *cells;   /* the titles are the first row */
    GArray *cell_paint; /* TablePaint, of each cell */
    gboolean *right;
    guint *widths; /* of the first rows that were taken; NULL before */
};

char *
table_escape(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) escaped = g_string_new(NULL);

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
            g_string_append_printf(escaped, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
        else
            g_string_append_unichar(escaped, c);
    }
    return g_string_free(g_steal_pointer(&escaped), FALSE);
}

guint
table_width(const char *text)
{
    guint width = 0;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

Table *
table_new_of(const char *const *titles)
{
    Table *table = g_new0(Table, 1);

    table->cells = g_ptr_array_new_with_free_func(g_free);
    for (; *titles != NULL; titles++)
        g_ptr_array_add(table->cells, g_strdup(*titles));
    table->columns = table->cells->len;
    table->cell_paint = g_array_new(FALSE, TRUE, sizeof(TablePaint));
    table->right = g_new0(gboolean, table->columns);
    return table;
}

Table *
table_new(const char *title, ...)
{
    g_autoptr(GPtrArray) titles = g_ptr_array_new();
    va_list args;

    va_start(args, title);
    for (const char *next = title; next != NULL; next = va_arg(args, const char *))
        g_ptr_array_add(titles, (gpointer)(guintptr)next);
    va_end(args);
    g_ptr_array_add(titles, NULL);
    return table_new_of((const char *const *)titles->pdata);
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_array_unref(table->cell_paint);
    g_free(table->right);
    g_free(table->widths);
    g_free(table);
}

void
table_align_right(Table *table, guint column)
{
    g_assert(column < table->columns);
    table->right[column] = TRUE;
}

void
table_add(Table *table, const char *text)
{
    g_ptr_array_add(table->cells, table_escape(text != NULL ? text : ""));
}

void
table_addf(Table *table, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    table_add(table, text);
}

guint
table_rows(const Table *table)
{
    return table->cells->len / table->columns - 1;
}

static const char *
table_cell(const Table *table, guint row, guint column)
{
    return g_ptr_array_index(table->cells, row * table->columns + column);
}

/* 0: no row has anything there. */
static guint
table_column_width(const Table *table, guint column)
{
    guint width = 0;

    for (guint row = 1; row <= table_rows(table); row++)
        width = MAX(width, table_width(table_cell(table, row, column)));
    return width == 0 ? 0 : MAX(width, table_width(table_cell(table, 0, column)));
}

void
table_paint(Table *table, TablePaint paint)
{
    g_assert(table->cells->len > table->columns);
    g_array_set_size(table->cell_paint, table->cells->len);
    g_array_index(table->cell_paint, TablePaint, table->cells->len - 1) = paint;
}

const char *
table_paint_sequence(TablePaint paint)
{
    return paints[paint];
}

static const char *
table_cell_paint(const Table *table, guint row, guint column)
{
    guint index = row * table->columns + column;

    if (row == 0)
        return BOLD_ON;
    return index < table->cell_paint->len
               ? table_paint_sequence(g_array_index(table->cell_paint, TablePaint, index))
               : NULL;
}

/* TEXT, or as much of it as WIDTH columns take, with an ellipsis. Caller frees. */
static char *
table_cut(const char *text, guint width)
{
    const char *end = text;
    guint used = 1; /* the ellipsis */

    if (table_width(text) <= width)
        return g_strdup(text);
    while (TRUE) {
        gunichar c = g_utf8_get_char(end);

        used += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (used > width)
            break;
        end = g_utf8_next_char(end);
    }
    return g_strdup_printf("%.*s" ELLIPSIS, (int)(end - text), text);
}

static guint
table_total(const Table *table, const guint *widths)
{
    guint total = 0;

    for (guint column = 0; column < table->columns; column++)
        if (widths[column] > 0)
            total += widths[column] + (total > 0 ? (guint)strlen(TABLE_GAP) : 0);
    return total;
}

/* Takes from the widest text until everything fits, or all texts are narrow. Numbers are not cut.
 */
static void
table_fit(const Table *table, guint *widths, guint width)
{
    while (table_total(table, widths) > width) {
        guint *widest = NULL;

        for (guint column = 0; column < table->columns; column++)
            if (!table->right[column] && (widest == NULL || widths[column] > *widest))
                widest = &widths[column];
        if (widest == NULL || *widest <= NARROWEST)
            return;
        (*widest)--;
    }
}

static void
table_append_spaces(GString *line, guint count)
{
    g_string_append_printf(line, "%*s", (int)count, "");
}

/* Blanks before the cell are kept back in *PENDING: nothing follows the last text of a line. */
static void
table_append_cell(const Table *table, guint row, guint column, guint width, gboolean color,
                  guint *pending, GString *line)
{
    g_autofree char *cell = table_cut(table_cell(table, row, column), width);
    const char *paint = color ? table_cell_paint(table, row, column) : NULL;
    guint padding = width - MIN(width, table_width(cell));

    *pending += table->right[column] ? padding : 0;
    if (*cell != '\0') {
        table_append_spaces(line, *pending);
        *pending = 0;
        g_string_append_printf(line, "%s%s%s", paint != NULL ? paint : "", cell,
                               paint != NULL ? TABLE_PAINT_OFF : "");
    }
    *pending += table->right[column] ? 0 : padding;
}

static void
table_format_row(const Table *table, guint row, const guint *widths, gboolean color, GString *out)
{
    guint pending = 0;
    gboolean first = TRUE;

    for (guint column = 0; column < table->columns; column++) {
        guint width = widths[column];

        if (width == 0)
            continue;
        /* Widths that are settled already cut nothing: a longer text makes its line longer. */
        if (table->widths)
            width = MAX(width, table_width(table_cell(table, row, column)));
        pending += first ? 0 : (guint)strlen(TABLE_GAP);
        first = FALSE;
        table_append_cell(table, row, column, width, color, &pending, out);
    }
    g_string_append_c(out, '\n');
}

char *
table_format(const Table *table, const TableStyle *style)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree guint *widths = g_new0(guint, table->columns);
    const TableStyle plain = {0};

    style = style != NULL ? style : &plain;
    for (guint column = 0; column < table->columns; column++)
        widths[column] = table_column_width(table, column);
    if (style->width > 0)
        table_fit(table, widths, style->width);
    for (guint row = style->untitled ? 1 : 0; row <= table_rows(table); row++)
        table_format_row(table, row, widths, style->color, out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* As the rows so far have them; a column that is empty may still get something. */
static guint *
table_settle(const Table *table)
{
    guint *widths = g_new0(guint, table->columns);

    for (guint column = 0; column < table->columns; column++)
        widths[column] =
            MAX(table_column_width(table, column), table_width(table_cell(table, 0, column)));
    return widths;
}

char *
table_take(Table *table, const TableStyle *style)
{
    gboolean first = table->widths == NULL;
    g_autoptr(GString) out = g_string_new(NULL);

    if (first)
        table->widths = table_settle(table);
    for (guint row = first && !style->untitled ? 0 : 1; row <= table_rows(table); row++)
        table_format_row(table, row, table->widths, style->color, out);
    g_ptr_array_set_size(table->cells, (int)table->columns);
    g_array_set_size(table->cell_paint, 0);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
