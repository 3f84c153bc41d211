/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/table.h"

#include "common/base/line.h"
#include "common/base/table-fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TABLE_GAP "  "
#define ELLIPSIS "\u2026"
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
    GPtrArray *briefs;  /* the short form of each cell, or NULL */
    GArray *cell_paint; /* TablePaint, of each cell */
    gboolean *right;
    guint *preferred; /* by column: 0, or its place among those that are worth more */
    guint *widths;    /* of the first rows that were taken; NULL before */
    gboolean brief;   /* with these widths */
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
    table->preferred = g_new0(guint, table->columns);
    table->briefs = g_ptr_array_new_with_free_func(g_free);
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
    g_ptr_array_unref(table->briefs);
    g_array_unref(table->cell_paint);
    g_free(table->right);
    g_free(table->preferred);
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
table_prefer(Table *table, const guint *columns)
{
    for (guint i = 0; columns[i] > 0; i++) {
        g_assert(columns[i] < table->columns);
        table->preferred[columns[i]] = i + 1;
    }
}

void
table_add_brief(Table *table, const char *text, const char *brief)
{
    table_add(table, text);
    g_ptr_array_set_size(table->briefs, (int)table->cells->len);
    table->briefs->pdata[table->cells->len - 1] = table_escape(brief);
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

/* The same, or its short form. */
static const char *
table_cell_form(const Table *table, guint row, guint column, gboolean brief)
{
    guint index = row * table->columns + column;
    const char *text = brief && index < table->briefs->len ? table->briefs->pdata[index] : NULL;

    return text != NULL ? text : table_cell(table, row, column);
}

/* 0: no row has anything there. */
static guint
table_column_width(const Table *table, guint column, gboolean brief)
{
    guint width = 0;

    for (guint row = 1; row <= table_rows(table); row++)
        width = MAX(width, table_width(table_cell_form(table, row, column, brief)));
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

/* The last one goes first, and before all that were preferred; the first one never. */
static guint
table_rank(const Table *table, guint column)
{
    if (column == 0)
        return 0;
    if (table->preferred[column] > 0)
        return table->columns - table->preferred[column] + 1;
    return table->columns + column + 1;
}

/* Fits WIDTHS into the terminal; returns whether short forms are used. */
static gboolean
table_fit_widths(const Table *table, guint *widths, const TableStyle *style)
{
    g_autofree TableColumn *columns = g_new0(TableColumn, table->columns);
    gboolean brief;

    for (guint i = 0; i < table->columns; i++)
        columns[i] = (TableColumn){.full = widths[i],
                                   .brief = MIN(table_column_width(table, i, TRUE), widths[i]),
                                   .cut = !table->right[i],
                                   .rank = table_rank(table, i)};
    brief = table_fit(columns, table->columns, (guint)strlen(TABLE_GAP), style->width);
    for (guint i = 0; i < table->columns; i++)
        widths[i] = columns[i].width;
    return brief;
}

static void
table_append_spaces(GString *line, guint count)
{
    g_string_append_printf(line, "%*s", (int)count, "");
}

/* How the rows of a table are formatted. */
typedef struct {
    const guint *widths;
    const char *ellipsis;
    gboolean color, brief;
    gboolean grows; /* what is wider than its column makes its line longer */
} TableForm;

/* Blanks before the cell are kept back in *PENDING: nothing follows the last text of a line. */
static void
table_append_cell(const Table *table, guint row, guint column, const TableForm *form,
                  guint *pending, GString *line)
{
    const char *text = table_cell_form(table, row, column, form->brief);
    guint width = form->grows ? MAX(form->widths[column], table_width(text)) : form->widths[column];
    g_autofree char *cell = line_cut(text, width, form->ellipsis);
    const char *paint = form->color ? table_cell_paint(table, row, column) : NULL;
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
table_format_row(const Table *table, guint row, const TableForm *form, GString *out)
{
    guint pending = 0;
    gboolean first = TRUE;

    for (guint column = 0; column < table->columns; column++) {
        if (form->widths[column] == 0)
            continue;
        pending += first ? 0 : (guint)strlen(TABLE_GAP);
        first = FALSE;
        table_append_cell(table, row, column, form, &pending, out);
    }
    g_string_append_c(out, '\n');
}

static TableForm
table_form(const TableStyle *style, const guint *widths, gboolean brief)
{
    return (TableForm){
        .widths = widths,
        .ellipsis = style->ellipsis != NULL ? style->ellipsis : ELLIPSIS,
        .color = style->color,
        .brief = brief,
    };
}

char *
table_format(const Table *table, const TableStyle *style)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree guint *widths = g_new0(guint, table->columns);
    const TableStyle plain = {0};
    TableForm form;

    style = style != NULL ? style : &plain;
    for (guint column = 0; column < table->columns; column++)
        widths[column] = table_column_width(table, column, FALSE);
    form = table_form(style, widths, style->width > 0 && table_fit_widths(table, widths, style));
    for (guint row = style->untitled ? 1 : 0; row <= table_rows(table); row++)
        table_format_row(table, row, &form, out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* As the rows so far have them; a column that is empty may still get something. */
static guint *
table_settle(const Table *table)
{
    guint *widths = g_new0(guint, table->columns);

    for (guint column = 0; column < table->columns; column++)
        widths[column] = MAX(table_column_width(table, column, FALSE),
                             table_width(table_cell(table, 0, column)));
    return widths;
}

char *
table_take(Table *table, const TableStyle *style)
{
    gboolean first = table->widths == NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    TableForm form;

    if (first)
        table->widths = table_settle(table);
    if (first && style->width > 0)
        table->brief = table_fit_widths(table, table->widths, style);
    form = table_form(style, table->widths, table->brief);
    form.grows = style->width == 0;
    for (guint row = first && !style->untitled ? 0 : 1; row <= table_rows(table); row++)
        table_format_row(table, row, &form, out);
    g_ptr_array_set_size(table->cells, (int)table->columns);
    g_array_set_size(table->cell_paint, 0);
    g_ptr_array_set_size(table->briefs, 0);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
