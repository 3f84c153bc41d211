/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The url that a hub sends a stream to, against the hub of a connection string: a line each for the
 * HostName, the globs and the url. Without globs nothing but the hub's own domain is let through,
 * no address but the hub's, and no port but its own and 443. */
#include "common/codec/stream-url.h"
#include "daemon/net/stream-hosts.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a resolver would take it for an address without asking anybody. */
static gboolean
is_address(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    return inet_aton(host, &four) != 0 || inet_pton(AF_INET6, host, &six) == 1;
}

static const char *
domain(const char *host)
{
    const char *dot = strchr(host, '.');

    return dot ? dot : "";
}

static void
require_own(const ConnectionString *hub, const char *host)
{
    g_autofree char *name = g_ascii_strdown(host, -1), *own = g_ascii_strdown(hub->host, -1);

    if (g_str_has_suffix(name, "."))
        name[strlen(name) - 1] = '\0';
    if (g_str_has_suffix(own, "."))
        own[strlen(own) - 1] = '\0';
    g_assert_true(strcmp(name, own) == 0 || strcmp(domain(name), domain(own)) == 0 ||
                  g_str_has_suffix(name, ".streams.azure-devices.net"));
}

static void
require_sound(const ConnectionString *hub, const StreamHosts *hosts, const StreamUrl *url)
{
    g_autofree char *host = slice_dup(url->host);

    if (!stream_hosts_allow(hosts, host, url->port))
        return;
    g_assert_true(url->port == hub->port || url->port == STREAM_URL_PORT ||
                  (hub->gateway && url->port == hub->gateway_port));
    if (!hub->gateway && is_address(host))
        g_assert_true(is_address(hub->host));
    else if (!hub->gateway)
        require_own(hub, host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    g_autofree char *identity = NULL;
    g_autoptr(ConnectionString) hub = NULL;
    g_autoptr(StreamHosts) plain = NULL, wide = NULL;
    StreamUrl url;

    if (g_strv_length(lines) != 3 || !stream_url_parse(slice_of(lines[2]), &url))
        return 0;
    identity = g_strdup_printf("HostName=%s;DeviceId=d;SharedAccessKey=AAAA", lines[0]);
    hub = connection_string_parse(identity, -1, NULL);
    if (!hub || !stream_hosts_check(lines[1], NULL))
        return 0;
    plain = stream_hosts_new(hub, NULL);
    require_sound(hub, plain, &url);
    wide = stream_hosts_new(hub, lines[1]);
    g_autofree char *host = slice_dup(url.host);
    g_assert_true(stream_hosts_allow(wide, host, url.port) ||
                  !stream_hosts_allow(plain, host, url.port));
    return 0;
}
