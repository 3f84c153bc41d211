/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/networks.h"

#include <gio/gio.h>
#include <stdatomic.h>
#include <string.h>

#define MAPPED_BITS 96 /* of ::ffff:0.0.0.0 */
#define PEER_MAX 64

struct Networks {
    atomic_uint references;
    GPtrArray *masks; /* GInetAddressMask */
};

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24: MASK is taken. */
static GInetAddressMask *
mask_unmapped(GInetAddressMask *mask)
{
    GInetAddress *address = g_inet_address_mask_get_address(mask);
    const guint8 *bytes = g_inet_address_to_bytes(address);
    static const guint8 mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    guint bits = g_inet_address_mask_get_length(mask);
    g_autoptr(GInetAddress) four = NULL;
    GInetAddressMask *unmapped;

    if (g_inet_address_get_family(address) != G_SOCKET_FAMILY_IPV6 || bits < MAPPED_BITS ||
        memcmp(bytes, mapped, sizeof mapped) != 0)
        return mask;
    four = g_inet_address_new_from_bytes(bytes + sizeof mapped, G_SOCKET_FAMILY_IPV4);
    unmapped = g_inet_address_mask_new(four, bits - MAPPED_BITS, NULL);
    g_object_unref(mask);
    return unmapped;
}

/* "192.0.2.0/24", "::1"; NULL: it is not good. */
static GInetAddressMask *
mask_parse(const char *word)
{
    const char *slash = strchr(word, '/');
    g_autofree char *host = slash ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    guint64 most = address ? 8 * g_inet_address_get_native_size(address) : 0, bits = most;

    if (!address || (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, most, &bits, NULL)))
        return NULL;
    return g_inet_address_mask_new(address, (guint)bits, NULL);
}

/* NULL: TEXT is not good. */
static GPtrArray *
masks_parse(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", NETWORKS_MAX + 1);
    g_autoptr(GPtrArray) masks = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; words[i]; i++) {
        GInetAddressMask *mask = mask_parse(g_strstrip(words[i]));

        if (!mask)
            return NULL;
        g_ptr_array_add(masks, mask_unmapped(mask));
    }
    return masks->len > 0 && masks->len <= NETWORKS_MAX ? g_steal_pointer(&masks) : NULL;
}

gboolean
networks_are_good(const char *text)
{
    g_autoptr(GPtrArray) masks = masks_parse(text);

    return masks != NULL;
}

Networks *
networks_new(const char *text)
{
    GPtrArray *masks = text ? masks_parse(text) : NULL;
    Networks *networks;

    if (!masks)
        return NULL;
    networks = g_new0(Networks, 1);
    atomic_init(&networks->references, 1);
    networks->masks = masks;
    return networks;
}

Networks *
networks_ref(Networks *networks)
{
    if (networks)
        atomic_fetch_add(&networks->references, 1);
    return networks;
}

void
networks_unref(Networks *networks)
{
    if (!networks || atomic_fetch_sub(&networks->references, 1) != 1)
        return;
    g_ptr_array_unref(networks->masks);
    g_free(networks);
}

static GInetAddress *
peer_address(const char *peer)
{
    const char *end = strrchr(peer, ':');
    gboolean six = peer[0] == '[';
    char text[PEER_MAX] = "";
    gsize len = end ? (gsize)(end - peer) : 0;

    if (len >= sizeof text || len < (six ? 3 : 1))
        return NULL;
    memcpy(text, peer + (six ? 1 : 0), len - (six ? 2 : 0));
    return g_inet_address_new_from_string(text);
}

gboolean
networks_have(const Networks *networks, const char *peer)
{
    g_autoptr(GInetAddress) address = networks ? peer_address(peer) : NULL;

    for (guint i = 0; address && i < networks->masks->len; i++)
        if (g_inet_address_mask_matches(networks->masks->pdata[i], address))
            return TRUE;
    return FALSE;
}
