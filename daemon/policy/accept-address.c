/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-address.h"

#include "common/base/error.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_PREFIX 96

static gboolean
is_mapped(const AcceptRange *range)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    return range->bits == 128 && range->prefix >= MAPPED_PREFIX &&
           memcmp(range->bytes, mapped, sizeof mapped) == 0;
}

static void
unmap(AcceptRange *range)
{
    if (!is_mapped(range))
        return;
    memmove(range->bytes, range->bytes + 12, 4);
    memset(range->bytes + 4, 0, 12);
    range->bits = 32;
    range->prefix -= MAPPED_PREFIX;
}

/* An address without a prefix: all its bits count. */
static gboolean
host_parse(const char *text, AcceptRange *ret)
{
    *ret = (AcceptRange){0};
    if (inet_pton(AF_INET, text, ret->bytes) == 1)
        ret->bits = 32;
    else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
        ret->bits = 128;
    ret->prefix = ret->bits;
    return ret->bits > 0;
}

/* Whether all bits from PREFIX on are 0. */
static gboolean
tail_is_clear(const AcceptRange *range)
{
    for (guint i = range->prefix; i < range->bits; i++)
        if (range->bytes[i / 8] & (0x80 >> i % 8))
            return FALSE;
    return TRUE;
}

static gboolean
refuse(const char *text, const char *what, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "\"%.*s\": %s; an address is written 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
                ACCEPT_ADDRESS_MAX, text, what);
    return FALSE;
}

gboolean
accept_range_parse(const char *text, AcceptRange *ret, GError **error)
{
    const char *slash = strchrnul(text, '/');
    g_autofree char *host = g_strndup(text, (gsize)(slash - text));
    AcceptRange range;
    guint64 prefix;

    if (strnlen(text, ACCEPT_ADDRESS_MAX + 1) > ACCEPT_ADDRESS_MAX || !g_str_is_ascii(text))
        return refuse("...", "it is no IP address", error);
    if (!host_parse(host, &range))
        return refuse(text, "it is no IP address", error);
    if (*slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, range.bits, &prefix, NULL))
        return refuse(text, "its prefix is longer than the address, or not a number", error);
    if (*slash)
        range.prefix = (guint)prefix;
    if (!tail_is_clear(&range))
        return refuse(text, "it has bits set after its prefix", error);
    unmap(&range);
    *ret = range;
    return TRUE;
}

/* "192.0.2.7:4711" and "[2001:db8::1]:4711": the part before the port. */
static char *
without_port(const char *address)
{
    const char *colon = strchr(address, ':'), *end = strchr(address, ']');

    if (*address == '[')
        return end ? g_strndup(address + 1, (gsize)(end - address) - 1) : g_strdup("");
    if (colon && !strchr(colon + 1, ':'))
        return g_strndup(address, (gsize)(colon - address));
    return g_strdup(address);
}

gboolean
accept_range_has(const AcceptRange *range, const char *address)
{
    g_autofree char *host = NULL;
    AcceptRange one;

    if (range->bits == 0 || strnlen(address, ACCEPT_ADDRESS_MAX + 1) > ACCEPT_ADDRESS_MAX)
        return FALSE;
    host = without_port(address);
    if (!host_parse(host, &one))
        return FALSE;
    unmap(&one);
    if (one.bits != range->bits)
        return FALSE;
    for (guint i = 0; i < range->prefix; i++)
        if ((one.bytes[i / 8] ^ range->bytes[i / 8]) & (0x80 >> i % 8))
            return FALSE;
    return TRUE;
}
