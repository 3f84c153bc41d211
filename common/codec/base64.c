/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/base64.h"

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int
digit_value(char c, gboolean url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* `len` counts only the digits, without padding. */
static gboolean
digits_decode(const char *text, gsize len, gboolean url, guint8 *ret, gsize size, gsize *ret_len)
{
    gsize count = len / 4 * 3 + (len % 4 == 0 ? 0 : len % 4 - 1);
    guint32 bits = 0;
    guint held = 0;
    gsize written = 0;

    if (len % 4 == 1 || count > size)
        return FALSE;
    for (gsize i = 0; i < len; i++) {
        int value = digit_value(text[i], url);

        if (value < 0)
            return FALSE;
        bits = bits << 6 | (guint32)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret[written++] = (guint8)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    if (bits != 0)
        return FALSE;
    *ret_len = written;
    return TRUE;
}

gboolean
base64_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len)
{
    if (len % 4 != 0)
        return FALSE;
    for (guint pad = 0; pad < 2 && len > 0 && text[len - 1] == '='; pad++)
        len--;
    return digits_decode(text, len, FALSE, ret, size, ret_len);
}

gboolean
base64url_decode(const char *text, gsize len, guint8 *ret, gsize size, gsize *ret_len)
{
    return digits_decode(text, len, TRUE, ret, size, ret_len);
}

char *
base64url_encode(const guint8 *bytes, gsize len)
{
    char *text = g_malloc(len / 3 * 4 + 5);
    guint32 bits = 0;
    guint held = 0;
    gsize written = 0;

    for (gsize i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            text[written++] = url_alphabet[bits >> (held - 6) & 63];
        bits &= (1U << held) - 1;
    }
    if (held > 0)
        text[written++] = url_alphabet[bits << (6 - held) & 63];
    text[written] = '\0';
    return text;
}
