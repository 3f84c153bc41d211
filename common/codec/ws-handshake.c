/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/ws-handshake.h"

#include "common/codec/base64.h"
#include "common/codec/http-build.h"

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_SIZE 20

void
ws_accept_compute(Slice key, char ret[static WS_ACCEPT_SIZE])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_autofree char *text = NULL;
    guint8 digest[SHA1_SIZE];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guint8 *)key.ptr, (gssize)key.len);
    g_checksum_update(sum, (const guint8 *)WS_GUID, strlen(WS_GUID));
    g_checksum_get_digest(sum, digest, &len);
    text = g_base64_encode(digest, len);
    g_strlcpy(ret, text, WS_ACCEPT_SIZE);
}

gboolean
ws_upgrade_is_asked(const HttpRequest *request)
{
    return http_headers_find(&request->headers, "Upgrade") != NULL;
}

static gboolean
header_is(const HttpHeaders *headers, const char *name, const char *value)
{
    const HttpHeader *header = http_headers_find(headers, name);

    return header && slice_equal_nocase(header->value, value);
}

static gboolean
version_is_13(const HttpHeaders *headers, HttpRefusal *ret_refusal)
{
    Slice version;

    if (!http_headers_get(headers, "Sec-WebSocket-Version", &version))
        return http_refuse(ret_refusal, 400, "there is no Sec-WebSocket-Version");
    if (!slice_equal(version, "13"))
        return http_refuse(ret_refusal, 426, "only version 13 of WebSocket is spoken here");
    return TRUE;
}

static gboolean
key_is_valid(Slice key)
{
    guint8 nonce[WS_NONCE_SIZE];
    gsize len = 0;

    return key.len == WS_KEY_SIZE - 1 &&
           base64_decode(key.ptr, key.len, nonce, sizeof(nonce), &len) && len == sizeof(nonce);
}

/* Whether the list has at least one token and nothing else. */
static gboolean
protocols_are_valid(Slice list)
{
    Slice token = {NULL, 0};

    while (http_list_next(&list, &token))
        ;
    return list.len == 0 && token.len > 0;
}

/* Checks the request, without the fields of RFC 6455. */
static gboolean
request_fits(const HttpRequest *request, HttpRefusal *ret_refusal)
{
    if (!slice_equal(request->method, "GET"))
        return http_refuse(ret_refusal, 405, "an upgrade is asked for with GET");
    if (request->minor_version != 1 || request->content_length > 0 || request->chunked)
        return http_refuse(ret_refusal, 400, "an upgrade needs HTTP/1.1 and no body");
    if (!header_is(&request->headers, "Upgrade", "websocket"))
        return http_refuse(ret_refusal, 400, "an upgrade to something other than websocket");
    if (!http_headers_have_token(&request->headers, "Connection", "Upgrade"))
        return http_refuse(ret_refusal, 400, "the Connection header does not name Upgrade");
    return version_is_13(&request->headers, ret_refusal);
}

gboolean
ws_upgrade_validate(const HttpRequest *request, WsUpgrade *ret, HttpRefusal *ret_refusal)
{
    WsUpgrade upgrade = {0};

    if (!request_fits(request, ret_refusal))
        return FALSE;
    if (!http_headers_get(&request->headers, "Sec-WebSocket-Key", &upgrade.key) ||
        !key_is_valid(upgrade.key))
        return http_refuse(ret_refusal, 400, "the Sec-WebSocket-Key is not 16 bytes in base64");
    if (http_headers_get(&request->headers, "Sec-WebSocket-Protocol", &upgrade.protocols) &&
        !protocols_are_valid(upgrade.protocols))
        return http_refuse(ret_refusal, 400, "the Sec-WebSocket-Protocol is malformed");
    *ret = upgrade;
    return TRUE;
}

gboolean
ws_protocol_choose(Slice offered, const char *wanted, Slice *ret)
{
    Slice token;

    while (http_list_next(&offered, &token)) {
        if (wanted && !slice_equal_nocase(token, wanted))
            continue;
        *ret = token;
        return TRUE;
    }
    return FALSE;
}

