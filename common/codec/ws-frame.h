/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket frames (RFC 6455, section 5), both directions, without I/O, allocation or reassembly.
 *
 * Any thread; a decoder belongs to one connection. Extensions are never negotiated, so a reserved
 * bit is an error. Text counts as bytes, message boundaries have no meaning, and a frame of any
 * size passes through in pieces (docs/wire-protocol.md, section 4). We never send fragments. */
#pragma once

#include "common/codec/ws-mask.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define WS_MAX_HEADER 14
#define WS_MAX_CONTROL 125
#define WS_MAX_CONTROL_FRAME (2 + WS_MASK_KEY_LEN + WS_MAX_CONTROL)
#define WS_MAX_CLOSE_TEXT (WS_MAX_CONTROL - 2)

/* The largest message that we send: Azure's gateway fails on larger ones (docs/wire-protocol.md,
 * section 4). */
#define WS_MAX_MESSAGE 65536

/* Payload sizes that, with their header, exactly fill four TLS records. */
#define WS_FULL_MASKED (WS_MAX_MESSAGE - 8)
#define WS_FULL_UNMASKED (WS_MAX_MESSAGE - 4)

typedef enum {
    WS_OP_CONTINUATION = 0x0,
    WS_OP_TEXT = 0x1,
    WS_OP_BINARY = 0x2,
    WS_OP_CLOSE = 0x8,
    WS_OP_PING = 0x9,
    WS_OP_PONG = 0xa,
} WsOpcode;

/* The close codes used here (RFC 6455, section 7.4.1). */
enum {
    WS_CLOSE_NONE = 0, /* the close frame carries no code */
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_BAD_DATA = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_BIG = 1009,
    WS_CLOSE_ERROR = 1011,
};

typedef enum {
    WS_ROLE_SERVER, /* reads masked frames, refuses others */
    WS_ROLE_CLIENT, /* reads unmasked frames, refuses others */
} WsRole;

typedef enum {
    WS_EVENT_NONE,  /* all input was used */
    WS_EVENT_PING,  /* answer with a PONG with the same payload */
    WS_EVENT_PONG,  /* unsolicited ones are fine */
    WS_EVENT_CLOSE, /* nothing is decoded after it */
    WS_EVENT_TEXT,  /* a whole text message, after ws_decoder_split_text: its payload */
    WS_EVENT_EMPTY, /* a data message ended without a single byte in all its fragments */
    WS_EVENT_ERROR, /* the peer broke the protocol: close with `code`; nothing is decoded after it
                     */
} WsEventType;

/* What one run found: first `data_len` bytes of data, then one event at most. */
typedef struct {
    WsEventType type;
    size_t data_len;  /* data bytes, at the start of the caller's buffer */
    uint16_t code;    /* CLOSE: the peer's code or WS_CLOSE_NONE; ERROR: the code to send */
    const char *text; /* ERROR: what was wrong, static */
    /* PING, PONG, TEXT: the payload; CLOSE: the reason, UTF-8 without NUL, not terminated. It lies
     * in the decoder and is valid until the next run. */
    const uint8_t *payload;
    size_t payload_len;
} WsEvent;

/* State between runs; the fields are private. About 200 bytes, part of a connection. */
typedef struct {
    uint64_t remaining;   /* payload bytes of this frame that have not come yet */
    uint64_t message_len; /* payload bytes of this message, including announced ones */
    uint64_t max_message; /* 0: no limit */
    const char *error;
    uint32_t key;
    uint16_t code;
    uint8_t phase;      /* payload bytes of this frame so far, modulo the key's length */
    uint8_t state;      /* see ws-frame.c */
    uint8_t masked;     /* the mask bit that is required */
    uint8_t first;      /* the first byte of this frame */
    uint8_t in_message; /* a data message has begun and not ended */
    uint8_t split_text; /* a text message is an event */
    uint8_t head_len;
    uint8_t control_len;
    uint8_t head[WS_MAX_HEADER]; /* the part of a header that came so far */
    uint8_t control[WS_MAX_CONTROL];
} WsDecoder;

/* `max_message`: the most bytes in one message, all fragments together; 0: no limit. A longer
 * message is an error with code 1009 as soon as its length is announced. */
void ws_decoder_init(WsDecoder *decoder, WsRole role, uint64_t max_message);

/* Decodes buf[0..len) in place: the payloads of data frames are unmasked and moved together to the
 * start of `buf`. It decodes frame after frame until all input is used or there is an event.
 * `*ret_consumed` is how much was read, never less than `data_len`. When it is below `len`, take
 * the data, then call again with the rest (buf + consumed).
 *
 * The result does not depend on how the input is cut into runs. After CLOSE or ERROR a run consumes
 * nothing and reports the same event again. */
void ws_decoder_run(WsDecoder *decoder, uint8_t *buf, size_t len, size_t *ret_consumed,
                    WsEvent *ret_event);

/* From here on, and before the first byte of a message, text is not data (section 8a): each text
 * message is an event, in its place among the data. One that is empty, fragmented, or longer than
 * WS_MAX_CONTROL is an error with code 1002. */
void ws_decoder_split_text(WsDecoder *decoder);

/* TRUE between frames when no message has begun: if the transport ends here, nothing is cut off. */
gboolean ws_decoder_is_idle(const WsDecoder *decoder);

/* Whether a peer may send this close code (RFC 6455, section 7.4, and the IANA registry). */
gboolean ws_close_code_is_valid(uint16_t code);

/* The size of a header. */
size_t ws_header_size(uint64_t len, gboolean masked);

/* Writes the header of an unfragmented frame with `len` payload bytes. `key` NULL: not masked. The
 * caller masks the payload, with ws_mask(). `out` has WS_MAX_HEADER bytes. Returns the header's
 * size. */
size_t ws_header_write(uint8_t *out, WsOpcode opcode, uint64_t len, const uint8_t *key);

/* The same, but the header ends where the payload starts. Before `payload` there must be
 * WS_MAX_HEADER bytes of room. The frame starts at `payload` minus the size returned. */
size_t ws_header_prepend(uint8_t *payload, WsOpcode opcode, uint64_t len, const uint8_t *key);

/* Writes a whole control frame with at most WS_MAX_CONTROL bytes, masked when `key` is given.
 * Returns its size. */
size_t ws_control_write(uint8_t out[WS_MAX_CONTROL_FRAME], WsOpcode opcode, const void *payload,
                        size_t len, const uint8_t *key);

/* Writes a close frame. With WS_CLOSE_NONE it is empty. `text` (UTF-8 or NULL) is cut to
 * WS_MAX_CLOSE_TEXT bytes, between characters. Returns its size. */
size_t ws_close_write(uint8_t out[WS_MAX_CONTROL_FRAME], uint16_t code, const char *text,
                      const uint8_t *key);
