/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/stream-hosts.h"

#include "common/base/error.h"
#include "common/base/glob.h"
#include "common/codec/stream-url.h"

#include <arpa/inet.h>
#include <string.h>

#define SEPARATORS " \t,"
#define AZURE_HUBS ".azure-devices.net"
#define AZURE_STREAMS ".streams.azure-devices.net"

typedef enum { HOST_NAME, HOST_ADDRESS, HOST_NEITHER } HostKind;

/* One word of the list in the settings. */
typedef struct {
    char *host;   /* a glob, in lower case and without brackets */
    guint16 port; /* 0: as for the hub's own name */
} HostGlob;

struct StreamHosts {
    char *name, *gateway; /* canonical; no gateway: NULL */
    HostKind kind;        /* of the name */
    guint16 ports[3];     /* the ports that count; the last one is that of https */
    GArray *globs;        /* HostGlob */
};

/* inet_aton accepts a name as an address when its last label is a number, even hexadecimal. */
static gboolean
looks_like_address(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;

    if (last[0] == '0' && last[1] == 'x')
        return last[strspn(last + 2, "0123456789abcdef") + 2] == '\0';
    return last[strspn(last, "0123456789")] == '\0';
}

/* One spelling per host: lower case, no dot at the end of a name, an address as inet_ntop writes
 * it, and an IPv4 address never in its IPv6 form. */
static char *
host_canonical(const char *host, HostKind *ret_kind)
{
    g_autofree char *name = g_ascii_strdown(host, -1), *plain = NULL;
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    struct in_addr four;

    *ret_kind = HOST_ADDRESS;
    if (inet_pton(AF_INET6, name, &six) == 1) {
        if (IN6_IS_ADDR_V4MAPPED(&six))
            return g_strdup(inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text));
        return g_strdup(inet_ntop(AF_INET6, &six, text, sizeof text));
    }
    if (inet_pton(AF_INET, name, &four) == 1)
        return g_strdup(inet_ntop(AF_INET, &four, text, sizeof text));
    plain = g_strndup(name, strlen(name) - (g_str_has_suffix(name, ".") ? 1 : 0));
    *ret_kind = strchr(plain, ':') || looks_like_address(plain) ? HOST_NEITHER : HOST_NAME;
    /* A resolver is asked for "1.", but "1" is 0.0.0.1 to it: not one host. */
    return *ret_kind == HOST_NAME ? g_steal_pointer(&plain) : g_steal_pointer(&name);
}

static void
host_glob_clear(void *data)
{
    g_free(((HostGlob *)data)->host);
}

static gboolean
port_parse_decimal(const char *text, guint16 *ret)
{
    guint64 port;

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' ||
        !g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL))
        return FALSE;
    *ret = (guint16)port;
    return TRUE;
}

/* The text after the last colon is a port only if the host is in brackets or has no other colons:
 * an IPv6 address has colons of its own. */
