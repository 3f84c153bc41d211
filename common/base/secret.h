/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts that hold a key: their memory is wiped before it is given back. Any thread. */
#pragma once

#include <glib.h>

#include <string.h>

/* Wipes and frees a NUL-terminated text; NULL is fine. */
static inline void
secret_free(char *text)
{
    if (!text)
        return;
    explicit_bzero(text, strlen(text));
    g_free(text);
}

/* Appends to a string that may hold keys: where it has to grow, the old memory is wiped. */
static inline void
secret_append(GString **string, const char *text, gsize len)
{
    GString *old = *string;

    if (old->allocated_len - old->len <= len) {
        GString *grown = g_string_sized_new(MAX(2 * old->allocated_len, old->len + len + 1));

        g_string_append_len(grown, old->str, (gssize)old->len);
        explicit_bzero(old->str, old->len);
        (void)g_string_free(old, TRUE);
        *string = grown;
    }
    g_string_append_len(*string, text, (gssize)len);
}

/* Takes the first LEN bytes off such a string, and wipes what they and the others leave behind. */
static inline void
secret_erase(GString *string, gsize len)
{
    gsize left = string->len - len;

    memmove(string->str, string->str + len, left);
    explicit_bzero(string->str + left, len);
    g_string_truncate(string, left);
}

/* Wipes and frees such a string; NULL is fine. */
static inline void
secret_string_free(GString *string)
{
    if (!string)
        return;
    explicit_bzero(string->str, string->len);
    (void)g_string_free(string, TRUE);
}

/* In a time that tells the length at most. */
static inline gboolean
secret_equals(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned char differ = 0;

    if (strlen(b) != len)
        return FALSE;
    for (size_t i = 0; i < len; i++)
        differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}

/* A `char *` that is wiped at the end of its scope: `g_auto(SecretText) key = NULL;`. */
typedef char *SecretText;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(SecretText, secret_free, NULL)

/* The same for a GString. */
typedef GString *SecretString;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(SecretString, secret_string_free, NULL)
