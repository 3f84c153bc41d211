/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket frames: the table of ws-frame-cases.h at every cut, random streams, the writers. */
#include "common/codec/ws-frame.h"

#include "tests/unit/common/codec/ws-frame-cases.h"

#include <string.h>

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

/* For `max_message`: no limit, and text messages are events. */
#define SPLIT_TEXT UINT64_MAX

static void
reader_init(Reader *reader, WsRole role, uint64_t max_message)
{
    ws_decoder_init(&reader->decoder, role, max_message == SPLIT_TEXT ? 0 : max_message);
    if (max_message == SPLIT_TEXT)
        ws_decoder_split_text(&reader->decoder);
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
    static const char *const names[] = {NULL,    "PING(", "PONG(", "CLOSE(",
                                        "TEXT(", "EMPTY", "ERROR("};

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
test_split_text(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(split_cases); i++) {
        g_autoptr(GByteArray) masked = build_stream(split_cases[i].frames, test_key);
        g_autoptr(GByteArray) plain = build_stream(split_cases[i].frames, NULL);

        check_stream(split_cases[i].name, masked, WS_ROLE_SERVER, SPLIT_TEXT,
                     split_cases[i].expected);
        check_stream(split_cases[i].name, plain, WS_ROLE_CLIENT, SPLIT_TEXT,
                     split_cases[i].expected);
    }
}

/* Turned on in the middle of a connection, between two messages. */
static void
test_split_text_later(void)
{
    g_autoptr(GByteArray) stream = build_stream("81:ab 81:cd", NULL);
    Reader reader;

    reader_init(&reader, WS_ROLE_CLIENT, 0);
    reader_feed(&reader, stream->data, 4);
    ws_decoder_split_text(&reader.decoder);
    reader_feed(&reader, stream->data + 4, 4);
    g_autofree char *got = reader_finish(&reader);
    g_assert_cmpstr(got, ==, "ab TEXT(cd)");
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
    g_test_add_func("/ws/decoder/split-text", test_split_text);
    g_test_add_func("/ws/decoder/split-text-later", test_split_text_later);
    g_test_add_func("/ws/decoder/raw", test_raw_table);
    g_test_add_func("/ws/decoder/max-message", test_max_message);
    g_test_add_func("/ws/decoder/sum", test_message_sum_does_not_wrap);
    g_test_add_func("/ws/decoder/end-is-final", test_end_is_final);
    g_test_add_func("/ws/decoder/idle", test_idle);
    g_test_add_func("/ws/decoder/random", test_random_against_model);
    g_test_add_func("/ws/write/headers", test_write_headers);
    g_test_add_func("/ws/write/controls", test_write_controls);
    return g_test_run();
}
