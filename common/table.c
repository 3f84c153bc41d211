/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define TABLE_GAP "  "
#define BOLD_ON "\033[1m"
#define BOLD_OFF "\033[0m"

struct Table {
    guint columns;
    GPtrArray *cells; /* the titles are the first row */
    gboolean *right;
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
table_new(const char *title, ...)
{
    Table *table = g_new0(Table, 1);
    va_list args;

    table->cells = g_ptr_array_new_with_free_func(g_free);
    va_start(args, title);
    for (const char *next = title; next != NULL; next = va_arg(args, const char *))
        g_ptr_array_add(table->cells, g_strdup(next));
    va_end(args);
    table->columns = table->cells->len;
    table->right = g_new0(gboolean, table->columns);
    return table;
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_free(table->right);
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

static void
table_format_row(const Table *table, guint row, const guint *widths, GString *out)
{
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint column = 0; column < table->columns; column++) {
        const char *cell = table_cell(table, row, column);
        int padding = (int)widths[column] - (int)table_width(cell);

        if (widths[column] == 0)
            continue;
        if (line->len > 0)
            g_string_append(line, TABLE_GAP);
        if (table->right[column])
            g_string_append_printf(line, "%*s%s", padding, "", cell);
        else
            g_string_append_printf(line, "%s%*s", cell, padding, "");
    }
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
    g_string_append_len(out, line->str, (gssize)line->len);
}

char *
table_format(const Table *table, gboolean bold)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree guint *widths = g_new0(guint, table->columns);

    for (guint column = 0; column < table->columns; column++)
        widths[column] = table_column_width(table, column);
    for (guint row = 0; row <= table_rows(table); row++) {
        if (row == 0 && bold)
            g_string_append(out, BOLD_ON);
        table_format_row(table, row, widths, out);
        g_string_append(out, row == 0 && bold ? BOLD_OFF "\n" : "\n");
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

void
table_print(const Table *table, const char *empty)
{
    g_autofree char *text = NULL;

    if (table_rows(table) == 0) {
        (void)puts(empty);
        return;
    }
    text = table_format(table, isatty(STDOUT_FILENO) == 1);
    (void)fputs(text, stdout);
}
