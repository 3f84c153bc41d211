/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket frames and masks. The table is numbered after the cases of the Autobahn test suite,
 * adapted to a decoder that hands text through as bytes. */
#include "common/ws-frame.h"

#include <string.h>

/* A stream is written as frames "FF:payload": the first byte in hex, then text, `*N` for N times
 * 'x', `#hex` for bytes, or `N?` to announce N bytes that never come. `=hex` is raw bytes.
 *
 * What comes out is written as data, PING(..), PONG(..), CLOSE(code,..), EMPTY and ERROR(code);
 * data between two events is one item, however it came. */
typedef struct {
    const char *name;
    const char *frames;
    const char *expected;
} Case;

static const Case cases[] = {
    /* 1: framing */
    {"1.1.1 text, empty", "81:", "EMPTY"},
    {"1.1.2 text 125", "81:*125", "*125"},
    {"1.1.3 text 126", "81:*126", "*126"},
    {"1.1.4 text 127", "81:*127", "*127"},
    {"1.1.5 text 128", "81:*128", "*128"},
    {"1.1.6 text 65535", "81:*65535", "*65535"},
    {"1.1.7 text 65536", "81:*65536", "*65536"},
    {"1.2.1 binary, empty", "82:", "EMPTY"},
    {"1.2.2 binary 125", "82:*125", "*125"},
    {"1.2.3 binary 126", "82:*126", "*126"},
    {"1.2.4 binary 127", "82:*127", "*127"},
    {"1.2.5 binary 128", "82:*128", "*128"},
    {"1.2.6 binary 65535", "82:*65535", "*65535"},
    {"1.2.7 binary 65536", "82:*65536", "*65536"},
    {"1.2.8 two full messages", "82:*65528 82:*65528 82:hi", "*131056hi"},
    {"1.2.9 data around empties", "82:ab 82: 82: 82:cd", "ab EMPTY EMPTY cd"},
    /* 2: pings and pongs */
    {"2.1 ping, empty", "89:", "PING()"},
    {"2.2 ping, text", "89:hello", "PING(hello)"},
    {"2.3 ping, bytes", "89:#00fffefd", "PING(#00fffefd)"},
    {"2.4 ping 125", "89:*125", "PING(*125)"},
    {"2.5 ping 126", "89:*126", "ERROR(1002)"},
    {"2.6 ping 125, then more", "89:*125 82:data", "PING(*125) data"},
    {"2.7 unsolicited pong, empty", "8a:", "PONG()"},
    {"2.8 unsolicited pong", "8a:hello", "PONG(hello)"},
    {"2.9 pong then ping", "8a:one 89:two", "PONG(one) PING(two)"},
    {"2.10 ten pings", "89:0 89:1 89:2 89:3 89:4 89:5 89:6 89:7 89:8 89:9",
     "PING(0) PING(1) PING(2) PING(3) PING(4) PING(5) PING(6) PING(7) PING(8) PING(9)"},
    {"2.11 pong 126", "8a:*126", "ERROR(1002)"},
    /* 3: reserved bits */
    {"3.1 RSV3", "92:hello", "ERROR(1002)"},
    {"3.2 RSV2 after good", "81:good a2:bad", "good ERROR(1002)"},
    {"3.3 RSV2+3 after good", "81:good b2:bad 89:", "good ERROR(1002)"},
    {"3.4 RSV1 (deflate)", "81:good c1:bad 89:", "good ERROR(1002)"},
    {"3.5 RSV1+3 binary", "d2:x", "ERROR(1002)"},
    {"3.6 RSV1+2 ping", "e9:x", "ERROR(1002)"},
    {"3.7 all RSV close", "f8:", "ERROR(1002)"},
    {"3.8 RSV on a continuation", "02:ab c0:cd", "ab ERROR(1002)"},
    /* 4: opcodes */
    {"4.1.1 opcode 3", "83:", "ERROR(1002)"},
    {"4.1.2 opcode 4", "84:hello", "ERROR(1002)"},
    {"4.1.3 opcode 5 after good", "81:good 85: 89:", "good ERROR(1002)"},
    {"4.1.4 opcode 6", "86:x", "ERROR(1002)"},
    {"4.1.5 opcode 7", "87:x", "ERROR(1002)"},
    {"4.2.1 opcode 11", "8b:", "ERROR(1002)"},
    {"4.2.2 opcode 12", "8c:hello", "ERROR(1002)"},
    {"4.2.3 opcode 13 after good", "81:good 8d: 89:", "good ERROR(1002)"},
    {"4.2.4 opcode 14", "8e:x", "ERROR(1002)"},
    {"4.2.5 opcode 15", "8f:x", "ERROR(1002)"},
    /* 5: fragments */
    {"5.1 fragmented ping", "09:frag 80:ment", "ERROR(1002)"},
    {"5.2 fragmented pong", "0a:frag 80:ment", "ERROR(1002)"},
    {"5.3 text in two", "01:frag 80:ment", "fragment"},
    {"5.4 binary in three", "02:a 00:b 80:c", "abc"},
    {"5.5 back to back messages", "01:a 80:b 02:c 80:d", "abcd"},
    {"5.6 ping inside a message", "01:frag 89:ping 80:ment", "frag PING(ping) ment"},
    {"5.7 pong inside a message", "02:frag 8a:pong 80:ment", "frag PONG(pong) ment"},
    {"5.8 close inside a message", "02:frag 88:#03e8 80:ment", "frag CLOSE(1000,)"},
    {"5.9 continuation first, final", "80:x 81:y", "ERROR(1002)"},
    {"5.10 continuation first, not final", "00:x 81:y", "ERROR(1002)"},
    {"5.11 continuation after a message", "82:ab 80:cd", "ab ERROR(1002)"},
    {"5.12 continuation after fragments", "02:a 80:b 80:c", "ab ERROR(1002)"},
    {"5.13 continuation after a ping", "89: 80:c", "PING() ERROR(1002)"},
    {"5.14 empty first continuation", "00: 81:y", "ERROR(1002)"},
    {"5.15 text, continuation, stray", "01:a 80:b 00:c", "ab ERROR(1002)"},
    {"5.16 stray, then a message", "00:a 01:b 80:c", "ERROR(1002)"},
    {"5.17 final stray, then a message", "80:a 01:b 80:c", "ERROR(1002)"},
    {"5.18 text inside a text", "01:a 81:b", "a ERROR(1002)"},
    {"5.18b binary inside a text", "01:a 02:b", "a ERROR(1002)"},
    {"5.19 fragments and pings", "01:f1 00:f2 89:p1 00:f3 00:f4 89:p2 80:f5",
     "f1f2 PING(p1) f3f4 PING(p2) f5"},
    {"5.20 a fragment at a time", "02:1 00:2 00:3 00:4 80:5 82:6", "123456"},
    {"5.21 empty fragments are a message", "02: 00: 80:", "EMPTY"},
    {"5.22 empty fragments around data", "02: 00:ab 80:", "ab"},
    {"5.23 empty end after data", "02:ab 80: 82:", "ab EMPTY"},
    {"5.24 empty start after an empty message", "82: 02: 80:x", "EMPTY x"},
    {"5.25 ping among empty fragments", "02: 89:p 80:", "PING(p) EMPTY"},
    {"5.26 unfinished empty message", "02: 00:", ""},
    /* 6: text is bytes here; a reason is not */
    {"6.1 text of several bytes", "81:#cebae1bdb9", "#cebae1bdb9"},
    {"6.2 text that is not UTF-8", "81:#cebae1bd", "#cebae1bd"},
    {"6.3 surrogates as text", "81:#eda080", "#eda080"},
    /* 7: close */
    {"7.1.1 data then close", "81:hello 88:#03e8", "hello CLOSE(1000,)"},
    {"7.1.2 two closes", "88:#03e8 88:#03e8", "CLOSE(1000,)"},
    {"7.1.3 ping after close", "88:#03e8 89:", "CLOSE(1000,)"},
    {"7.1.4 text after close", "88:#03e8 81:late", "CLOSE(1000,)"},
    {"7.1.5 garbage after close", "88: =ffffffff", "CLOSE(0,)"},
    {"7.3.1 no code", "88:", "CLOSE(0,)"},
    {"7.3.2 one byte", "88:#03", "ERROR(1002)"},
    {"7.3.3 code only", "88:#03e8", "CLOSE(1000,)"},
    {"7.3.4 code and reason", "88:#03e8486921", "CLOSE(1000,Hi!)"},
    {"7.3.6 payload 126", "88:*126", "ERROR(1002)"},
    {"7.3.7 fragmented close", "08:#03e8", "ERROR(1002)"},
    {"7.5.1 reason not UTF-8", "88:#03e8cebae1bdb9cf83cebcceb5eda080656469746564", "ERROR(1007)"},
    {"7.5.2 reason cut in a character", "88:#03e8ce", "ERROR(1007)"},
    {"7.5.3 reason with NUL", "88:#03e84100", "ERROR(1007)"},
    {"7.7.1 1000", "88:#03e8", "CLOSE(1000,)"},
    {"7.7.2 1001", "88:#03e9", "CLOSE(1001,)"},
    {"7.7.3 1002", "88:#03ea", "CLOSE(1002,)"},
    {"7.7.4 1003", "88:#03eb", "CLOSE(1003,)"},
    {"7.7.5 1007", "88:#03ef", "CLOSE(1007,)"},
    {"7.7.6 1008", "88:#03f0", "CLOSE(1008,)"},
    {"7.7.7 1009", "88:#03f1", "CLOSE(1009,)"},
    {"7.7.8 1010", "88:#03f2", "CLOSE(1010,)"},
    {"7.7.9 1011", "88:#03f3575320646973636f6e6e6563746564", "CLOSE(1011,WS disconnected)"},
    {"7.7.10 3000", "88:#0bb8", "CLOSE(3000,)"},
    {"7.7.11 3999", "88:#0f9f", "CLOSE(3999,)"},
    {"7.7.12 4000", "88:#0fa0", "CLOSE(4000,)"},
    {"7.7.13 4999", "88:#1387", "CLOSE(4999,)"},
    {"7.7.14 1012 to 1014 are registered", "88:#03f6", "CLOSE(1014,)"},
    {"7.9.1 0", "88:#0000", "ERROR(1002)"},
    {"7.9.2 999", "88:#03e7", "ERROR(1002)"},
    {"7.9.3 1004", "88:#03ec", "ERROR(1002)"},
    {"7.9.4 1005", "88:#03ed", "ERROR(1002)"},
    {"7.9.5 1006", "88:#03ee", "ERROR(1002)"},
    {"7.9.6 1015", "88:#03f7", "ERROR(1002)"},
    {"7.9.7 1016", "88:#03f8", "ERROR(1002)"},
    {"7.9.8 1100", "88:#044c", "ERROR(1002)"},
    {"7.9.9 2000", "88:#07d0", "ERROR(1002)"},
    {"7.9.10 2999", "88:#0bb7", "ERROR(1002)"},
    {"7.9.11 5000", "88:#1388", "ERROR(1002)"},
    {"7.9.12 65535", "88:#ffff", "ERROR(1002)"},
    /* 9: size and many small ones */
    {"9.1 512 KiB", "82:*524288", "*524288"},
    {"9.3 fragments of 64 KiB", "02:*65536 00:*65536 80:*65536", "*196608"},
    {"9.9 64 bytes at a time", "82:*64 82:*64 82:*64 82:*64 82:*64 82:*64 82:*64", "*448"},
    {"9.10 announced, not sent", "82:ab 82:1000000?", "ab"},
};

