/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket frames (RFC 6455, section 5), both directions, without I/O, allocation or reassembly.
 *
 * Any thread; a decoder belongs to one connection. Extensions are never negotiated, so a reserved
 * bit is an error. Text counts as bytes, message boundaries mean nothing, and a frame of any size
 * passes through in pieces (docs/wire-protocol.md, section 4). We never send fragments. */
#pragma once

#include "common/codec/ws-mask.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define WS_MAX_HEADER 14
#define WS_MAX_CONTROL 125
#define WS_MAX_CONTROL_FRAME (2 + WS_MASK_KEY_LEN + WS_MAX_CONTROL)
#define WS_MAX_CLOSE_TEXT (WS_MAX_CONTROL - 2)

/* The largest message we send: Azure's gateway fails on more (docs/wire-protocol.md, section 4). */
#define WS_MAX_MESSAGE 65536

/* Payloads that with their header fill four TLS records exactly. */
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

/* Close codes in use here (RFC 6455, section 7.4.1). */
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
    WS_ROLE_SERVER, /* reads masked frames and refuses others */
    WS_ROLE_CLIENT, /* reads unmasked frames and refuses others */
} WsRole;

typedef enum {
    WS_EVENT_NONE,  /* the input is used up */
    WS_EVENT_PING,  /* answer with a PONG of the same payload */
    WS_EVENT_PONG,  /* unsolicited ones are fine */
    WS_EVENT_CLOSE, /* nothing is decoded after it */
    WS_EVENT_EMPTY, /* a data message without a byte, all its fragments together, has ended */
    WS_EVENT_ERROR, /* the peer broke the protocol: close with `code`; nothing is decoded after it
                     */
} WsEventType;

/* What one run found: first `data_len` bytes of data, then at most one event. */
typedef struct {
    WsEventType type;
    size_t data_len;        /* data bytes, at the start of the caller's buffer */
    uint16_t code;          /* CLOSE: the peer's code or WS_CLOSE_NONE; ERROR: the one to send */
    const char *text;       /* ERROR: what was wrong, static */
    const uint8_t *payload; /* PING, PONG: the payload; CLOSE: the reason, UTF-8 without NUL, not */
    size_t payload_len;     /* terminated. Lies in the decoder and is valid until the next run. */
} WsEvent;

/* State between runs; the fields are private. About 200 bytes, embedded in a connection. */
typedef struct {
    uint64_t remaining;   /* payload bytes of this frame that are still to come */
    uint64_t message_len; /* payload bytes of this message, the announced ones included */
    uint64_t max_message; /* 0: none */
    const char *error;
    uint32_t key;
    uint16_t code;
    uint8_t phase;      /* payload bytes of this frame so far, modulo the key's length */
    uint8_t state;      /* see ws-frame.c */
    uint8_t masked;     /* the mask bit as it must be */
    uint8_t first;      /* the first byte of this frame */
    uint8_t in_message; /* a data message was begun and not ended */
    uint8_t head_len;
    uint8_t control_len;
    uint8_t head[WS_MAX_HEADER]; /* the part of a header that came so far */
    uint8_t control[WS_MAX_CONTROL];
} WsDecoder;

/* `max_message`: bytes in one message, all fragments together; 0 for no limit. A longer one is an
 * error with code 1009 as soon as its length is announced. */
void ws_decoder_init(WsDecoder *decoder, WsRole role, uint64_t max_message);

/* Decodes buf[0..len) in place: the payloads of data frames are unmasked and moved together to the
 * start of `buf`. Goes on over as many frames as there are, until the input is used up or there is
 * an event. `*ret_consumed` is what was read, never less than `data_len`; when it is below `len`
 * call again with what follows it (buf + consumed), after the data has been taken.
 *
 * The result does not depend on how the input is cut into runs. After CLOSE or ERROR a run consumes
 * nothing and reports the same event again. */
void ws_decoder_run(WsDecoder *decoder, uint8_t *buf, size_t len, size_t *ret_consumed,
                    WsEvent *ret_event);

/* TRUE between frames with no message begun: the end of the transport here cuts nothing. */
gboolean ws_decoder_is_idle(const WsDecoder *decoder);

/* Whether a peer may send this close code (RFC 6455, section 7.4, and the IANA registry). */
gboolean ws_close_code_is_valid(uint16_t code);

/* The size of a header. */
size_t ws_header_size(uint64_t len, gboolean masked);

/* Writes the header of an unfragmented frame of `len` payload bytes; `key` NULL for an unmasked
 * one. The payload itself is for the caller to mask, with ws_mask(). `out` has WS_MAX_HEADER bytes.
 * Returns the header's size. */
size_t ws_header_write(uint8_t *out, WsOpcode opcode, uint64_t len, const uint8_t *key);

/* The same, with the header ending where the payload starts; there are WS_MAX_HEADER bytes of
 * room before `payload`. The frame starts at `payload` less the size returned. */
size_t ws_header_prepend(uint8_t *payload, WsOpcode opcode, uint64_t len, const uint8_t *key);

/* A whole control frame with at most WS_MAX_CONTROL bytes, masked when `key` is given. Returns its
 * size. */
size_t ws_control_write(uint8_t out[WS_MAX_CONTROL_FRAME], WsOpcode opcode, const void *payload,
                        size_t len, const uint8_t *key);

/* A close frame. With WS_CLOSE_NONE it is empty; `text` (UTF-8 or NULL) is cut to
 * WS_MAX_CLOSE_TEXT bytes, between characters. Returns its size. */
size_t ws_close_write(uint8_t out[WS_MAX_CONTROL_FRAME], uint16_t code, const char *text,
                      const uint8_t *key);
