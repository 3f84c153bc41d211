/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/escape.h"

#include <string.h>

#define ELLIPSIS "..."

/* To GLib the separators of lines and paragraphs are printable. */
static gboolean
is_plain(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return c != '\\' && g_unichar_isprint(c) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* One character or, where there is none, one byte; returns how many bytes of TEXT it took. */
static gsize
escape_one(const char *text, gsize left, char *ret_piece)
{
    gunichar c = g_utf8_get_char_validated(text, (gssize)left);
    gsize taken = 1;

    if (c < 0x110000) /* neither (gunichar)-1 nor -2 */
        taken = (gsize)g_unichar_to_utf8(c, NULL);
    if (c < 0x110000 && is_plain(c)) {
        memcpy(ret_piece, text, taken);
        ret_piece[taken] = '\0';
        return taken;
    }
    for (gsize i = 0; i < taken; i++)
        (void)g_snprintf(ret_piece + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
    return taken;
}

void
escape_append(GString *out, const char *text, gssize len, gsize max)
{
    gsize left = !text ? 0 : len < 0 ? strlen(text) : (gsize)len;
    gsize start = out->len;
    gsize fits = start; /* up to here there is room for the ellipsis */
    char piece[4 * 6 + 1];

    while (left > 0) {
        gsize taken = escape_one(text, left, piece);

        if (out->len - start + strlen(piece) > max) {
            g_string_truncate(out, fits);
            g_string_append(out, ELLIPSIS);
            return;
        }
        g_string_append(out, piece);
        if (out->len - start + strlen(ELLIPSIS) <= max)
            fits = out->len;
        text += taken;
        left -= taken;
    }
}

char *
escape_text(const char *text, gsize max)
{
    GString *out = g_string_new(NULL);

    escape_append(out, text, -1, max);
    return g_string_free(out, FALSE);
}