/* Lengths and masks, byte by byte. The role is in front: s reads masked frames, c unmasked. */
static const struct {
    const char *name;
    char role;
    const char *hex;
    const char *expected;
} raw_cases[] = {
    {"length 0 in 16 bits", 'c', "827e0000", "ERROR(1002)"},
    {"length 125 in 16 bits", 'c', "827e007d", "ERROR(1002)"},
    {"length 126 in 16 bits", 'c', "827e007e", ""},
    {"length 65535 in 64 bits", 'c', "827f000000000000ffff", "ERROR(1002)"},
    {"length 65536 in 64 bits", 'c', "827f0000000000010000", ""},
    {"length 2^31-1", 'c', "827f000000007fffffff6162", "ab"},
    {"length 2^31", 'c', "827f00000000800000006162", "ab"},
    {"length 2^32", 'c', "827f00000001000000006162", "ab"},
    {"length 2^63-1", 'c', "827f7fffffffffffffff6162", "ab"},
    {"length 2^63", 'c', "827f80000000000000006162", "ERROR(1002)"},
    {"length 2^64-1", 'c', "827fffffffffffffffff6162", "ERROR(1002)"},
    {"two fragments of 2^63-1 begun", 'c', "027f7fffffffffffffff6162", "ab"},
    {"masked length 2^63-1", 's', "82ff7fffffffffffffff000000006162", "ab"},
    {"masked length 2^64-1", 's', "82ffffffffffffffffff000000006162", "ERROR(1002)"},
    {"unmasked to a server", 's', "82026162", "ERROR(1002)"},
    {"unmasked ping to a server", 's', "8900", "ERROR(1002)"},
    {"unmasked after masked", 's', "8282000000006162820163", "ab ERROR(1002)"},
    {"masked to a client", 'c', "8282000000006162", "ERROR(1002)"},
    {"masked close to a client", 'c', "888200000000", "ERROR(1002)"},
    {"key 0", 's', "8282000000006162", "ab"},
    {"RFC 6455, 5.7: masked Hello", 's', "818537fa213d7f9f4d5158", "Hello"},
    {"RFC 6455, 5.7: Hello", 'c', "810548656c6c6f", "Hello"},
    {"RFC 6455, 5.7: fragmented", 'c', "010348656c80026c6f", "Hello"},
    {"RFC 6455, 5.7: masked pong", 's', "8a8537fa213d7f9f4d5158", "PONG(Hello)"},
    {"an error shows before its length", 's', "83fe", "ERROR(1002)"},
    {"an error shows after two bytes", 'c', "897e", "ERROR(1002)"},
    {"one byte says nothing", 'c', "f3", ""},
};

