/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/line.h"

#include "common/base/table.h"

#include <string.h>

static guint
line_char_width(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

/* The length of the sequence "ESC [ ... letter" at TEXT; 0: there is none. */
static gsize
line_sequence(const char *text)
{
    gsize length = 2;

    if (text[0] != '\033' || text[1] != '[')
        return 0;
    while (text[length] != '\0' && !g_ascii_isalpha(text[length]))
        length++;
    return text[length] != '\0' ? length + 1 : length;
}

/* The width of TEXT. RET_END: how much of it, in bytes, takes at most WIDTH columns. */
static guint
line_measure(const char *text, guint width, gsize *ret_end)
{
    const char *p = text;
    guint used = 0;

    *ret_end = 0;
    while (*p != '\0') {
        gsize sequence = line_sequence(p);

        if (sequence == 0)
            used += line_char_width(g_utf8_get_char(p));
        p = sequence > 0 ? p + sequence : g_utf8_next_char(p);
        if (used <= width)
            *ret_end = (gsize)(p - text);
    }
    return used;
}

char *
line_cut(const char *text, guint width, const char *ellipsis)
{
    guint dots = table_width(ellipsis);
    gsize end;

    if (line_measure(text, width, &end) <= width)
        return g_strdup(text);
    if (dots >= width)
        ellipsis = "";
    (void)line_measure(text, *ellipsis != '\0' ? width - dots : width, &end);
    return g_strdup_printf("%.*s%s%s", (int)end, text, ellipsis,
                           memchr(text, '\033', end) != NULL ? TABLE_PAINT_OFF : "");
}

/* How many bytes of TEXT go into a line of WIDTH columns, the blank at which it is broken not
 * counted. */
static gsize
line_length(const char *text, guint width)
{
    gsize end, blank;

    if (line_measure(text, width, &end) <= width)
        return strlen(text);
    for (blank = end; blank > 0 && text[blank] != ' '; blank--)
        ;
    if (blank > 0)
        return blank;
    return end > 0 ? end : (gsize)(g_utf8_next_char(text) - text);
}

static void
line_fold_one(const char *text, guint width, GString *out)
{
    while (*text != '\0') {
        gsize length = line_length(text, width);

        g_string_append_len(out, text, (gssize)length);
        text += length;
        if (*text == '\0')
            return;
        text += *text == ' ' ? 1 : 0;
        g_string_append_c(out, '\n');
    }
}

char *
line_fold(const char *text, guint width)
{
    g_auto(GStrv) lines = NULL;
    GString *out;

    if (width == 0)
        return g_strdup(text);
    lines = g_strsplit(text, "\n", -1);
    out = g_string_new(NULL);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_string_append(out, i > 0 ? "\n" : "");
        line_fold_one(lines[i], width, out);
    }
    return g_string_free(out, FALSE);
}
