/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/ws-mask.h"

#include <errno.h>
#include <sys/random.h>

/* A type that fits a register of every x86-64 and arm64. */
typedef uint64_t Block __attribute__((vector_size(16)));

#define ROUND (4 * sizeof(Block))

/* The key for the byte at `phase`: its bytes on the wire, rotated by that many places. */
static uint32_t
key_at(uint32_t key, size_t phase)
{
    uint8_t bytes[WS_MASK_KEY_LEN];
    uint8_t turned[WS_MASK_KEY_LEN];

    memcpy(bytes, &key, sizeof(bytes));
    for (size_t i = 0; i < WS_MASK_KEY_LEN; i++)
        turned[i] = bytes[(phase + i) % WS_MASK_KEY_LEN];
    return ws_key_load(turned);
}

/* Rounds of 64 bytes, which is also how much the C client sends at a time. All loads of a round
 * come before its stores, so a `dst` below `src` never overtakes it: the bytes that a round stores
 * end at or before the ones that the next round loads. An array of blocks would go through memory.
 * A function that takes or returns one is an error on i386, whose calling convention has none. */
static size_t
mask_rounds(uint8_t *dst, const uint8_t *src, size_t len, uint64_t word)
{
    const Block key = {word, word};
    size_t at = 0;

    for (; len - at >= ROUND; at += ROUND) {
        Block a, b, c, d;

        memcpy(&a, src + at, sizeof(Block));
        memcpy(&b, src + at + sizeof(Block), sizeof(Block));
        memcpy(&c, src + at + 2 * sizeof(Block), sizeof(Block));
        memcpy(&d, src + at + 3 * sizeof(Block), sizeof(Block));
        a ^= key;
        b ^= key;
        c ^= key;
        d ^= key;
        memcpy(dst + at, &a, sizeof(Block));
        memcpy(dst + at + sizeof(Block), &b, sizeof(Block));
        memcpy(dst + at + 2 * sizeof(Block), &c, sizeof(Block));
        memcpy(dst + at + 3 * sizeof(Block), &d, sizeof(Block));
    }
    return at;
}

static size_t
mask_words(uint8_t *dst, const uint8_t *src, size_t len, uint64_t key)
{
    size_t at = 0;

    for (; len - at >= sizeof(key); at += sizeof(key)) {
        uint64_t word;

        memcpy(&word, src + at, sizeof(word));
        word ^= key;
        memcpy(dst + at, &word, sizeof(word));
    }
    return at;
}

void
ws_mask(uint8_t *dst, const uint8_t *src, size_t len, uint32_t key, size_t phase)
{
    uint8_t tail[WS_MASK_KEY_LEN];
    uint64_t word;
    size_t at;

    if (key == 0) {
        if (dst != src && len > 0)
            memmove(dst, src, len);
        return;
    }
    if (phase % WS_MASK_KEY_LEN != 0)
        key = key_at(key, phase);
    word = (uint64_t)key << 32 | key;
    at = mask_rounds(dst, src, len, word);
    /* Rounds and words are multiples of the key's length, so the phase stays the same. */
    at += mask_words(dst + at, src + at, len - at, word);
    memcpy(tail, &key, sizeof(tail));
    for (size_t i = 0; at + i < len; i++)
        dst[at + i] = (uint8_t)(src[at + i] ^ tail[i % WS_MASK_KEY_LEN]);
}

static void
pool_fill(WsMaskPool *pool)
{
    size_t got = 0;

    while (got < sizeof(pool->bytes)) {
        ssize_t n = getrandom(pool->bytes + got, sizeof(pool->bytes) - got, 0);

        if (n > 0)
            got += (size_t)n;
        else if (errno != EINTR)
            g_error("getrandom: %s", g_strerror(errno));
    }
    pool->left = sizeof(pool->bytes);
}

void
ws_mask_pool_next(WsMaskPool *pool, uint8_t ret_key[WS_MASK_KEY_LEN])
{
    if (pool->left < WS_MASK_KEY_LEN)
        pool_fill(pool);
    memcpy(ret_key, pool->bytes + sizeof(pool->bytes) - pool->left, WS_MASK_KEY_LEN);
    pool->left -= WS_MASK_KEY_LEN;
}