static void
check_bytes(const uint8_t *got, gsize got_len, const uint8_t *expected, gsize len)
{
    g_assert_cmpuint(got_len, ==, len);
    g_assert_true(len == 0 || memcmp(got, expected, len) == 0);
}

static const uint8_t test_key[WS_MASK_KEY_LEN] = {0x37, 0xfa, 0x21, 0x3d};

static void
append_hex(GByteArray *out, const char *hex)
{
    for (; g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); hex += 2) {
        uint8_t byte = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));

        g_byte_array_append(out, &byte, 1);
    }
}

static void
append_payload(GByteArray *out, const char *text)
{
    if (text[0] == '#') {
        append_hex(out, text + 1);
    } else if (text[0] == '*') {
        guint count = (guint)g_ascii_strtoull(text + 1, NULL, 10);
        guint start = out->len;

        g_byte_array_set_size(out, start + count);
        memset(out->data + start, 'x', count);
    } else {
        g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
    }
}

/* One frame with any first byte, by the RFC's picture; not by the code under test. */
static void
append_frame(GByteArray *out, uint8_t first, const uint8_t *payload, uint64_t len, guint sent,
             const uint8_t *key)
{
    uint8_t head[10] = {first, 0};
    guint size = len < 126 ? 2 : len < 65536 ? 4 : 10;

    head[1] = (uint8_t)(size == 2 ? len : size == 4 ? 126 : 127);
    for (guint i = 2; i < size; i++)
        head[i] = (uint8_t)(len >> (8 * (size - 1 - i)));
    if (key)
        head[1] |= 0x80;
    g_byte_array_append(out, head, size);
    if (key)
        g_byte_array_append(out, key, WS_MASK_KEY_LEN);
    for (guint i = 0; i < sent; i++) {
        uint8_t byte = (uint8_t)(payload[i] ^ (key ? key[i % WS_MASK_KEY_LEN] : 0));

        g_byte_array_append(out, &byte, 1);
    }
}

