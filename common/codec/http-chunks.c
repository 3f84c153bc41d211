/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-chunks.h"

/* What comes next. */
enum {
    CHUNKS_SIZE,
    CHUNKS_SIZE_LF,
    CHUNKS_DATA,
    CHUNKS_DATA_CR,
    CHUNKS_DATA_LF,
    CHUNKS_LAST_CR,
    CHUNKS_LAST_LF,
    CHUNKS_OVER,
};

static gboolean
size_read(HttpChunks *chunks, char c, HttpRefusal *ret_refusal)
{
    if (c == '\r' && chunks->digits > 0) {
        chunks->state = CHUNKS_SIZE_LF;
        return TRUE;
    }
    if (c == ';')
        return http_refuse(ret_refusal, 400, "a chunk has an extension");
    if (!g_ascii_isxdigit(c) || chunks->digits == HTTP_CHUNK_DIGITS)
        return http_refuse(ret_refusal, 400, "the size of a chunk is malformed");
    chunks->left = chunks->left * 16 + (guint64)g_ascii_xdigit_value(c);
    chunks->digits++;
    return TRUE;
}

static gboolean
size_end(HttpChunks *chunks, char c, HttpRefusal *ret_refusal)
{
    if (c != '\n')
        return http_refuse(ret_refusal, 400, "the size of a chunk is malformed");
    if (chunks->left > chunks->max - chunks->total)
        return http_refuse(ret_refusal, 413, "the body is too large");
    chunks->total += chunks->left;
    chunks->state = chunks->left > 0 ? CHUNKS_DATA : CHUNKS_LAST_CR;
    chunks->digits = 0;
    return TRUE;
}

static gboolean
mark_read(HttpChunks *chunks, char c, char wanted, guint next, HttpRefusal *ret_refusal)
{
    if (c != wanted)
        return http_refuse(ret_refusal, 400,
                           chunks->state == CHUNKS_LAST_CR ? "trailers behind the last chunk"
                                                           : "a chunk does not end in CR LF");
    chunks->state = next;
    return TRUE;
}

/* One byte outside of the data. */
static gboolean
byte_read(HttpChunks *chunks, char c, HttpRefusal *ret_refusal)
{
    switch (chunks->state) {
    case CHUNKS_SIZE:
        return size_read(chunks, c, ret_refusal);
    case CHUNKS_SIZE_LF:
        return size_end(chunks, c, ret_refusal);
    case CHUNKS_DATA_CR:
        return mark_read(chunks, c, '\r', CHUNKS_DATA_LF, ret_refusal);
    case CHUNKS_DATA_LF:
        return mark_read(chunks, c, '\n', CHUNKS_SIZE, ret_refusal);
    case CHUNKS_LAST_CR:
        return mark_read(chunks, c, '\r', CHUNKS_LAST_LF, ret_refusal);
    default:
        return mark_read(chunks, c, '\n', CHUNKS_OVER, ret_refusal);
    }
}

static Slice
data_take(HttpChunks *chunks, Slice *input)
{
    Slice data = {input->ptr, (gsize)MIN(chunks->left, (guint64)input->len)};

    input->ptr += data.len;
    input->len -= data.len;
    chunks->left -= data.len;
    if (chunks->left == 0)
        chunks->state = CHUNKS_DATA_CR;
    return data;
}

HttpChunksResult
http_chunks_read(HttpChunks *chunks, Slice *input, Slice *ret_data, HttpRefusal *ret_refusal)
{
    while (input->len > 0 && chunks->state != CHUNKS_OVER) {
        if (chunks->state == CHUNKS_DATA) {
            *ret_data = data_take(chunks, input);
            return HTTP_CHUNKS_DATA;
        }
        if (!byte_read(chunks, *input->ptr, ret_refusal))
            return HTTP_CHUNKS_REFUSED;
        input->ptr++;
        input->len--;
    }
    return chunks->state == CHUNKS_OVER ? HTTP_CHUNKS_END : HTTP_CHUNKS_MORE;
}
