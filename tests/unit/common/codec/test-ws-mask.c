/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Masking against the naive loop, and the pool of keys. */
#include "common/codec/ws-mask.h"

#include <string.h>

static void
check_bytes(const uint8_t *got, gsize got_len, const uint8_t *expected, gsize len)
{
    g_assert_cmpuint(got_len, ==, len);
    g_assert_true(len == 0 || memcmp(got, expected, len) == 0);
}

static const uint8_t test_key[WS_MASK_KEY_LEN] = {0x37, 0xfa, 0x21, 0x3d};

static void
test_mask_against_naive(void)
{
    enum { ROOM = 700 };
    const uint32_t key = ws_key_load(test_key);
    uint8_t source[ROOM], work[ROOM];

    for (guint i = 0; i < ROOM; i++)
        source[i] = (uint8_t)g_test_rand_int();
    for (gsize from = 0; from < 72; from++) {
        for (gsize len = 0; len < 300; len += len < 140 ? 1 : 37) {
            for (gsize gap = 0; gap <= from; gap += gap < 16 ? 1 : 7) {
                gsize phase = (from + len) % 5;
                uint8_t *dst = work + from - gap;

                memcpy(work, source, ROOM);
                ws_mask(dst, work + from, len, key, phase);
                for (gsize i = 0; i < len; i++)
                    g_assert_cmpuint(dst[i], ==, source[from + i] ^ test_key[(phase + i) % 4]);
                check_bytes(work, from - gap, source, from - gap);
                check_bytes(work + from + len, ROOM - from - len, source + from + len,
                            ROOM - from - len);
            }
        }
    }
}

static void
test_mask_phase_and_key_zero(void)
{
    uint8_t bytes[100], whole[100], parts[100];

    for (guint i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    ws_mask(whole, bytes, sizeof(bytes), ws_key_load(test_key), 0);
    for (gsize cut = 0; cut <= sizeof(bytes); cut++) {
        ws_mask(parts, bytes, cut, ws_key_load(test_key), 0);
        ws_mask(parts + cut, bytes + cut, sizeof(bytes) - cut, ws_key_load(test_key), cut);
        check_bytes(parts, sizeof(parts), whole, sizeof(whole));
    }
    memcpy(parts, bytes, sizeof(bytes));
    ws_mask(parts, parts + 3, 90, 0, 1);
    check_bytes(parts, 90, bytes + 3, 90);
}

static void
test_mask_pool_is_distinct(void)
{
    g_autofree WsMaskPool *pool = g_new0(WsMaskPool, 1);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    guint repeats = 0;

    for (guint i = 0; i < 10000; i++) {
        uint8_t key[WS_MASK_KEY_LEN];

        ws_mask_pool_next(pool, key);
        repeats += !g_hash_table_add(seen, GSIZE_TO_POINTER(ws_key_load(key)));
    }
    /* 10,000 of 2^32 meet 0.01 times on average; four at once is a broken pool. */
    g_assert_cmpuint(repeats, <, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ws/mask/naive", test_mask_against_naive);
    g_test_add_func("/ws/mask/phase", test_mask_phase_and_key_zero);
    g_test_add_func("/ws/mask/pool", test_mask_pool_is_distinct);
    return g_test_run();
}