static GByteArray *
build_stream(const char *frames, const uint8_t *key)
{
    GByteArray *out = g_byte_array_new();
    g_auto(GStrv) parts = g_strsplit(frames, " ", -1);

    for (guint i = 0; parts[i]; i++) {
        g_autoptr(GByteArray) payload = g_byte_array_new();
        const char *text = parts[i] + 3;

        if (parts[i][0] == '=') {
            append_hex(out, parts[i] + 1);
            continue;
        }
        uint8_t first = (uint8_t)g_ascii_strtoull(parts[i], NULL, 16);
        if (g_str_has_suffix(text, "?")) {
            append_frame(out, first, NULL, g_ascii_strtoull(text, NULL, 10), 0, key);
            continue;
        }
        append_payload(payload, text);
        append_frame(out, first, payload->data, payload->len, payload->len, key);
    }
    return out;
}

/* Bytes as the tables write them: a run of 100 or more leading 'x' is `*N`. */
static void
show_bytes(GString *out, const uint8_t *bytes, gsize len)
{
    gsize run = 0;
    gboolean plain = TRUE;

    while (run < len && bytes[run] == 'x')
        run++;
    for (gsize i = run; i < len; i++)
        plain = plain && g_ascii_isprint(bytes[i]);
    if (run >= 100)
        g_string_append_printf(out, "*%" G_GSIZE_FORMAT, run);
    else
        run = 0;
    if (!plain)
        g_string_append_c(out, '#');
    for (gsize i = run; i < len; i++)
        g_string_append_printf(out, plain ? "%c" : "%02x", bytes[i]);
}

