/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/origins.h"

#include <stdatomic.h>

#define ORIGIN_MAX 300 /* bytes: a scheme, the longest name, a port */

struct Origins {
    atomic_uint references;
    char **hosts;  /* lower case, without brackets */
    char **listed; /* lower case */
};

/* Scheme, host and port, each as written. */
typedef struct {
    Slice scheme, host, port;
} Parts;

static gboolean
host_is_good(Slice host, gboolean ipv6)
{
    for (gsize i = 0; i < host.len; i++)
        if (!g_ascii_isalnum(host.ptr[i]) && !strchr(ipv6 ? ":." : ".-_", host.ptr[i]))
            return FALSE;
    return host.len > 0;
}

static gboolean
port_is_good(Slice port)
{
    g_autofree char *text = slice_dup(port);

    return g_ascii_string_to_unsigned(text, 10, 1, 65535, NULL, NULL);
}

/* The host ends at a "]", a ":" or the end of the text. */
static gboolean
split_host(Slice rest, Parts *ret)
{
    gboolean ipv6 = rest.len > 0 && rest.ptr[0] == '[';
    const char *from = ipv6 ? rest.ptr + 1 : rest.ptr, *end = rest.ptr + rest.len;
    const char *stop = memchr(from, ipv6 ? ']' : ':', (gsize)(end - from));

    if (ipv6 && !stop)
        return FALSE;
    ret->host = (Slice){from, (gsize)((stop ? stop : end) - from)};
    if (ipv6)
        stop++;
    if (!stop || stop == end)
        return host_is_good(ret->host, ipv6);
    ret->port = (Slice){stop + 1, (gsize)(end - stop) - 1};
    return *stop == ':' && port_is_good(ret->port) && host_is_good(ret->host, ipv6);
}

/* FALSE also for "null", which a page that hides its origin sends. */
static gboolean
origin_split(Slice origin, Parts *ret)
{
    const char *mark = g_strstr_len(origin.ptr, (gssize)origin.len, "://");

    *ret = (Parts){0};
    if (!mark || mark == origin.ptr || origin.len > ORIGIN_MAX)
        return FALSE;
    ret->scheme = (Slice){origin.ptr, (gsize)(mark - origin.ptr)};
    for (gsize i = 0; i < ret->scheme.len; i++)
        if (!g_ascii_isalpha(ret->scheme.ptr[i]))
            return FALSE;
    return split_host((Slice){mark + 3, origin.len - ret->scheme.len - 3}, ret);
}

static char **
words_of(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text ? text : "", ", \t", -1);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; words[i]; i++) {
        g_autofree char *lower = g_ascii_strdown(words[i], -1);

        if (*lower)
            g_strv_builder_add(builder, lower);
    }
    return g_strv_builder_end(builder);
}

gboolean
origins_are_good(const char *text)
{
    g_auto(GStrv) words = words_of(text);
    Parts parts;

    for (guint i = 0; words[i]; i++)
        if (!origin_split(slice_of(words[i]), &parts))
            return FALSE;
    return words[0] && g_strv_length(words) <= ORIGINS_MAX;
}

Origins *
origins_new(const char *const *names, const char *also, const char *listed)
{
    Origins *origins = g_new0(Origins, 1);
    g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();

    for (guint i = 0; names[i]; i++) {
        g_autofree char *lower = g_ascii_strdown(names[i], -1);

        g_strv_builder_add(hosts, lower);
    }
    if (also) {
        g_autofree char *lower = g_ascii_strdown(also, (gssize)strcspn(also, ":"));

        g_strv_builder_add(hosts, lower);
    }
    atomic_init(&origins->references, 1);
    origins->hosts = g_strv_builder_end(hosts);
    origins->listed = words_of(listed);
    return origins;
}

Origins *
origins_ref(Origins *origins)
{
    if (origins)
        atomic_fetch_add(&origins->references, 1);
    return origins;
}

void
origins_unref(Origins *origins)
{
    if (!origins || atomic_fetch_sub(&origins->references, 1) != 1)
        return;
    g_strfreev(origins->hosts);
    g_strfreev(origins->listed);
    g_free(origins);
}

/* "*.example" is for a.example, and neither for example nor for a.b.example. */
static gboolean
host_is(Slice host, const char *name)
{
    const char *dot;

    if (!g_str_has_prefix(name, "*."))
        return slice_equal_nocase(host, name);
    dot = memchr(host.ptr, '.', host.len);
    return dot && dot > host.ptr &&
           slice_equal_nocase((Slice){dot, host.len - (gsize)(dot - host.ptr)}, name + 1);
}

gboolean
origins_list(const Origins *origins, Slice origin)
{
    for (char **one = origins ? origins->listed : NULL; one && *one; one++)
        if (slice_equal_nocase(origin, *one))
            return TRUE;
    return FALSE;
}

gboolean
origins_have(const Origins *origins, Slice origin)
{
    Parts parts;

    if (!origins || !origin_split(origin, &parts))
        return FALSE;
    for (char **host = origins->hosts; *host; host++)
        if (host_is(parts.host, *host))
            return TRUE;
    return origins_list(origins, origin);
}