void
ws_upgrade_accept(GString *out, const WsUpgrade *upgrade, Slice protocol)
{
    char accept[WS_ACCEPT_SIZE];

    ws_accept_compute(upgrade->key, accept);
    http_status_line(out, 101);
    g_string_append_printf(
        out, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
    if (protocol.len > 0)
        g_string_append_printf(out, "Sec-WebSocket-Protocol: %.*s\r\n", (int)protocol.len,
                               protocol.ptr);
    http_head_end(out);
}

static gboolean
optional_append(GString *out, const char *name, const char *value)
{
    return !value || http_header_append(out, name, value);
}

static gboolean
bearer_append(GString *out, const char *token)
{
    g_autofree char *value = token ? g_strconcat("Bearer ", token, NULL) : NULL;

    return optional_append(out, "Authorization", value);
}

gboolean
ws_request_build(GString *out, const WsClientRequest *request,
                 const guint8 nonce[static WS_NONCE_SIZE])
{
    g_autofree char *key = g_base64_encode(nonce, WS_NONCE_SIZE);
    gsize start = out->len;

    if (http_request_line(out, "GET", request->target) &&
        http_header_append(out, "Host", request->host) &&
        http_header_append(out, "Upgrade", "websocket") &&
        http_header_append(out, "Connection", "Upgrade") &&
        http_header_append(out, "Sec-WebSocket-Key", key) &&
        http_header_append(out, "Sec-WebSocket-Version", "13") &&
        optional_append(out, "Sec-WebSocket-Protocol", request->protocol) &&
        bearer_append(out, request->bearer)) {
        http_head_end(out);
        return TRUE;
    }
    g_string_truncate(out, start);
    return FALSE;
}

static gboolean
accept_is_ours(const HttpHeaders *headers, const guint8 nonce[static WS_NONCE_SIZE])
{
    g_autofree char *key = g_base64_encode(nonce, WS_NONCE_SIZE);
    char accept[WS_ACCEPT_SIZE];
    Slice value;

    ws_accept_compute(slice_of(key), accept);
    return http_headers_get(headers, "Sec-WebSocket-Accept", &value) && slice_equal(value, accept);
}

/* NULL when the 101 conforms to RFC 6455 section 4.1; otherwise what is wrong with it. */
static const char *
fault_find(const HttpResponse *response, const guint8 nonce[static WS_NONCE_SIZE],
           const char *protocol)
{
    const HttpHeaders *headers = &response->headers;

    if (response->minor_version != 1 || response->chunked || response->content_length > 0)
        return "the 101 response has a body";
    if (!header_is(headers, "Upgrade", "websocket"))
        return "the 101 response does not name websocket";
    if (!http_headers_have_token(headers, "Connection", "Upgrade"))
        return "the Connection header does not name Upgrade";
    if (!accept_is_ours(headers, nonce))
        return "the Sec-WebSocket-Accept does not belong to our key";
    if (http_headers_find(headers, "Sec-WebSocket-Extensions"))
        return "the server chose an extension that was not offered";
    if (http_headers_find(headers, "Sec-WebSocket-Protocol") &&
        !(protocol && header_is(headers, "Sec-WebSocket-Protocol", protocol)))
        return "the server chose a subprotocol that was not offered";
    return NULL;
}

WsResponseResult
ws_response_verify(const HttpResponse *response, const guint8 nonce[static WS_NONCE_SIZE],
                   const char *protocol, const char **ret_text)
{
    const char *fault;

    if (response->status != 101) {
        *ret_text = "the server refused the upgrade";
        return WS_RESPONSE_DENIED;
    }
    fault = fault_find(response, nonce, protocol);
    if (!fault)
        return WS_RESPONSE_OK;
    *ret_text = fault;
    return WS_RESPONSE_BROKEN;
}
