/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/ws-frame.h"

#include <string.h>

#define BIT_FIN 0x80
#define BITS_RSV 0x70
#define BITS_OPCODE 0x0f
#define BIT_CONTROL 0x08
#define BIT_MASK 0x80
#define BITS_LEN 0x7f
#define LEN_16 126
#define LEN_64 127

enum {
    STATE_HEADER,
    STATE_DATA,
    STATE_CONTROL,
    STATE_CLOSED,
    STATE_FAILED,
};

/* The input of one run. It is read at `in`; data is gathered at `out`, which never passes `in`. */
typedef struct {
    uint8_t *in;
    uint8_t *end;
    uint8_t *out;
} Cursor;

void
ws_decoder_init(WsDecoder *decoder, WsRole role, uint64_t max_message)
{
    *decoder = (WsDecoder){
        .masked = role == WS_ROLE_SERVER ? BIT_MASK : 0,
        .max_message = max_message,
    };
}

void
ws_decoder_split_text(WsDecoder *decoder)
{
    decoder->split_text = TRUE;
}

static gboolean
decoder_fail(WsDecoder *d, uint16_t code, const char *text)
{
    d->state = STATE_FAILED;
    d->code = code;
    d->error = text;
    return FALSE;
}

/* TRUE: this frame is a text message that is an event. */
static gboolean
decoder_is_split(const WsDecoder *d, uint8_t first)
{
    return d->split_text && (first & BITS_OPCODE) == WS_OP_TEXT;
}

static gboolean
decoder_check_text(WsDecoder *d, uint8_t first, uint8_t second)
{
    if (!(first & BIT_FIN))
        return decoder_fail(d, WS_CLOSE_PROTOCOL, "text message is fragmented");
    if ((second & BITS_LEN) == 0)
        return decoder_fail(d, WS_CLOSE_PROTOCOL, "text message is empty");
    if ((second & BITS_LEN) > WS_MAX_CONTROL)
        return decoder_fail(d, WS_CLOSE_PROTOCOL, "text message is too long");
    return TRUE;
}

/* Checks what the first two bytes can break. The length is not checked yet. */
static gboolean
decoder_check_start(WsDecoder *d, uint8_t first, uint8_t second)
{
    uint8_t opcode = first & BITS_OPCODE;

    if (first & BITS_RSV)
        return decoder_fail(d, WS_CLOSE_PROTOCOL, "reserved bits are set");
    if ((opcode & ~BIT_CONTROL) > WS_OP_BINARY)
        return decoder_fail(d, WS_CLOSE_PROTOCOL, "unknown opcode");
    if ((second & BIT_MASK) != d->masked)
        return decoder_fail(d, WS_CLOSE_PROTOCOL,
                            d->masked ? "frame is not masked" : "frame is masked");
    if (opcode & BIT_CONTROL) {
        if (!(first & BIT_FIN))
            return decoder_fail(d, WS_CLOSE_PROTOCOL, "control frame is fragmented");
        if ((second & BITS_LEN) > WS_MAX_CONTROL)
            return decoder_fail(d, WS_CLOSE_PROTOCOL, "control frame is too long");
        return TRUE;
    }
    if ((opcode == WS_OP_CONTINUATION) != d->in_message)
        return decoder_fail(d, WS_CLOSE_PROTOCOL,
                            d->in_message ? "new message inside a message"
                                          : "continuation without a message");
    return !decoder_is_split(d, first) || decoder_check_text(d, first, second);
}

