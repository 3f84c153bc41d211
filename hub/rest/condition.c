/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/condition.h"

#include <string.h>

guint64
condition_etag(const char *etag)
{
    guint64 number = 0;

    return g_ascii_string_to_unsigned(etag, 10, 1, G_MAXUINT64, &number, NULL) ? number : 0;
}

Condition
condition_parse(const char *field, guint64 *ret_etag)
{
    g_autofree char *text = g_strdup(field ? field : "");
    gsize len = strlen(g_strstrip(text));
    const char *inner = text;

    if (!field)
        return CONDITION_NONE;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text[len - 1] = '\0';
        inner++;
    }
    if (strcmp(inner, "*") == 0)
        return CONDITION_ANY;
    if (g_str_has_prefix(inner, "W/\"")) { /* a weak one is equal to none */
        *ret_etag = 0;
        return CONDITION_ETAG;
    }
    if (!*inner || strpbrk(inner, "\", \t"))
        return CONDITION_FAULT;
    *ret_etag = condition_etag(inner);
    return CONDITION_ETAG;
}