typedef struct {
    WsDecoder decoder;
    GByteArray *data; /* since the last event */
    GString *trace;
    gboolean ended;
} Reader;

static void
reader_init(Reader *reader, WsRole role, uint64_t max_message)
{
    ws_decoder_init(&reader->decoder, role, max_message);
    reader->data = g_byte_array_new();
    reader->trace = g_string_new(NULL);
    reader->ended = FALSE;
}

static void
reader_item(Reader *reader)
{
    if (reader->trace->len > 0)
        g_string_append_c(reader->trace, ' ');
}

static void
reader_flush(Reader *reader)
{
    if (reader->data->len == 0)
        return;
    reader_item(reader);
    show_bytes(reader->trace, reader->data->data, reader->data->len);
    g_byte_array_set_size(reader->data, 0);
}

static void
reader_event(Reader *reader, const WsEvent *event)
{
    static const char *const names[] = {NULL, "PING(", "PONG(", "CLOSE(", "EMPTY", "ERROR("};

    reader->ended = event->type == WS_EVENT_CLOSE || event->type == WS_EVENT_ERROR;
    reader_flush(reader);
    reader_item(reader);
    g_string_append(reader->trace, names[event->type]);
    if (event->type == WS_EVENT_EMPTY)
        return;
    if (reader->ended)
        g_string_append_printf(reader->trace, "%u", event->code);
    if (event->type == WS_EVENT_CLOSE)
        g_string_append_c(reader->trace, ',');
    if (event->type == WS_EVENT_ERROR)
        g_assert_nonnull(event->text);
    else
        show_bytes(reader->trace, event->payload, event->payload_len);
    g_string_append_c(reader->trace, ')');
}

static void
reader_feed(Reader *reader, const uint8_t *bytes, gsize len)
{
    g_autofree uint8_t *copy = g_memdup2(bytes, len); /* exact, for ASan */
    gsize at = 0;

    while (at < len && !reader->ended) {
        WsEvent event;
        gsize consumed;

        ws_decoder_run(&reader->decoder, copy + at, len - at, &consumed, &event);
        g_assert_cmpuint(event.data_len, <=, consumed);
        g_assert_cmpuint(consumed, <=, len - at);
        g_byte_array_append(reader->data, copy + at, (guint)event.data_len);
        if (event.type == WS_EVENT_NONE)
            g_assert_cmpuint(consumed, ==, len - at);
        else
            reader_event(reader, &event);
        at += consumed;
    }
}

static char *
reader_finish(Reader *reader)
{
    reader_flush(reader);
    g_byte_array_unref(reader->data);
    return g_string_free(reader->trace, FALSE);
}

