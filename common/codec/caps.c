/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/caps.h"

#include <string.h>

static const struct {
    Caps cap;
    const char *name;
} rows[] = {
    {CAP_HALF_CLOSE, "half-close"}, {CAP_REASON, "reason"}, {CAP_DEADLINE, "deadline"},
    {CAP_INITIATOR, "initiator"},   {CAP_SID, "sid"},       {CAP_ORDER, "order"},
    {CAP_NOTICE, "notice"},         {CAP_REKEY, "rekey"},   {CAP_RESUME, "resume"},
};

static Caps
caps_find(const char *name, gsize len)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return rows[i].cap;
    return 0;
}

static gboolean
is_separator(char c)
{
    return c == ',' || c == '.' || c == ' ' || c == '\t';
}

Caps
caps_parse(const char *text, gsize len)
{
    Caps caps = 0;
    gsize start = 0;

    for (gsize i = 0; i <= len; i++) {
        if (i < len && !is_separator(text[i]))
            continue;
        caps |= caps_find(text + start, i - start);
        start = i + 1;
    }
    return caps;
}

char *
caps_format(Caps caps, char separator)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!(caps & rows[i].cap))
            continue;
        if (text->len > 0)
            g_string_append_c(text, separator);
        g_string_append(text, rows[i].name);
    }
    return g_string_free(text, FALSE);
}

Caps
caps_from_client_type(const char *text)
{
    const char *start = text ? strstr(text, "(caps=") : NULL;
    const char *end = start ? strchr(start, ')') : NULL;

    if (!end)
        return 0;
    start += strlen("(caps=");
    return caps_parse(start, (gsize)(end - start));
}
