/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/handover/left-tunnel.h"

#define LEFT_TUNNEL "(ttuussss(tt))"
#define LEFT_TYPE "(a" LEFT_TUNNEL "at)"

static void
left_tunnel_free(gpointer data)
{
    LeftTunnel *tunnel = data;

    g_free(tunnel->hub);
    g_free(tunnel->device);
    g_free(tunnel->stream);
    g_free(tunnel->address);
    g_free(tunnel);
}

Left *
left_new(void)
{
    Left *left = g_new0(Left, 1);

    left->tunnels = g_ptr_array_new_with_free_func(left_tunnel_free);
    left->taken = g_array_new(FALSE, FALSE, sizeof(guint64));
    return left;
}

void
left_free(Left *left)
{
    if (!left)
        return;
    g_ptr_array_unref(left->tunnels);
    g_array_unref(left->taken);
    g_free(left);
}

LeftTunnel *
left_add(Left *left)
{
    LeftTunnel *tunnel = g_new0(LeftTunnel, 1);

    g_ptr_array_add(left->tunnels, tunnel);
    return tunnel;
}

gboolean
left_is_taken(const Left *left, guint64 stream)
{
    for (guint i = 0; i < left->taken->len; i++)
        if (g_array_index(left->taken, guint64, i) == stream)
            return TRUE;
    return FALSE;
}

GBytes *
left_write(const Left *left)
{
    GVariantBuilder tunnels = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a" LEFT_TUNNEL));
    g_autoptr(GVariant) all = NULL;

    for (guint i = 0; i < left->tunnels->len; i++) {
        const LeftTunnel *tunnel = left->tunnels->pdata[i];

        g_variant_builder_add(&tunnels, LEFT_TUNNEL, tunnel->id, tunnel->accepted,
                              tunnel->owner_uid, tunnel->sockets, tunnel->hub, tunnel->device,
                              tunnel->stream, tunnel->address, tunnel->file_device,
                              tunnel->file_inode);
    }
    all = g_variant_ref_sink(
        g_variant_new("(@a" LEFT_TUNNEL "@at)", g_variant_builder_end(&tunnels),
                      g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, left->taken->data,
                                                left->taken->len, sizeof(guint64))));
    return g_variant_get_data_as_bytes(all);
}

static void
left_read_tunnel(Left *left, GVariant *variant)
{
    LeftTunnel *tunnel = left_add(left);

    g_variant_get(variant, LEFT_TUNNEL, &tunnel->id, &tunnel->accepted, &tunnel->owner_uid,
                  &tunnel->sockets, &tunnel->hub, &tunnel->device, &tunnel->stream,
                  &tunnel->address, &tunnel->file_device, &tunnel->file_inode);
}

Left *
left_parse(GBytes *bytes)
{
    g_autoptr(GVariant) all =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(LEFT_TYPE), bytes, FALSE));
    g_autoptr(GVariant) tunnels = NULL, taken = NULL;
    g_autoptr(Left) left = left_new();
    const guint64 *ids;
    gsize count;

    if (!g_variant_is_normal_form(all))
        return NULL;
    g_variant_get(all, "(@a" LEFT_TUNNEL "@at)", &tunnels, &taken);
    ids = g_variant_get_fixed_array(taken, &count, sizeof(guint64));
    if (g_variant_n_children(tunnels) > LEFT_TUNNELS_MAX || count > LEFT_TAKEN_MAX)
        return NULL;
    for (gsize i = 0; i < g_variant_n_children(tunnels); i++) {
        g_autoptr(GVariant) tunnel = g_variant_get_child_value(tunnels, i);

        left_read_tunnel(left, tunnel);
    }
    g_array_append_vals(left->taken, ids, (guint)count);
    return g_steal_pointer(&left);
}
