/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/web-page.h"

#include "common/codec/http-build.h"

#define SHOWN_HOST_MAX 80 /* an error has at most 256 bytes */

/* The host of a Location, if it may be shown as it is; NULL: it has none, or may not. */
static char *
redirect_host(const HttpResponse *response)
{
    Slice location = {0};
    const char *from, *end, *at;

    if (!http_headers_get(&response->headers, "Location", &location))
        return NULL;
    end = location.ptr + location.len;
    from = g_strstr_len(location.ptr, (gssize)location.len, "://");
    if (!from)
        return NULL;
    from += 3;
    for (at = from; at < end && (g_ascii_isalnum(*at) || *at == '.' || *at == '-'); at++)
        ;
    /* What follows a name is a port, a path or nothing; "user@host" would show the wrong thing. */
    if (at == from || at - from > SHOWN_HOST_MAX || (at < end && *at != ':' && *at != '/'))
        return NULL;
    return g_strndup(from, (gsize)(at - from));
}

static gboolean
is_html(const HttpResponse *response)
{
    static const Slice html = {"text/html", 9};
    Slice type = {0};

    if (!http_headers_get(&response->headers, "Content-Type", &type) || type.len < html.len)
        return FALSE;
    type.len = html.len;
    return slice_equal_nocase(type, html.ptr);
}

char *
web_page_text(const HttpResponse *response)
{
    Slice name = {0};
    g_autofree char *host = NULL;

    /* Every error of a hub has this, and a proxy in front of a hub that is away says 5xx. */
    if (http_headers_get(&response->headers, "iothub-errorcode", &name) || response->status >= 500)
        return NULL;
    if (response->status >= 300 && response->status < 400) {
        host = redirect_host(response);
        return g_strdup_printf("something on the way answers in the hub's place: it redirects to "
                               "%s (HTTP status %u); if this network wants a sign-in, open any "
                               "page in a browser there",
                               host ? host : "another page", response->status);
    }
    if (!is_html(response))
        return NULL;
    if (response->status >= 400)
        return g_strdup_printf("a web server answers there that is not a hub (HTTP status %u %s "
                               "with a page)",
                               response->status, http_status_reason(response->status));
    return g_strdup("something on the way answers in the hub's place with a web page; if this "
                    "network wants a sign-in, open any page in a browser there");
}
