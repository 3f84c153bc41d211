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