/* Decodes in two runs cut at `split`, or `step` bytes at a time when it is not 0. */
static char *
decode(const GByteArray *stream, WsRole role, uint64_t max_message, gsize split, gsize step)
{
    Reader reader;

    reader_init(&reader, role, max_message);
    if (step > 0) {
        for (gsize at = 0; at < stream->len; at += step)
            reader_feed(&reader, stream->data + at, MIN(step, stream->len - at));
        return reader_finish(&reader);
    }
    reader_feed(&reader, stream->data, split);
    reader_feed(&reader, stream->data + split, stream->len - split);
    return reader_finish(&reader);
}

static void
check_stream(const char *name, const GByteArray *stream, WsRole role, uint64_t max_message,
             const char *expected)
{
    /* Of long streams the ends and a few places between are enough. */
    gsize stride = stream->len > 1000 ? stream->len / 7 : 1;

    for (gsize split = 0; split <= stream->len;
         split +=
         split < 40 || stream->len - split <= 40 ? 1 : MIN(stride, stream->len - split - 40)) {
        g_autofree char *got = decode(stream, role, max_message, split, 0);

        if (g_strcmp0(got, expected) != 0)
            g_error("%s, cut at %" G_GSIZE_FORMAT ": got '%s', not '%s'", name, split, got,
                    expected);
    }
    for (gsize step = 1; step < 8; step++) {
        g_autofree char *got = decode(stream, role, max_message, 0, step);

        if (g_strcmp0(got, expected) != 0)
            g_error("%s, %" G_GSIZE_FORMAT " at a time: got '%s', not '%s'", name, step, got,
                    expected);
    }
}

static void
test_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) masked = build_stream(cases[i].frames, test_key);
        g_autoptr(GByteArray) plain = build_stream(cases[i].frames, NULL);

        check_stream(cases[i].name, masked, WS_ROLE_SERVER, 0, cases[i].expected);
        check_stream(cases[i].name, plain, WS_ROLE_CLIENT, 0, cases[i].expected);
    }
}

static void
test_raw_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(raw_cases); i++) {
        g_autoptr(GByteArray) stream = g_byte_array_new();

        append_hex(stream, raw_cases[i].hex);
        check_stream(raw_cases[i].name, stream,
                     raw_cases[i].role == 's' ? WS_ROLE_SERVER : WS_ROLE_CLIENT, 0,
                     raw_cases[i].expected);
    }
}

static void
test_max_message(void)
{
    static const Case rows[] = {
        {"exactly", "82:*1000 82:*1000", "*2000"},
        {"one more", "82:ok 82:*1001", "ok ERROR(1009)"},
        {"as announced", "82:1001?", "ERROR(1009)"},
        {"in fragments", "02:*400 00:*600 80:", "*1000"},
        {"in fragments, one more", "02:*400 00:*600 80:x", "*1000 ERROR(1009)"},
        {"pings do not count", "02:*900 89:*125 80:*100", "*900 PING(*125) *100"},
        {"counts anew", "02:*900 80:*100 02:*900 80:*100", "*2000"},
        {"huge", "82:9223372036854775807?", "ERROR(1009)"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) stream = build_stream(rows[i].frames, test_key);

        check_stream(rows[i].name, stream, WS_ROLE_SERVER, 1000, rows[i].expected);
    }
}

/* Many fragments whose announced sizes do not fit 64 bits: the sum must not wrap to "empty". */
static void
test_message_sum_does_not_wrap(void)
{
    WsDecoder decoder;
    WsEvent event;
    gsize consumed;

    ws_decoder_init(&decoder, WS_ROLE_CLIENT, 0);
    decoder.message_len = UINT64_MAX - 1;
    decoder.in_message = TRUE;
    uint8_t last[] = {0x80, 0x02, 'a', 'b'};
    ws_decoder_run(&decoder, last, sizeof(last), &consumed, &event);
    g_assert_cmpint(event.type, ==, WS_EVENT_NONE);
    g_assert_cmpuint(event.data_len, ==, 2);
    g_assert_true(ws_decoder_is_idle(&decoder));
}

