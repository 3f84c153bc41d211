/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/stream-url.h"

#include "common/codec/http-target.h"

#include <arpa/inet.h>

#define SCHEME "wss://"

static gboolean
host_name_is_valid(Slice host)
{
    if (host.len == 0 || host.len > STREAM_URL_HOST_MAX || !g_ascii_isalnum(host.ptr[0]))
        return FALSE;
    for (gsize i = 0; i < host.len; i++)
        if (!g_ascii_isalnum(host.ptr[i]) && !memchr("-._", host.ptr[i], 3))
            return FALSE;
    return TRUE;
}

static gboolean
ipv6_is_valid(Slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (host.len == 0 || host.len >= sizeof(text))
        return FALSE;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* What follows the host: nothing, or a colon and a port. */
static gboolean
parse_port(Slice text, StreamUrl *url)
{
    guint port = 0;

    url->has_port = text.len > 0;
    url->port = STREAM_URL_PORT;
    if (!url->has_port)
        return TRUE;
    if (text.ptr[0] != ':' || text.len < 2 || text.len > 6)
        return FALSE;
    for (gsize i = 1; i < text.len; i++) {
        if (!g_ascii_isdigit(text.ptr[i]))
            return FALSE;
        port = port * 10 + (guint)g_ascii_digit_value(text.ptr[i]);
    }
    url->port = (guint16)port;
    return port > 0 && port <= G_MAXUINT16;
}

static gboolean
parse_authority(Slice text, StreamUrl *url)
{
    const char *end;

    if (text.len > 0 && text.ptr[0] == '[') {
        end = memchr(text.ptr, ']', text.len);
        if (!end)
            return FALSE;
        url->is_ipv6 = TRUE;
        url->host = (Slice){text.ptr + 1, (gsize)(end - text.ptr) - 1};
        end++;
    } else {
        end = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
        if (!end)
            end = text.ptr + text.len;
        url->host = (Slice){text.ptr, (gsize)(end - text.ptr)};
    }
    if (url->is_ipv6 ? !ipv6_is_valid(url->host) : !host_name_is_valid(url->host))
        return FALSE;
    return parse_port((Slice){end, text.len - (gsize)(end - text.ptr)}, url);
}

gboolean
stream_url_parse(Slice url, StreamUrl *ret)
{
    const gsize scheme = strlen(SCHEME);
    StreamUrl parsed = {.target = slice_of("/")};
    Slice rest;
    const char *path;

    if (url.len <= scheme || url.len > STREAM_URL_MAX ||
        !slice_equal_nocase((Slice){url.ptr, scheme}, SCHEME))
        return FALSE;
    rest = (Slice){url.ptr + scheme, url.len - scheme};
    path = memchr(rest.ptr, '/', rest.len);
    if (path) {
        parsed.target = (Slice){path, rest.len - (gsize)(path - rest.ptr)};
        rest.len = (gsize)(path - rest.ptr);
    }
    if (!http_target_is_valid(parsed.target) || !parse_authority(rest, &parsed))
        return FALSE;
    *ret = parsed;
    return TRUE;
}

gboolean
stream_url_suits_clients(Slice url)
{
    StreamUrl parsed;

    return stream_url_parse(url, &parsed) && memcmp(url.ptr, SCHEME, strlen(SCHEME)) == 0 &&
           parsed.has_port && !parsed.is_ipv6 && parsed.target.len > 1 &&
           parsed.target.len <= STREAM_URL_PATH_MAX &&
           !memchr(parsed.target.ptr, '?', parsed.target.len);
}
