/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both sides of a WebSocket's handshake: the same bytes as a request and as a response. */
#include "common/codec/ws-handshake.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NONCE ((const guint8 *)"the sample nonce")

/* What is accepted gets an answer that is HTTP, with none of the client's line ends in it. */
static void
check_answer(const WsUpgrade *upgrade)
{
    g_autoptr(GString) answer = g_string_new(NULL);
    Slice protocol = {NULL, 0};
    HttpResponse response;
    HttpRefusal refusal;

    (void)ws_protocol_choose(upgrade->protocols, NULL, &protocol);
    (void)ws_protocol_choose(upgrade->protocols, "mqtt", &protocol);
    ws_upgrade_accept(answer, upgrade, protocol);
    g_assert_cmpint(http_response_parse(answer->str, answer->len, &response, &refusal), ==,
                    HTTP_HEAD_OK);
    g_assert_cmpuint(response.head_len, ==, answer->len);
    g_assert_cmpuint(response.headers.count, ==, protocol.len > 0 ? 4 : 3);
}

static void
run_server(const char *buf, gsize len)
{
    HttpRequest request;
    HttpRefusal refusal = {0};
    WsUpgrade upgrade;

    if (http_request_parse(buf, len, &request, &refusal) != HTTP_HEAD_OK)
        return;
    refusal.status = 0;
    if (ws_upgrade_validate(&request, &upgrade, &refusal))
        check_answer(&upgrade);
    else
        g_assert_cmpuint(refusal.status, >=, 400);
}

static void
run_client(const char *buf, gsize len)
{
    HttpResponse response;
    HttpRefusal refusal;
    const char *text = NULL;

    if (http_response_parse(buf, len, &response, &refusal) != HTTP_HEAD_OK)
        return;
    if (ws_response_verify(&response, NONCE, "mqtt", &text) == WS_RESPONSE_OK)
        g_assert_null(http_headers_find(&response.headers, "Sec-WebSocket-Extensions"));
    else
        g_assert_nonnull(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_server((const char *)data, size);
    run_client((const char *)data, size);
    return 0;
}
