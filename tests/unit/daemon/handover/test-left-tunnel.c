/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of tunnels to the next process. */
#include "daemon/handover/left-tunnel.h"

static void
add(Left *left, guint64 id)
{
    LeftTunnel *tunnel = left_add(left);

    tunnel->id = id;
    tunnel->accepted = G_MAXUINT64;
    tunnel->owner_uid = 1000;
    tunnel->sockets = 2;
    tunnel->hub = g_strdup("office");
    tunnel->device = g_strdup("gw-1/pump");
    tunnel->stream = g_strdup("ssh");
    tunnel->address = g_strdup("unix:/run/streamd/1000/s");
    tunnel->file_device = 27;
    tunnel->file_inode = 4711;
}

static void
test_there_and_back(void)
{
    g_autoptr(Left) left = left_new(), back = NULL;
    g_autoptr(GBytes) bytes = NULL, again = NULL;
    const guint64 taken[] = {3, G_MAXUINT64};
    const LeftTunnel *tunnel;

    add(left, 7);
    add(left, 8);
    g_array_append_vals(left->taken, taken, 2);
    bytes = left_write(left);
    back = left_parse(bytes);
    g_assert_nonnull(back);
    g_assert_cmpuint(back->tunnels->len, ==, 2);
    tunnel = back->tunnels->pdata[1];
    g_assert_cmpuint(tunnel->id, ==, 8);
    g_assert_cmpuint(tunnel->accepted, ==, G_MAXUINT64);
    g_assert_cmpuint(tunnel->sockets, ==, 2);
    g_assert_cmpstr(tunnel->address, ==, "unix:/run/streamd/1000/s");
    g_assert_cmpuint(tunnel->file_inode, ==, 4711);
    g_assert_true(left_is_taken(back, 3));
    g_assert_true(left_is_taken(back, G_MAXUINT64));
    g_assert_false(left_is_taken(back, 4));
    again = left_write(back);
    g_assert_true(g_bytes_equal(bytes, again));
}

static void
test_bounds(void)
{
    g_autoptr(Left) left = left_new();

    for (guint i = 0; i < LEFT_TUNNELS_MAX + 1; i++) {
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(Left) back = NULL;

        add(left, i + 1);
        bytes = left_write(left);
        back = left_parse(bytes);
        g_assert_true((back != NULL) == (i < LEFT_TUNNELS_MAX));
    }
    g_ptr_array_set_size(left->tunnels, 0);
    for (guint64 i = 0; i < LEFT_TAKEN_MAX + 1; i++) {
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(Left) back = NULL;

        g_array_append_val(left->taken, i);
        bytes = left_write(left);
        back = left_parse(bytes);
        g_assert_true((back != NULL) == (i < LEFT_TAKEN_MAX));
    }
}

/* Every byte of it changed, and every beginning of it: refused, or something of the same form. */
static void
test_damaged(void)
{
    g_autoptr(Left) left = left_new();
    g_autoptr(GBytes) bytes = NULL;
    const guint8 *data;
    gsize size;

    add(left, 7);
    bytes = left_write(left);
    data = g_bytes_get_data(bytes, &size);
    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *copy = g_memdup2(data, size);
        g_autoptr(GBytes) changed = NULL, shorter = g_bytes_new(data, i);
        g_autoptr(Left) first = left_parse(shorter), second = NULL;

        copy[i] ^= (guint8)(1 + g_test_rand_int_range(0, 255));
        changed = g_bytes_new(copy, size);
        second = left_parse(changed);
        g_assert_true(!first || first->tunnels->len <= 1);
        g_assert_true(!second || second->tunnels->len <= size);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/left-tunnel/there-and-back", test_there_and_back);
    g_test_add_func("/left-tunnel/bounds", test_bounds);
    g_test_add_func("/left-tunnel/damaged", test_damaged);
    return g_test_run();
}