static void
test_end_is_final(void)
{
    g_autoptr(GByteArray) close = build_stream("82:ab 88:#03e86279 82:cd", NULL);
    g_autoptr(GByteArray) bad = build_stream("82:ab 83: 82:cd", NULL);
    const GByteArray *streams[] = {close, bad};
    const WsEventType types[] = {WS_EVENT_CLOSE, WS_EVENT_ERROR};

    for (guint i = 0; i < 2; i++) {
        WsDecoder decoder;
        WsEvent event;
        gsize consumed;

        ws_decoder_init(&decoder, WS_ROLE_CLIENT, 0);
        ws_decoder_run(&decoder, streams[i]->data, streams[i]->len, &consumed, &event);
        g_assert_cmpint(event.type, ==, types[i]);
        g_assert_cmpuint(event.data_len, ==, 2);
        for (guint again = 0; again < 2; again++) {
            uint16_t code = event.code;

            ws_decoder_run(&decoder, streams[i]->data + consumed, 4, &consumed, &event);
            g_assert_cmpint(event.type, ==, types[i]);
            g_assert_cmpuint(event.code, ==, code);
            g_assert_cmpuint(event.data_len, ==, 0);
            g_assert_cmpuint(consumed, ==, 0);
        }
        g_assert_false(ws_decoder_is_idle(&decoder));
    }
}

static void
test_idle(void)
{
    static const struct {
        const char *hex;
        gboolean idle;
    } rows[] = {
        {"", TRUE},         {"82", FALSE},           {"8202", FALSE},     {"820261", FALSE},
        {"82026162", TRUE}, {"0201610000", FALSE},   {"02016180", FALSE}, {"0201618000", TRUE},
        {"8900", TRUE},     {"020161890161", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) stream = g_byte_array_new();
        Reader reader;

        append_hex(stream, rows[i].hex);
        reader_init(&reader, WS_ROLE_CLIENT, 0);
        reader_feed(&reader, stream->data, stream->len);
        g_assert_cmpint(ws_decoder_is_idle(&reader.decoder), ==, rows[i].idle);
        g_free(reader_finish(&reader));
    }
}

/* Random frames against the bytes they were made of. */
static void
test_random_against_model(void)
{
    for (guint round = 0; round < 300; round++) {
        g_autoptr(GByteArray) stream = g_byte_array_new();
        g_autoptr(GByteArray) model = g_byte_array_new();
        gboolean masked = g_test_rand_bit();
        gboolean inside = FALSE;
        Reader reader;

        for (gint frame = g_test_rand_int_range(1, 60); frame > 0; frame--) {
            guint len = (guint)g_test_rand_int_range(1, g_test_rand_bit() ? 80 : 3000);
            g_autofree uint8_t *payload = g_malloc(len);
            uint32_t key = (uint32_t)g_test_rand_int();
            gboolean fin = g_test_rand_bit();

            for (guint i = 0; i < len; i++)
                payload[i] = (uint8_t)g_test_rand_int();
            append_frame(stream, (uint8_t)((fin ? 0x80 : 0) | (inside ? 0 : 2)), payload, len, len,
                         masked ? (const uint8_t *)&key : NULL);
            g_byte_array_append(model, payload, len);
            inside = !fin;
        }
        reader_init(&reader, masked ? WS_ROLE_SERVER : WS_ROLE_CLIENT, 0);
        for (gsize at = 0; at < stream->len;) {
            gsize n = (gsize)g_test_rand_int_range(1, 4000);

            n = MIN(n, stream->len - at);
            reader_feed(&reader, stream->data + at, n);
            at += n;
        }
        check_bytes(reader.data->data, reader.data->len, model->data, model->len);
        g_free(reader_finish(&reader));
    }
}

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

