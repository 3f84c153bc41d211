/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A body in chunks: whole or byte by byte it is the same body, within its bound, and what is
 * refused has a reason. */
#include "common/codec/http-chunks.h"

#include <stdint.h>

#define BODY_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static HttpChunksResult
read_all(const char *buf, gsize len, gsize step, GString *body, gsize *ret_used)
{
    HttpChunks chunks = {.max = BODY_MAX};
    HttpChunksResult result = HTTP_CHUNKS_MORE;
    gsize at = 0;

    while (at < len && result == HTTP_CHUNKS_MORE) {
        gsize piece = MIN(step, len - at);
        Slice input = {buf + at, piece}, got;
        HttpRefusal refusal = {0};

        while ((result = http_chunks_read(&chunks, &input, &got, &refusal)) == HTTP_CHUNKS_DATA) {
            g_assert_true(got.len > 0 && got.ptr >= buf + at && got.ptr + got.len <= input.ptr);
            g_string_append_len(body, got.ptr, (gssize)got.len);
        }
        if (result == HTTP_CHUNKS_MORE)
            g_assert_cmpuint(input.len, ==, 0);
        if (result == HTTP_CHUNKS_REFUSED)
            g_assert_true((refusal.status == 400 || refusal.status == 413) && refusal.text);
        at += piece - input.len;
    }
    *ret_used = at;
    return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *buf = (const char *)data;
    g_autoptr(GString) whole = g_string_new(NULL);
    g_autoptr(GString) bytes = g_string_new(NULL);
    gsize used = 0, again = 0;
    HttpChunksResult result = read_all(buf, size, size, whole, &used);

    g_assert_cmpuint(whole->len, <=, BODY_MAX);
    g_assert_cmpint(read_all(buf, size, 1, bytes, &again), ==, result);
    g_assert_cmpuint(used, ==, again);
    g_assert_true(g_string_equal(whole, bytes));
    return 0;
}
