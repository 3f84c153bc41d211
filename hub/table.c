/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/table.h"

#include <string.h>

#define GAP 2

struct Table {
    guint columns;
    GPtrArray *rows; /* of char **; the first are the headings */
};

static void
row_free(void *row)
{
    g_strfreev(row);
}

Table *
table_new(const char *const *headings)
{
    Table *table = g_new0(Table, 1);

    table->columns = g_strv_length((char **)(guintptr)headings);
    table->rows = g_ptr_array_new_with_free_func(row_free);
    table_add(table, headings);
    return table;
}

static char *
cell_copy(const char *text)
{
    char *copy = g_strdup(text ? text : "");

    for (char *c = copy; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = '?';
    return copy;
}

void
table_add(Table *table, const char *const *cells)
{
    char **row = g_new0(char *, table->columns + 1);

    for (guint i = 0; i < table->columns; i++)
        row[i] = cell_copy(cells[i]);
    g_ptr_array_add(table->rows, row);
}

static glong
column_width(const Table *table, guint column)
{
    glong width = 0;

    for (guint i = 0; i < table->rows->len; i++) {
        char *const *row = table->rows->pdata[i];

        width = MAX(width, g_utf8_strlen(row[column], -1));
    }
    return width;
}

static void
row_format(const Table *table, char *const *row, const glong *widths, GString *out)
{
    for (guint i = 0; i < table->columns; i++) {
        g_string_append(out, row[i]);
        /* Nothing is padded behind the last column. */
        for (glong n = g_utf8_strlen(row[i], -1); i + 1 < table->columns && n < widths[i] + GAP;
             n++)
            g_string_append_c(out, ' ');
    }
    while (out->len && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

char *
table_format(const Table *table)
{
    GString *out = g_string_new(NULL);
    g_autofree glong *widths = g_new0(glong, table->columns);

    for (guint i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    for (guint i = 0; i < table->rows->len; i++)
        row_format(table, table->rows->pdata[i], widths, out);
    return g_string_free(out, FALSE);
}

void
table_free(Table *table)
{
    if (!table)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}
