/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket masking (RFC 6455, section 5.3) and the keys for it.
 *
 * ws_mask() is pure. A WsMaskPool belongs to one thread: each reactor, or each link, has its own.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WS_MASK_KEY_LEN 4

/* What is fetched from the kernel at a time: one call for 256 frames. */
#define WS_MASK_POOL_LEN 1024

/* The four key bytes as they stand on the wire, held in memory order. */
static inline uint32_t
ws_key_load(const uint8_t key[WS_MASK_KEY_LEN])
{
    uint32_t word;

    memcpy(&word, key, sizeof(word));
    return word;
}

/* Moves `len` bytes from `src` to `dst` and XORs them with the key, masking and unmasking alike.
 * `phase` is the count of payload bytes of this frame that went before; only its low two bits
 * matter. The two regions may be apart, the same, or overlap with dst below src (a forward pass, as
 * when frames are compacted in place). With key 0 it is a plain move. */
void ws_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t key, size_t phase);

/* Unpredictable mask keys, without a system call per frame (RFC 6455, section 10.3: a key must not
 * be guessable from the ones before). Zeroed memory is a valid, empty pool; nothing to free. */
typedef struct {
    uint8_t bytes[WS_MASK_POOL_LEN];
    size_t left; /* unused bytes, at the end of `bytes` */
} WsMaskPool;

/* The next key. Ends the process if the kernel gives no random bytes, which Linux does not do. */
void ws_mask_pool_next(WsMaskPool *pool, uint8_t ret_key[WS_MASK_KEY_LEN]);
