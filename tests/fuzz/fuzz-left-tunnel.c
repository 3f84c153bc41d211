/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of tunnels to the next process: what is read is written again as it was. */
#include "daemon/handover/left-tunnel.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(Left) left = left_parse(bytes), again = NULL;
    g_autoptr(GBytes) written = NULL;

    if (!left)
        return 0;
    g_assert_cmpuint(left->tunnels->len, <=, LEFT_TUNNELS_MAX);
    g_assert_cmpuint(left->taken->len, <=, LEFT_TAKEN_MAX);
    written = left_write(left);
    g_assert_true(g_bytes_equal(bytes, written));
    again = left_parse(written);
    g_assert_nonnull(again);
    return 0;
}