static const char *
port_of_word(const char *word)
{
    const char *colon = strrchr(word, ':');

    if (!colon)
        return NULL;
    if (word[0] == '[')
        return colon[-1] == ']' ? colon : NULL;
    return strchr(word, ':') == colon ? colon : NULL;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT". */
static gboolean
host_glob_parse(const char *word, HostGlob *ret)
{
    const char *colon = port_of_word(word);
    gsize len = colon ? (gsize)(colon - word) : strlen(word);
    gboolean bracketed = colon && word[0] == '[';
    g_autofree char *host = bracketed ? g_strndup(word + 1, len - 2) : g_strndup(word, len);
    guint16 port = 0;

    if ((colon && !port_parse_decimal(colon + 1, &port)) || *host == '\0' ||
        host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:*?")] != '\0' ||
        strlen(host) > STREAM_URL_HOST_MAX)
        return FALSE;
    *ret = (HostGlob){g_steal_pointer(&host), port};
    return TRUE;
}

/* NULL when a word is invalid: the first one is *ret_bad, which the caller frees. */
static GArray *
globs_parse(const char *text, char **ret_bad)
{
    g_autofree char *lower = g_ascii_strdown(text ? text : "", -1);
    g_auto(GStrv) words = g_strsplit_set(lower, SEPARATORS, -1);
    g_autoptr(GArray) globs = g_array_new(FALSE, FALSE, sizeof(HostGlob));
    HostGlob glob;

    g_array_set_clear_func(globs, host_glob_clear);
    for (guint i = 0; words[i]; i++) {
        if (*words[i] == '\0')
            continue;
        if (!host_glob_parse(words[i], &glob)) {
            *ret_bad = g_strdup(words[i]);
            return NULL;
        }
        g_array_append_val(globs, glob);
    }
    return g_steal_pointer(&globs);
}

gboolean
stream_hosts_check(const char *text, GError **error)
{
    g_autoptr(GArray) globs = NULL;
    g_autofree char *bad = NULL;

    if (text && strlen(text) > STREAM_HOSTS_TEXT_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "more than %d bytes of host names",
                    STREAM_HOSTS_TEXT_MAX);
        return FALSE;
    }
    globs = globs_parse(text, &bad);
    if (!globs) {
        g_set_error(
            error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
            "\"%.64s\" is no host name, address or glob like *.example.com, with or without "
            "a port behind it; urls do not belong there",
            bad);
        return FALSE;
    }
    if (globs->len <= STREAM_HOSTS_GLOBS_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "more than %d host names",
                STREAM_HOSTS_GLOBS_MAX);
    return FALSE;
}

StreamHosts *
stream_hosts_new(const ConnectionString *hub, const char *globs)
{
    StreamHosts *hosts = g_rc_box_new0(StreamHosts);
    g_autofree char *bad = NULL;
    HostKind kind;

    hosts->name = host_canonical(hub->host, &hosts->kind);
    hosts->gateway = hub->gateway ? host_canonical(hub->gateway, &kind) : NULL;
    hosts->ports[0] = hub->port;
    hosts->ports[1] = hub->gateway ? hub->gateway_port : hub->port;
    hosts->ports[2] = STREAM_URL_PORT;
    hosts->globs = globs_parse(globs, &bad);
    g_assert(hosts->globs);
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
    g_array_unref(hosts->globs);
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

/* USUAL: the port is one of the hub's usual ports. */
static gboolean
matches_a_glob(const StreamHosts *hosts, const char *host, guint16 port, gboolean usual)
{
    for (guint i = 0; i < hosts->globs->len; i++) {
        const HostGlob *glob = &g_array_index(hosts->globs, HostGlob, i);

        if ((glob->port ? glob->port == port : usual) && glob_match(glob->host, host))
            return TRUE;
    }
    return FALSE;
}

char *
stream_hosts_refusal(const char *host, guint16 port)
{
    return g_strdup_printf("the hub wants the stream to go by %s port %u, which is not the hub's; "
                           "if it should be, put %s:%u in StreamHosts= (--stream-hosts)",
                           host, port, host, port);
}

/* Where the hub may send legs without a setting that allows it. */
static gboolean
is_of_the_hub(const StreamHosts *hosts, const char *name, HostKind kind)
{
    if (strcmp(name, hosts->name) == 0 || g_strcmp0(name, hosts->gateway) == 0)
        return TRUE;
    return kind == HOST_NAME && hosts->kind == HOST_NAME &&
           (names_are_siblings(name, hosts->name) ||
            (name_is_under(hosts->name, AZURE_HUBS) && name_is_under(name, AZURE_STREAMS)));
}

gboolean
stream_hosts_allow(const StreamHosts *hosts, const char *host, guint16 port)
{
    HostKind kind;
    g_autofree char *name = host_canonical(host, &kind);
    gboolean usual = port == hosts->ports[0] || port == hosts->ports[1] || port == hosts->ports[2];

    return (usual && is_of_the_hub(hosts, name, kind)) ||
           (kind != HOST_NEITHER && matches_a_glob(hosts, name, port, usual));
}
