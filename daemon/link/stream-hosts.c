/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/stream-hosts.h"

#include "common/base/error.h"
#include "common/codec/stream-url.h"
#include "daemon/policy/accept-policy.h"

#include <arpa/inet.h>
#include <string.h>

#define SEPARATORS " \t,"
#define AZURE_HUBS ".azure-devices.net"
#define AZURE_STREAMS ".streams.azure-devices.net"

typedef enum { HOST_NAME, HOST_ADDRESS, HOST_NEITHER } HostKind;

struct StreamHosts {
    char *name, *gateway; /* canonical; no gateway: NULL */
    HostKind kind;        /* of the name */
    guint16 ports[3];     /* that count; the last is that of https */
    GStrv globs;          /* in lower case */
};

/* inet_aton takes a name for an address when its last label is a number, also in hexadecimal. */
static gboolean
looks_like_address(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;

    if (last[0] == '0' && last[1] == 'x')
        return last[strspn(last + 2, "0123456789abcdef") + 2] == '\0';
    return last[strspn(last, "0123456789")] == '\0';
}

/* One spelling per host: lower case, no dot at the end, an address as inet_ntop writes it, an IPv4
 * one never in its IPv6 form. */
static char *
host_canonical(const char *host, HostKind *ret_kind)
{
    g_autofree char *name = g_ascii_strdown(host, -1);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct in_addr four;

    if (g_str_has_suffix(name, "."))
        name[strlen(name) - 1] = '\0';
    *ret_kind = HOST_ADDRESS;
    if (inet_pton(AF_INET6, name, &six) == 1) {
        if (IN6_IS_ADDR_V4MAPPED(&six))
            return g_strdup(inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text));
        return g_strdup(inet_ntop(AF_INET6, &six, text, sizeof text));
    }
    if (inet_pton(AF_INET, name, &four) == 1)
        return g_strdup(inet_ntop(AF_INET, &four, text, sizeof text));
    *ret_kind = strchr(name, ':') || looks_like_address(name) ? HOST_NEITHER : HOST_NAME;
    return g_steal_pointer(&name);
}

static gboolean
glob_is_valid(const char *glob)
{
    return strspn(glob, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        ".-_:*?") == strlen(glob) &&
           strlen(glob) <= STREAM_URL_HOST_MAX;
}

static GStrv
globs_split(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text ? text : "", -1);
    g_auto(GStrv) words = g_strsplit_set(lower, SEPARATORS, -1);
    GStrvBuilder *kept = g_strv_builder_new();
    GStrv globs;

    for (guint i = 0; words[i]; i++)
        if (*words[i])
            g_strv_builder_add(kept, words[i]);
    globs = g_strv_builder_end(kept);
    g_strv_builder_unref(kept);
    return globs;
}

gboolean
stream_hosts_check(const char *text, GError **error)
{
    g_auto(GStrv) globs = NULL;

    if (text && strlen(text) > STREAM_HOSTS_TEXT_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "more than %d bytes of host names",
                    STREAM_HOSTS_TEXT_MAX);
        return FALSE;
    }
    globs = globs_split(text);
    if (g_strv_length(globs) > STREAM_HOSTS_GLOBS_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "more than %d host names",
                    STREAM_HOSTS_GLOBS_MAX);
        return FALSE;
    }
    for (guint i = 0; globs[i]; i++) {
        if (glob_is_valid(globs[i]))
            continue;
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "\"%.64s\" is no host name, address or glob like *.example.com; ports and urls "
                    "do not belong there",
                    globs[i]);
        return FALSE;
    }
    return TRUE;
}

StreamHosts *
stream_hosts_new(const ConnectionString *hub, const char *globs)
{
    StreamHosts *hosts = g_rc_box_new0(StreamHosts);
    HostKind kind;

    hosts->name = host_canonical(hub->host, &hosts->kind);
    hosts->gateway = hub->gateway ? host_canonical(hub->gateway, &kind) : NULL;
    hosts->ports[0] = hub->port;
    hosts->ports[1] = hub->gateway ? hub->gateway_port : hub->port;
    hosts->ports[2] = STREAM_URL_PORT;
    hosts->globs = globs_split(globs);
    return hosts;
}

StreamHosts *
stream_hosts_ref(StreamHosts *hosts)
{
    return g_rc_box_acquire(hosts);
}

static void
stream_hosts_clear(void *data)
{
    StreamHosts *hosts = data;

    g_free(hosts->name);
    g_free(hosts->gateway);
    g_strfreev(hosts->globs);
}

void
stream_hosts_unref(StreamHosts *hosts)
{
    if (hosts)
        g_rc_box_release_full(hosts, stream_hosts_clear);
}

/* hub.example.com and legs.example.com, but not example.com and example.org. */
static gboolean
names_are_siblings(const char *name, const char *other)
{
    const char *rest = strchr(name, '.'), *other_rest = strchr(other, '.');

    return rest && other_rest && rest != name && other_rest != other && strchr(rest + 1, '.') &&
           strcmp(rest, other_rest) == 0;
}

static gboolean
name_is_under(const char *name, const char *suffix)
{
    return g_str_has_suffix(name, suffix) && *name != '.';
}

static gboolean
matches_a_glob(const StreamHosts *hosts, const char *host)
{
    for (guint i = 0; hosts->globs[i]; i++)
        if (accept_glob_match(hosts->globs[i], host))
            return TRUE;
    return FALSE;
}

char *
stream_hosts_refusal(const char *host, guint16 port)
{
    return g_strdup_printf("the hub wants the stream to go by %s port %u, which is not the hub's; "
                           "if it should be, name the host in StreamHosts= (--stream-hosts)",
                           host, port);
}

gboolean
stream_hosts_allow(const StreamHosts *hosts, const char *host, guint16 port)
{
    HostKind kind;
    g_autofree char *name = host_canonical(host, &kind);

    if (port != hosts->ports[0] && port != hosts->ports[1] && port != hosts->ports[2])
        return FALSE;
    if (strcmp(name, hosts->name) == 0 || g_strcmp0(name, hosts->gateway) == 0)
        return TRUE;
    if (kind == HOST_NEITHER)
        return FALSE;
    if (kind == HOST_NAME && hosts->kind == HOST_NAME &&
        (names_are_siblings(name, hosts->name) ||
         (name_is_under(hosts->name, AZURE_HUBS) && name_is_under(name, AZURE_STREAMS))))
        return TRUE;
    return matches_a_glob(hosts, name);
}
