/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/source.h"

#include <arpa/inet.h>
#include <string.h>

static const guint8 levels[SOURCE_LEVELS] = {64, 56, 48};

#define REGION_4 16
#define REGION_6 32

static Source
source_cut(const Source *source, guint8 bits)
{
    Source wider = *source;

    wider.bits = MIN(bits, source->bits);
    for (guint i = 0; i < sizeof wider.prefix; i++) {
        guint kept = wider.bits > i * 8 ? MIN(wider.bits - i * 8, 8U) : 0;

        wider.prefix[i] &= (guint8)(0xff00 >> kept);
    }
    return wider;
}

static Source
source_of_six(const struct in6_addr *address)
{
    Source source = {.family = 6, .bits = 64};

    if (IN6_IS_ADDR_V4MAPPED(address)) {
        source = (Source){.family = 4, .bits = 32};
        memcpy(source.prefix, address->s6_addr + 12, 4);
    } else {
        memcpy(source.prefix, address->s6_addr, sizeof source.prefix);
    }
    return source;
}

Source
source_of_peer(const char *peer)
{
    const char *end = strrchr(peer, ':');
    gboolean six = peer[0] == '[';
    char text[INET6_ADDRSTRLEN] = "";
    Source source = {0};
    struct in6_addr address;
    gsize len;

    if (!end || end == peer)
        return source;
    len = (gsize)(end - peer) - (six ? 2 : 0);
    if (len >= sizeof text)
        return source;
    memcpy(text, peer + (six ? 1 : 0), len);
    if (six && inet_pton(AF_INET6, text, &address) == 1)
        return source_of_six(&address);
    if (!six && inet_pton(AF_INET, text, source.prefix) == 1) {
        source.family = 4;
        source.bits = 32;
    }
    return source;
}

guint
source_levels(const Source *source)
{
    return source->family == 6 ? SOURCE_LEVELS : 1;
}

Source
source_at_level(const Source *source, guint level)
{
    return source->family == 6 ? source_cut(source, levels[MIN(level, SOURCE_LEVELS - 1)])
                               : *source;
}

Source
source_region(const Source *source)
{
    return source_cut(source, source->family == 6 ? REGION_6 : REGION_4);
}

/* Different in each process, so that an owner of many prefixes cannot choose them by their
 * hashes. */
static guint64
hash_salt(void)
{
    static gsize salt;

    if (g_once_init_enter(&salt))
        g_once_init_leave(&salt, ((gsize)g_random_int() << 16 ^ g_random_int()) | 1);
    return salt;
}

guint
source_hash(gconstpointer data)
{
    const Source *source = data;
    guint64 value = 0;

    memcpy(&value, source->prefix, sizeof value);
    value ^= hash_salt() + ((guint64)source->bits << 8 | source->family);
    value = (value ^ value >> 33) * 0xff51afd7ed558ccdU;
    value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53U;
    return (guint)(value ^ value >> 33);
}

gboolean
source_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Source)) == 0;
}