static void
test_write_headers(void)
{
    static const struct {
        uint64_t len;
        gsize plain;
        const char *hex;
    } rows[] = {
        {0, 2, "8200"},
        {125, 2, "827d"},
        {126, 4, "827e007e"},
        {65528, 4, "827efff8"},
        {65532, 4, "827efffc"},
        {65535, 4, "827effff"},
        {65536, 10, "827f0000000000010000"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) expected = g_byte_array_new();
        uint8_t room[WS_MAX_HEADER * 2] = {0};

        append_hex(expected, rows[i].hex);
        g_assert_cmpuint(ws_header_size(rows[i].len, FALSE), ==, rows[i].plain);
        g_assert_cmpuint(ws_header_write(room, WS_OP_BINARY, rows[i].len, NULL), ==, rows[i].plain);
        check_bytes(room, rows[i].plain, expected->data, expected->len);
        gsize size = ws_header_prepend(room + 20, WS_OP_BINARY, rows[i].len, test_key);
        g_assert_cmpuint(size, ==, rows[i].plain + WS_MASK_KEY_LEN);
        expected->data[1] |= 0x80;
        check_bytes(room + 20 - size, rows[i].plain, expected->data, expected->len);
        check_bytes(room + 16, WS_MASK_KEY_LEN, test_key, WS_MASK_KEY_LEN);
    }
    g_assert_cmpuint((WS_FULL_MASKED + ws_header_size(WS_FULL_MASKED, TRUE)) % 16384, ==, 0);
    g_assert_cmpuint((WS_FULL_UNMASKED + ws_header_size(WS_FULL_UNMASKED, FALSE)) % 16384, ==, 0);
}

static void
check_control(const uint8_t *frame, gsize size, gboolean masked, const char *expected)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();

    g_assert_cmpuint(size, <=, WS_MAX_CONTROL_FRAME);
    g_byte_array_append(stream, frame, (guint)size);
    check_stream(expected, stream, masked ? WS_ROLE_SERVER : WS_ROLE_CLIENT, 0, expected);
}

static void
test_write_controls(void)
{
    uint8_t out[WS_MAX_CONTROL_FRAME];
    char full[WS_MAX_CONTROL];
    g_autofree char *text = g_strnfill(200, 'x');

    memset(full, 'x', sizeof(full));
    for (guint masked = 0; masked < 2; masked++) {
        const uint8_t *key = masked ? test_key : NULL;

        check_control(out, ws_control_write(out, WS_OP_PING, "abc", 3, key), masked != 0,
                      "PING(abc)");
        check_control(out, ws_control_write(out, WS_OP_PONG, NULL, 0, key), masked != 0, "PONG()");
        check_control(out, ws_control_write(out, WS_OP_PING, full, sizeof(full), key), masked != 0,
                      "PING(*125)");
        check_control(out, ws_close_write(out, WS_CLOSE_NONE, "unused", key), masked != 0,
                      "CLOSE(0,)");
        check_control(out, ws_close_write(out, WS_CLOSE_ERROR, "WS disconnected", key), masked != 0,
                      "CLOSE(1011,WS disconnected)");
        check_control(out, ws_close_write(out, WS_CLOSE_NORMAL, NULL, key), masked != 0,
                      "CLOSE(1000,)");
    }
    g_assert_cmpuint(ws_close_write(out, WS_CLOSE_NORMAL, text, NULL), ==, 2 + WS_MAX_CONTROL);
    /* A character that would be cut is left out. */
    text[122] = '\xc3';
    text[123] = '\xa9';
    g_assert_cmpuint(ws_close_write(out, WS_CLOSE_NORMAL, text, NULL), ==, 2 + 2 + 122);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ws/decoder/table", test_table);
    g_test_add_func("/ws/decoder/raw", test_raw_table);
    g_test_add_func("/ws/decoder/max-message", test_max_message);
    g_test_add_func("/ws/decoder/sum", test_message_sum_does_not_wrap);
    g_test_add_func("/ws/decoder/end-is-final", test_end_is_final);
    g_test_add_func("/ws/decoder/idle", test_idle);
    g_test_add_func("/ws/decoder/random", test_random_against_model);
    g_test_add_func("/ws/mask/naive", test_mask_against_naive);
    g_test_add_func("/ws/mask/phase", test_mask_phase_and_key_zero);
    g_test_add_func("/ws/mask/pool", test_mask_pool_is_distinct);
    g_test_add_func("/ws/write/headers", test_write_headers);
    g_test_add_func("/ws/write/controls", test_write_controls);
    return g_test_run();
}
