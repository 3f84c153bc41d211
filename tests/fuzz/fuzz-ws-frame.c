/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket decoder: the result may not depend on how the stream is cut.
 * Input: a byte of flags (bit 0 server role, bit 1 limited messages, bit 2 text is an event), a
 * byte that seeds the cuts, then the stream. */
#include "common/codec/ws-frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 300

/* A digest of what came out: data bytes and events in their order. */
typedef struct {
    WsDecoder decoder;
    uint64_t digest;
    gboolean ended;
} Reader;

static void
reader_add(Reader *reader, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        reader->digest = (reader->digest ^ bytes[i]) * 1099511628211u;
}

static void
reader_event(Reader *reader, const WsEvent *event)
{
    uint8_t mark[] = {(uint8_t)event->type, (uint8_t)(event->code >> 8), (uint8_t)event->code};

    if (event->type == WS_EVENT_NONE)
        return;
    if (event->payload_len > WS_MAX_CONTROL || (event->type == WS_EVENT_ERROR && !event->text))
        abort();
    reader_add(reader, mark, sizeof(mark));
    if (event->payload_len > 0)
        reader_add(reader, event->payload, event->payload_len);
    reader->ended = event->type == WS_EVENT_CLOSE || event->type == WS_EVENT_ERROR;
}

static void
reader_feed(Reader *reader, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = g_memdup2(bytes, len);
    size_t at = 0;

    while (at < len && !reader->ended) {
        WsEvent event;
        size_t consumed;

        ws_decoder_run(&reader->decoder, copy + at, len - at, &consumed, &event);
        if (consumed > len - at || event.data_len > consumed)
            abort();
        if (event.type == WS_EVENT_NONE && consumed != len - at)
            abort();
        reader_add(reader, copy + at, event.data_len);
        reader_event(reader, &event);
        at += consumed;
    }
    g_free(copy);
}

static void
reader_init(Reader *reader, uint8_t flags)
{
    memset(reader, 0, sizeof(*reader));
    reader->digest = 14695981039346656037u;
    ws_decoder_init(&reader->decoder, flags & 1 ? WS_ROLE_SERVER : WS_ROLE_CLIENT,
                    flags & 2 ? LIMIT : 0);
    if (flags & 4)
        ws_decoder_split_text(&reader->decoder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Reader whole, cut, bytewise;
    uint32_t seed;
    size_t n;

    if (size < 2)
        return 0;
    reader_init(&whole, data[0]);
    reader_init(&cut, data[0]);
    reader_init(&bytewise, data[0]);
    seed = data[1];
    reader_feed(&whole, data + 2, size - 2);
    for (size_t at = 2; at < size; at += n) {
        seed = seed * 1103515245u + 12345u;
        n = MIN(size - at, 1 + (seed >> 16) % 64);
        reader_feed(&cut, data + at, n);
    }
    for (size_t at = 2; at < size; at++)
        reader_feed(&bytewise, data + at, 1);
    if (whole.digest != cut.digest || whole.digest != bytewise.digest)
        abort();
    if (ws_decoder_is_idle(&whole.decoder) != ws_decoder_is_idle(&bytewise.decoder))
        abort();
    return 0;
}
