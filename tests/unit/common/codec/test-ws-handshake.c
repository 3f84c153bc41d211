/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/ws-handshake.h"

#include "common/codec/http-build.h"

/* RFC 6455 section 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define NONCE ((const guint8 *)"the sample nonce")

#define GOOD                                                                                       \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: " KEY "\r\n"

typedef struct {
    const char *first_line;
    const char *fields;
    guint status; /* of the refusal; 0: accepted */
} Row;

static const Row request_rows[] = {
    {"GET / HTTP/1.1", GOOD, 0},
    {"GET / HTTP/1.1", GOOD "Origin: https://x\r\n", 0},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol: MQTT\r\n", 0},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol: a, b\r\n", 0},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n", 0},
    {"GET / HTTP/1.1", GOOD "Content-Length: 0\r\n", 0},
    {"POST / HTTP/1.1", GOOD, 405},
    {"get / HTTP/1.1", GOOD, 405},
    {"GET / HTTP/1.0", GOOD, 400},
    {"GET / HTTP/1.1", GOOD "Content-Length: 1\r\n", 400},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol:\r\n", 400},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol: ,\r\n", 400},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol: a b\r\n", 400},
    {"GET / HTTP/1.1", GOOD "Sec-WebSocket-Protocol: a, \"b\"\r\n", 400},
    {"GET / HTTP/1.1",
     "Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n",
     0},
    {"GET / HTTP/1.1",
     "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: " KEY "\r\n",
     400},
    {"GET / HTTP/1.1",
     "Upgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: " KEY "\r\n",
     400},
    {"GET / HTTP/1.1",
     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n", 400},
    {"GET / HTTP/1.1",
     "Upgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Version: 13\r\n"
     "Sec-WebSocket-Key: " KEY "\r\n",
     400},
    {"GET / HTTP/1.1",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n", 400},
    {"GET / HTTP/1.1",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
     "Sec-WebSocket-Key: " KEY "\r\n",
     426},
    {"GET / HTTP/1.1",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13, 8\r\n"
     "Sec-WebSocket-Key: " KEY "\r\n",
     426},
    {"GET / HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
     400},
};

static const char *const bad_keys[] = {
    "",
    "dGhlIHNhbXBsZSBub25jZQ",
    "dGhlIHNhbXBsZSBub25jZQ=",
    "dGhlIHNhbXBsZSBub25jZR==",
    "dGhlIHNhbXBsZSBub25j",
    "dGhlIHNhbXBsZSBub25jZTE=",
    "dGhlIHNhbXBsZSBub25jZTEy",
    "dGhlIHNhbXBs_SBub25jZQ==",
    "dGhlIHNhbXBsZSBub25jZQ== x",
};

/* The status of the refusal, or 0. */
static guint
validate(const char *first_line, const char *fields, HttpRequest *ret_request, WsUpgrade *ret)
{
    char *text = g_strconcat(first_line, "\r\nHost: h\r\n", fields, "\r\n", NULL);
    HttpRefusal refusal = {0};

    g_test_queue_free(text);
    g_test_message("%s / %s", first_line, fields);
    g_assert_cmpint(http_request_parse(text, strlen(text), ret_request, &refusal), ==,
                    HTTP_HEAD_OK);
    g_assert_cmpint(ws_upgrade_validate(ret_request, ret, &refusal), ==, refusal.status == 0);
    return refusal.status;
}

static void
test_requests(void)
{
    HttpRequest request;
    WsUpgrade upgrade;

    for (guint i = 0; i < G_N_ELEMENTS(request_rows); i++)
        g_assert_cmpuint(
            validate(request_rows[i].first_line, request_rows[i].fields, &request, &upgrade), ==,
            request_rows[i].status);
    for (guint i = 0; i < G_N_ELEMENTS(bad_keys); i++) {
        g_autofree char *fields =
            g_strconcat("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: ",
                        bad_keys[i], "\r\n", NULL);
        g_assert_cmpuint(validate("GET / HTTP/1.1", fields, &request, &upgrade), ==, 400);
    }
}

static void
test_what_a_request_gives(void)
{
    HttpRequest request;
    WsUpgrade upgrade;

    (void)validate("GET / HTTP/1.1", GOOD, &request, &upgrade);
    g_assert_true(ws_upgrade_is_asked(&request));
    g_assert_true(slice_equal(upgrade.key, KEY));
    g_assert_cmpuint(upgrade.protocols.len, ==, 0);
    (void)validate("GET / HTTP/1.1", GOOD "Origin: null\r\nSec-WebSocket-Protocol: x, MQTT\r\n",
                   &request, &upgrade);
    g_assert_true(slice_equal(upgrade.protocols, "x, MQTT"));
    (void)validate("GET / HTTP/1.1", "Connection: Upgrade\r\n", &request, &upgrade);
    g_assert_false(ws_upgrade_is_asked(&request));
}

static void
test_accept(void)
{
    char accept[WS_ACCEPT_SIZE];

    ws_accept_compute(slice_of(KEY), accept);
    g_assert_cmpstr(accept, ==, ACCEPT);
}

static void
test_protocol_choice(void)
{
    Slice chosen = {NULL, 7};

    g_assert_true(ws_protocol_choose(slice_of("x, MQTT"), "mqtt", &chosen));
    g_assert_true(slice_equal(chosen, "MQTT"));
    g_assert_true(ws_protocol_choose(slice_of("mqtt"), "MQTT", &chosen));
    g_assert_true(slice_equal(chosen, "mqtt"));
    g_assert_true(ws_protocol_choose(slice_of("one,two"), NULL, &chosen));
    g_assert_true(slice_equal(chosen, "one"));
    g_assert_false(ws_protocol_choose(slice_of("mqttv5, xmqtt"), "mqtt", &chosen));
    g_assert_false(ws_protocol_choose((Slice){NULL, 0}, NULL, &chosen));
    g_assert_true(slice_equal(chosen, "one"));
}

/* What the server writes satisfies what the client checks. */
static void
test_both_sides_meet(void)
{
    WsClientRequest wanted = {"hub.example:8443", "/bridges/x?y", "MQTT", "to-ken_"};
    g_autoptr(GString) sent = g_string_new(NULL);
    g_autoptr(GString) answer = g_string_new(NULL);
    HttpRequest request;
    HttpResponse response;
    HttpRefusal refusal;
    WsUpgrade upgrade;
    Slice value;
    const char *fault = NULL;

    g_assert_true(ws_request_build(sent, &wanted, NONCE));
    g_assert_cmpint(http_request_parse(sent->str, sent->len, &request, &refusal), ==, HTTP_HEAD_OK);
    g_assert_true(ws_upgrade_validate(&request, &upgrade, &refusal));
    g_assert_true(slice_equal(upgrade.key, KEY));
    g_assert_true(slice_equal(request.host, "hub.example:8443"));
    g_assert_true(slice_equal(request.target, "/bridges/x?y"));
    g_assert_true(http_headers_get(&request.headers, "Authorization", &value));
    g_assert_true(slice_equal(value, "Bearer to-ken_"));
    ws_upgrade_accept(answer, &upgrade, upgrade.protocols);
    g_assert_cmpint(http_response_parse(answer->str, answer->len, &response, &refusal), ==,
                    HTTP_HEAD_OK);
    g_assert_cmpint(ws_response_verify(&response, NONCE, "MQTT", &fault), ==, WS_RESPONSE_OK);
    g_assert_null(fault);
}

static void
test_the_least_request(void)
{
    WsClientRequest wanted = {"h", "/", NULL, NULL};
    g_autoptr(GString) sent = g_string_new(NULL);

    g_assert_true(ws_request_build(sent, &wanted, NONCE));
    g_assert_cmpstr(sent->str, ==,
                    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

static void
test_injection_is_refused(void)
{
    static const WsClientRequest rows[] = {
        {"h\r\nX: y", "/", NULL, NULL}, {"h", "/ HTTP/1.1\r\nX: y", NULL, NULL},
        {"h", "", NULL, NULL},          {"h", "/", "a\r\nb", NULL},
        {"h", "/", NULL, "a\r\nb"},
    };
    g_autoptr(GString) out = g_string_new("kept");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_false(ws_request_build(out, &rows[i], NONCE));
    g_assert_cmpstr(out->str, ==, "kept");
}

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define FIELDS "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ANSWER SWITCH FIELDS "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static const struct {
    const char *text;
    const char *protocol;
    WsResponseResult result;
} response_rows[] = {
    {ANSWER, NULL, WS_RESPONSE_OK},
    {ANSWER, "mqtt", WS_RESPONSE_OK},
    {ANSWER "Sec-WebSocket-Protocol: mqtt\r\n", "mqtt", WS_RESPONSE_OK},
    {ANSWER "Sec-WebSocket-Protocol: MQTT\r\n", "mqtt", WS_RESPONSE_OK},
    {ANSWER "Content-Length: 0\r\n", NULL, WS_RESPONSE_OK},
    {SWITCH "upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n"
            "sec-websocket-accept: " ACCEPT "\r\n",
     NULL, WS_RESPONSE_OK},
    {ANSWER "Sec-WebSocket-Protocol: mqtt\r\n", NULL, WS_RESPONSE_BROKEN},
    {ANSWER "Sec-WebSocket-Protocol: other\r\n", "mqtt", WS_RESPONSE_BROKEN},
    {ANSWER "Sec-WebSocket-Protocol: mqtt, other\r\n", "mqtt", WS_RESPONSE_BROKEN},
    {ANSWER "Sec-WebSocket-Protocol:\r\n", "mqtt", WS_RESPONSE_BROKEN},
    {ANSWER "Sec-WebSocket-Extensions: permessage-deflate\r\n", NULL, WS_RESPONSE_BROKEN},
    {ANSWER "Content-Length: 1\r\n", NULL, WS_RESPONSE_BROKEN},
    {ANSWER "Transfer-Encoding: chunked\r\n", NULL, WS_RESPONSE_BROKEN},
    {SWITCH FIELDS, NULL, WS_RESPONSE_BROKEN},
    {SWITCH FIELDS "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", NULL,
     WS_RESPONSE_BROKEN},
    {SWITCH FIELDS "Sec-WebSocket-Accept: " ACCEPT "=\r\n", NULL, WS_RESPONSE_BROKEN},
    {SWITCH "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", NULL,
     WS_RESPONSE_BROKEN},
    {SWITCH "Upgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", NULL, WS_RESPONSE_BROKEN},
    {SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n", NULL,
     WS_RESPONSE_BROKEN},
    {"HTTP/1.0 101 x\r\n" FIELDS "Sec-WebSocket-Accept: " ACCEPT "\r\n", NULL, WS_RESPONSE_BROKEN},
    {"HTTP/1.1 401 Unauthorized\r\n" FIELDS "Sec-WebSocket-Accept: " ACCEPT "\r\n", NULL,
     WS_RESPONSE_DENIED},
    {"HTTP/1.1 200 OK\r\n", NULL, WS_RESPONSE_DENIED},
    {"HTTP/1.1 503 x\r\nRetry-After: 5\r\n", NULL, WS_RESPONSE_DENIED},
};

static void
test_responses(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(response_rows); i++) {
        g_autofree char *text = g_strconcat(response_rows[i].text, "\r\n", NULL);
        HttpResponse response;
        HttpRefusal refusal;
        const char *fault = NULL;

        g_test_message("%s", text);
        g_assert_cmpint(http_response_parse(text, strlen(text), &response, &refusal), ==,
                        HTTP_HEAD_OK);
        g_assert_cmpint(ws_response_verify(&response, NONCE, response_rows[i].protocol, &fault), ==,
                        response_rows[i].result);
        g_assert_cmpint(fault == NULL, ==, response_rows[i].result == WS_RESPONSE_OK);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ws-handshake/requests", test_requests);
    g_test_add_func("/ws-handshake/request", test_what_a_request_gives);
    g_test_add_func("/ws-handshake/accept", test_accept);
    g_test_add_func("/ws-handshake/protocol", test_protocol_choice);
    g_test_add_func("/ws-handshake/both-sides", test_both_sides_meet);
    g_test_add_func("/ws-handshake/least", test_the_least_request);
    g_test_add_func("/ws-handshake/injection", test_injection_is_refused);
    g_test_add_func("/ws-handshake/responses", test_responses);
    return g_test_run();
}