static uint64_t
read_be(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static size_t
header_size(uint8_t second)
{
    uint8_t len = second & BITS_LEN;

    return 2 +
           (len == LEN_16   ? 2u
            : len == LEN_64 ? 8u
                            : 0u) +
           (second & BIT_MASK ? WS_MASK_KEY_LEN : 0u);
}

/* Reads the length field. FALSE (and failed) when it is not the shortest form or out of range. */
static gboolean
decoder_read_len(WsDecoder *d, const uint8_t *head, uint64_t *ret_len)
{
    uint64_t len = head[1] & BITS_LEN;

    if (len == LEN_16) {
        len = read_be(head + 2, 2);
        if (len < LEN_16)
            return decoder_fail(d, WS_CLOSE_PROTOCOL, "length is not in its shortest form");
    } else if (len == LEN_64) {
        len = read_be(head + 2, 8);
        if (len > INT64_MAX)
            return decoder_fail(d, WS_CLOSE_PROTOCOL, "length has its top bit set");
        if (len <= UINT16_MAX)
            return decoder_fail(d, WS_CLOSE_PROTOCOL, "length is not in its shortest form");
    }
    *ret_len = len;
    return TRUE;
}

/* Adds a data frame to its message. Without a limit it only matters whether the sum is zero, so the
 * sum stops at the largest value. */
static gboolean
decoder_begin_data(WsDecoder *d, uint64_t len)
{
    if (!d->in_message)
        d->message_len = 0;
    if (d->max_message > 0 && len > d->max_message - d->message_len)
        return decoder_fail(d, WS_CLOSE_TOO_BIG, "message is too long");
    d->message_len = len > UINT64_MAX - d->message_len ? UINT64_MAX : d->message_len + len;
    d->in_message = TRUE;
    d->state = STATE_DATA;
    return TRUE;
}

/* Reads a complete header. The mask key is its last part. */
static gboolean
decoder_begin_frame(WsDecoder *d, const uint8_t *head, size_t size)
{
    uint64_t len;

    if (!decoder_read_len(d, head, &len))
        return FALSE;
    d->first = head[0];
    d->key = d->masked ? ws_key_load(head + size - WS_MASK_KEY_LEN) : 0;
    d->phase = 0;
    d->remaining = len;
    if (!(head[0] & BIT_CONTROL) && !decoder_is_split(d, head[0]))
        return decoder_begin_data(d, len);
    d->control_len = 0;
    d->state = STATE_CONTROL;
    return TRUE;
}

/* Moves input into the kept header until it has `want` bytes. FALSE: there is too little. */
static gboolean
decoder_keep(WsDecoder *d, Cursor *c, size_t want)
{
    size_t n = MIN(want - d->head_len, (size_t)(c->end - c->in));

    memcpy(d->head + d->head_len, c->in, n);
    d->head_len = (uint8_t)(d->head_len + n);
    c->in += n;
    return d->head_len == want;
}

/* Gathers, in the decoder, a header that is incomplete or that began in an earlier run. */
static gboolean
decoder_kept_header(WsDecoder *d, Cursor *c)
{
    size_t size;

    if (d->head_len < 2) {
        if (!decoder_keep(d, c, 2))
            return FALSE;
        if (!decoder_check_start(d, d->head[0], d->head[1]))
            return FALSE;
    }
    size = header_size(d->head[1]);
    if (!decoder_keep(d, c, size))
        return FALSE;
    d->head_len = 0;
    return decoder_begin_frame(d, d->head, size);
}

/* FALSE when more input is needed, or on failure. */
static gboolean
decoder_header(WsDecoder *d, Cursor *c)
{
    size_t have = (size_t)(c->end - c->in);
    size_t size = have < 2 ? 2 : header_size(c->in[1]);

    if (d->head_len > 0 || have < size)
        return decoder_kept_header(d, c);
    if (!decoder_check_start(d, c->in[0], c->in[1]) || !decoder_begin_frame(d, c->in, size)) {
        c->in += 2;
        return FALSE;
    }
    c->in += size;
    return TRUE;
}

static size_t
decoder_unmask(WsDecoder *d, Cursor *c, uint8_t *out)
{
    size_t n = (size_t)MIN(d->remaining, (uint64_t)(c->end - c->in));

    ws_mask(out, c->in, n, d->key, d->phase);
    c->in += n;
    d->remaining -= n;
    d->phase = (uint8_t)((d->phase + n) % WS_MASK_KEY_LEN);
    return n;
}

/* TRUE: go on. An empty message ends the run with its event. */
static gboolean
decoder_data(WsDecoder *d, Cursor *c, WsEvent *event)
{
    c->out += decoder_unmask(d, c, c->out);
    if (d->remaining > 0)
        return FALSE;
    d->state = STATE_HEADER;
    if (!(d->first & BIT_FIN))
        return TRUE;
    d->in_message = FALSE;
    if (d->message_len > 0)
        return TRUE;
    event->type = WS_EVENT_EMPTY;
    return FALSE;
}

gboolean
ws_close_code_is_valid(uint16_t code)
{
    if (code >= 1000 && code <= 1014)
        return code < 1004 || code > 1006;
    return code >= 3000 && code <= 4999;
}

static void
decoder_close(WsDecoder *d)
{
    size_t len = d->control_len;

    d->state = STATE_CLOSED;
    d->code = len >= 2 ? (uint16_t)read_be(d->control, 2) : WS_CLOSE_NONE;
    if (len == 1)
        decoder_fail(d, WS_CLOSE_PROTOCOL, "close frame of one byte");
    else if (len >= 2 && !ws_close_code_is_valid(d->code))
        decoder_fail(d, WS_CLOSE_PROTOCOL, "invalid close code");
    else if (len > 2 && !g_utf8_validate_len((const char *)d->control + 2, len - 2, NULL))
        decoder_fail(d, WS_CLOSE_BAD_DATA, "close reason is not UTF-8");
}

static WsEventType
control_event(uint8_t first)
{
    uint8_t opcode = first & BITS_OPCODE;

    return opcode == WS_OP_PING   ? WS_EVENT_PING
           : opcode == WS_OP_PONG ? WS_EVENT_PONG
                                  : WS_EVENT_TEXT;
}

/* A control frame, or a text message that is an event: neither has parts. */
static void
decoder_control(WsDecoder *d, Cursor *c, WsEvent *event)
{
    size_t n = decoder_unmask(d, c, d->control + d->control_len);

    d->control_len = (uint8_t)(d->control_len + n);
    if (d->remaining > 0)
        return;
    d->state = STATE_HEADER;
    if ((d->first & BITS_OPCODE) == WS_OP_CLOSE) {
        decoder_close(d);
        return;
    }
    event->type = control_event(d->first);
    event->payload = d->control;
    event->payload_len = d->control_len;
}

/* The event of a decoder that has ended. It is the same in every run. */
static void
decoder_report_end(const WsDecoder *d, WsEvent *event)
{
    event->code = d->code;
    if (d->state == STATE_FAILED) {
        event->type = WS_EVENT_ERROR;
        event->text = d->error;
        return;
    }
    event->type = WS_EVENT_CLOSE;
    event->payload = d->control + 2;
    event->payload_len = d->control_len > 2 ? d->control_len - 2u : 0;
}

/* TRUE: go on with the next step. */
static gboolean
decoder_step(WsDecoder *d, Cursor *c, WsEvent *event)
{
    switch (d->state) {
    case STATE_HEADER:
        return decoder_header(d, c);
    case STATE_DATA:
        return decoder_data(d, c, event);
    case STATE_CONTROL:
        decoder_control(d, c, event);
        return FALSE;
    default:
        return FALSE;
    }
}

void
ws_decoder_run(WsDecoder *decoder, uint8_t *buf, size_t len, size_t *ret_consumed,
               WsEvent *ret_event)
{
    Cursor c = {.in = buf, .end = buf + len, .out = buf};
    WsEvent event = {.type = WS_EVENT_NONE};

    while (decoder_step(decoder, &c, &event)) {
        /* each step reads a header or a frame, so the loop ends */
    }
    if (decoder->state >= STATE_CLOSED)
        decoder_report_end(decoder, &event);
    event.data_len = (size_t)(c.out - buf);
    *ret_consumed = (size_t)(c.in - buf);
    *ret_event = event;
}

gboolean
ws_decoder_is_idle(const WsDecoder *decoder)
{
    return decoder->state == STATE_HEADER && decoder->head_len == 0 && !decoder->in_message;
}

size_t
ws_header_size(uint64_t len, gboolean masked)
{
    return (len < LEN_16 ? 2u : len <= UINT16_MAX ? 4u : 10u) + (masked ? WS_MASK_KEY_LEN : 0u);
}

static void
write_be(uint8_t *out, uint64_t value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
}

size_t
ws_header_write(uint8_t *out, WsOpcode opcode, uint64_t len, const uint8_t *key)
{
    uint8_t mask = key ? BIT_MASK : 0;
    size_t size = ws_header_size(len, key != NULL);

    out[0] = (uint8_t)(BIT_FIN | opcode);
    if (len < LEN_16) {
        out[1] = (uint8_t)(mask | len);
    } else if (len <= UINT16_MAX) {
        out[1] = mask | LEN_16;
        write_be(out + 2, len, 2);
    } else {
        out[1] = mask | LEN_64;
        write_be(out + 2, len, 8);
    }
    if (key)
        memcpy(out + size - WS_MASK_KEY_LEN, key, WS_MASK_KEY_LEN);
    return size;
}

size_t
ws_header_prepend(uint8_t *payload, WsOpcode opcode, uint64_t len, const uint8_t *key)
{
    return ws_header_write(payload - ws_header_size(len, key != NULL), opcode, len, key);
}

size_t
ws_control_write(uint8_t out[WS_MAX_CONTROL_FRAME], WsOpcode opcode, const void *payload,
                 size_t len, const uint8_t *key)
{
    size_t size;

    g_assert(len <= WS_MAX_CONTROL);
    size = ws_header_write(out, opcode, len, key);
    if (len > 0)
        ws_mask(out + size, payload, len, key ? ws_key_load(key) : 0, 0);
    return size + len;
}

/* The length of the longest part of `text` that fits and ends between two characters. */
static size_t
close_text_len(const char *text)
{
    size_t len = strlen(text);

    if (len <= WS_MAX_CLOSE_TEXT)
        return len;
    len = WS_MAX_CLOSE_TEXT;
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

size_t
ws_close_write(uint8_t out[WS_MAX_CONTROL_FRAME], uint16_t code, const char *text,
               const uint8_t *key)
{
    uint8_t payload[WS_MAX_CONTROL];
    size_t len = 0;

    if (code != WS_CLOSE_NONE) {
        write_be(payload, code, 2);
        len = 2;
        if (text) {
            size_t text_len = close_text_len(text);

            memcpy(payload + len, text, text_len);
            len += text_len;
        }
    }
    return ws_control_write(out, WS_OP_CLOSE, payload, len, key);
}
