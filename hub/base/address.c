/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/address.h"

#include <string.h>

#define HOST_MAX 253

static gboolean
host_is_good(const char *host, gsize len)
{
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(host[i]) && !strchr("-._", host[i]))
            return FALSE;
    return len > 0 && len <= HOST_MAX && strchr("-.", host[0]) == NULL;
}

gboolean
address_is_good(const char *text)
{
    gsize len = strcspn(text, ":");
    guint64 port;

    return host_is_good(text, len) &&
           (!text[len] || g_ascii_string_to_unsigned(text + len + 1, 10, 1, 65535, &port, NULL));
}

char *
address_host(const char *text)
{
    return g_ascii_strdown(text, (gssize)strcspn(text, ":"));
}

guint16
address_port(const char *text, guint16 port)
{
    const char *colon = strchr(text, ':');

    return colon ? (guint16)g_ascii_strtoull(colon + 1, NULL, 10) : port;
}

char *
address_with_port(const char *text, guint16 port)
{
    g_autofree char *host = address_host(text);

    return g_strdup_printf("%s:%u", host, address_port(text, port));
}

gboolean
address_is_six_only(const char *address, const char *const *others)
{
    const char *port = strrchr(address, ':');

    if (address[0] != '[' || !port || g_str_equal(port, ":0"))
        return FALSE;
    for (; others && *others; others++)
        if ((*others)[0] != '[' && g_strcmp0(strrchr(*others, ':'), port) == 0)
            return TRUE;
    return FALSE;
}

gboolean
address_can_listen(const char *text)
{
    const char *colon = strrchr(text, ':');
    gboolean six = text[0] == '[';
    g_autofree char *host = NULL;

    if (!colon || colon - text < (six ? 3 : 1) || (six && colon[-1] != ']') ||
        !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, NULL, NULL))
        return FALSE;
    host = six ? g_strndup(text + 1, (gsize)(colon - text) - 2)
               : g_strndup(text, (gsize)(colon - text));
    return g_hostname_is_ip_address(host) && six == (strchr(host, ':') != NULL);
}
