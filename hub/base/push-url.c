/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/push-url.h"

#include <gio/gio.h>
#include <string.h>

#define LENGTH_MAX 2048

static gboolean
is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

    return strcmp(host, "localhost") == 0 || (address && g_inet_address_get_is_loopback(address));
}

/* As a url is written: what else there may be is encoded in it. */
static gboolean
is_written(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p > '~')
            return FALSE;
    return strlen(text) <= LENGTH_MAX;
}

gboolean
push_url_is_good(const char *text)
{
    g_autoptr(GUri) uri = is_written(text) ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri ? g_uri_get_host(uri) : NULL;

    if (!host || !*host || g_uri_get_userinfo(uri) || g_uri_get_fragment(uri))
        return FALSE;
    if (strcmp(g_uri_get_scheme(uri), "https") == 0)
        return TRUE;
    return strcmp(g_uri_get_scheme(uri), "http") == 0 && is_loopback(host);
}
