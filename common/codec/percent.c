/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/percent.h"

#include <string.h>

static gboolean
is_raw(PercentSet set, char c)
{
    if (g_ascii_isalnum(c))
        return TRUE;
    return c != '\0' && strchr(set == PERCENT_STRICT ? "!()*-._" : "-._~", c) != NULL;
}

void
percent_append(GString *out, PercentSet set, const char *text, gssize len)
{
    static const char digits[] = "0123456789ABCDEF";
    gsize count = len < 0 ? strlen(text) : (gsize)len;

    for (gsize i = 0; i < count; i++) {
        guint8 byte = (guint8)text[i];

        if (is_raw(set, text[i])) {
            g_string_append_c(out, text[i]);
            continue;
        }
        g_string_append_c(out, '%');
        g_string_append_c(out, digits[byte >> 4]);
        g_string_append_c(out, digits[byte & 15]);
    }
}

char *
percent_encode(PercentSet set, const char *text, gssize len)
{
    GString *out = g_string_new(NULL);

    percent_append(out, set, text, len);
    return g_string_free(out, FALSE);
}

/* The byte for the `%` escape at text[0]. A bad escape gives 0, which no caller accepts. */
static char
escape_value(const char *text, gsize len)
{
    if (len < 3 || !g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]))
        return '\0';
    return (char)(g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2]));
}

gboolean
percent_decode(const char *text, gsize len, char *ret, gsize *ret_len)
{
    gsize written = 0;

    for (gsize i = 0; i < len;) {
        gboolean escaped = text[i] == '%';
        char c = escaped ? escape_value(text + i, len - i) : text[i];

        if (c == '\0')
            return FALSE;
        ret[written++] = c;
        i += escaped ? 3 : 1;
    }
    *ret_len = written;
    return TRUE;
}

char *
percent_decode_text(const char *text, gsize len)
{
    g_autofree char *out = g_malloc(len + 1);
    gsize written = 0;

    if (!percent_decode(text, len, out, &written) || !g_utf8_validate_len(out, written, NULL))
        return NULL;
    out[written] = '\0';
    return g_steal_pointer(&out);
}
