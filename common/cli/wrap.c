/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/wrap.h"

#include "common/base/table.h"

#include <string.h>

static gboolean
wrap_is_wide(const char *p)
{
    return *p != '\0' && g_unichar_iswide(g_utf8_get_char(p));
}

/* A closing mark stays behind the text that it closes: it does not begin a line. */
static gboolean
wrap_may_begin(const char *p)
{
    return strchr(".,:;!?)", *p) == NULL &&
           g_utf8_strchr("\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f\uff09\u300d", -1,
                         g_utf8_get_char(p)) == NULL;
}

/* The end of the unbreakable piece at P. */
static const char *
wrap_piece(const char *p)
{
    const char *end = p;

    if (*p == ' ' || *p == '\n')
        return p + 1;
    do
        end = g_utf8_next_char(end);
    while (*end != '\0' && *end != ' ' && *end != '\n' &&
           !((wrap_is_wide(end) || wrap_is_wide(g_utf8_prev_char(end))) && wrap_may_begin(end)));
    return end;
}

char *
wrap_text(const char *text, guint width, const char *indent)
{
    g_autoptr(GString) out = g_string_new(NULL);
    guint used = 0, begin = table_width(indent);
    gboolean blank = FALSE;

    for (const char *p = text; *p != '\0';) {
        const char *end = wrap_piece(p);
        g_autofree char *piece = g_strndup(p, (gsize)(end - p));
        guint columns = table_width(piece);

        p = end;
        if (strcmp(piece, " ") == 0 || strcmp(piece, "\n") == 0) {
            blank = *piece == ' ';
            if (blank)
                continue;
            g_string_append_printf(out, "\n%s", indent);
            used = begin;
            continue;
        }
        if (used > begin && used + (blank ? 1 : 0) + columns > width) {
            g_string_append_printf(out, "\n%s", indent);
            used = begin;
            blank = FALSE;
        }
        g_string_append_printf(out, "%s%s", blank ? " " : "", piece);
        used += columns + (blank ? 1 : 0);
        blank = FALSE;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
