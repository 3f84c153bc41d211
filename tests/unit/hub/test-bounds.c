/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stranger may send the hub: each size and number at its bound, and one past it. The figures
 * stand here once more, on purpose: whoever changes one says so. base/test-setting-bounds.c has
 * those of the settings, stream/test-streams-limit.c what the limits of streams do. */
#include "common/codec/device-id.h"
#include "common/codec/http-head.h"
#include "common/codec/http-target.h"
#include "common/codec/json-guard.h"
#include "common/codec/mqtt-reader.h"
#include "common/codec/sas-token.h"
#include "common/codec/stream-order.h"
#include "common/topic/stream-topic.h"
#include "common/codec/ws-frame.h"
#include "hub/certificate/certificate.h"
#include "hub/base/settings.h"
#include "hub/device/mqtt-user.h"

#include <string.h>

#define SIGNATURE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static char *
text_of(guint64 len)
{
    return g_strnfill((gsize)len, 'a');
}

/* ---- tokens ---- */

static gboolean
sas_takes(const char *resource, const char *expiry, const char *policy)
{
    g_autofree char *text = g_strdup_printf(
        "SharedAccessSignature sr=%s&sig=" SIGNATURE "&se=%s&skn=%s", resource, expiry, policy);
    SasToken token;

    return sas_token_parse(text, strlen(text), &token) == SAS_OK;
}

static gboolean
try_token(guint64 n)
{
    g_autofree char *text = g_strnfill((gsize)n, ' ');
    SasToken token;

    memcpy(text, "SharedAccessSignature ", 22);
    return sas_token_parse(text, (gsize)n, &token) != SAS_TOO_LONG;
}

static gboolean
try_resource(guint64 n)
{
    g_autofree char *resource = text_of(n);

    return sas_takes(resource, "1", "");
}

static gboolean
try_expiry(guint64 n)
{
    g_autofree char *digits = g_strnfill((gsize)n, '1');

    return sas_takes("a", digits, "");
}

static gboolean
try_token_policy(guint64 n)
{
    g_autofree char *policy = text_of(n);

    return sas_takes("a", "1", policy);
}

static gboolean
try_key(guint64 n)
{
    g_autofree char *bytes = text_of(n);
    g_autofree char *base64 = g_base64_encode((const guchar *)bytes, (gsize)n);
    g_auto(SasKey) key = {0};

    return sas_key_decode(&key, base64, strlen(base64));
}

/* ---- names ---- */

static gboolean
try_device(guint64 n)
{
    g_autofree char *name = text_of(n);

    return device_id_is_valid(name, -1);
}

static gboolean
try_stream(guint64 n)
{
    g_autofree char *name = text_of(n);

    return stream_name_is_valid(name, -1);
}

static gboolean
try_label(guint64 n)
{
    g_autofree char *label = text_of(n), *name = g_strconcat(label, ".b", NULL);

    return certificate_name_is_valid(name);
}

static gboolean
try_host_name(guint64 n)
{
    g_autofree char *name = text_of(n);

    for (gsize i = 63; i + 1 < n; i += 64)
        name[i] = '.';
    return certificate_name_is_valid(name);
}

static gboolean
try_api_version(guint64 n)
{
    g_autofree char *version = text_of(n);
    g_autofree char *user = g_strconcat("hub/dev1/?api-version=", version, NULL);
    g_auto(MqttUser) ret = {0};

    return mqtt_user_parse(slice_of("dev1"), slice_of(user), &ret) && *ret.api_version;
}

/* ---- HTTP ---- */

static gboolean
request_takes(const char *text)
{
    HttpRequest request;
    HttpRefusal refusal;

    return http_request_parse(text, strlen(text), &request, &refusal) == HTTP_HEAD_OK;
}

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"

static gboolean
try_head(guint64 n)
{
    g_autoptr(GString) head = g_string_new(GET);

    while (head->len + 4000 < n) {
        g_autofree char *value = text_of(2000);

        g_string_append_printf(head, "A: %s\r\n", value);
    }
    g_string_append(head, "B: ");
    while (head->len + 4 < n)
        g_string_append_c(head, 'b');
    g_string_append(head, "\r\n\r\n");
    g_assert_cmpuint(head->len, ==, n);
    return request_takes(head->str);
}

static gboolean
try_first_line(guint64 n)
{
    g_autofree char *path = text_of(n - strlen("GET / HTTP/1.1"));
    g_autofree char *head = g_strdup_printf("GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", path);

    return request_takes(head);
}

static gboolean
try_field_line(guint64 n)
{
    g_autofree char *value = text_of(n - strlen("A: "));
    g_autofree char *head = g_strdup_printf(GET "A: %s\r\n\r\n", value);

    return request_takes(head);
}

static gboolean
try_fields(guint64 n)
{
    g_autoptr(GString) head = g_string_new(GET);

    for (guint64 i = 1; i < n; i++)
        g_string_append(head, "A: b\r\n");
    g_string_append(head, "\r\n");
    return request_takes(head->str);
}

/* Whether its end is still waited for. */
static gboolean
try_fields_without_end(guint64 n)
{
    g_autoptr(GString) head = g_string_new(GET);
    HttpRequest request;
    HttpRefusal refusal;

    for (guint64 i = 1; i < n; i++)
        g_string_append(head, "A: b\r\n");
    return http_request_parse(head->str, head->len, &request, &refusal) == HTTP_HEAD_MORE;
}

static gboolean
try_host(guint64 n)
{
    g_autofree char *host = text_of(n);
    g_autofree char *head = g_strdup_printf("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);

    return request_takes(head);
}

static gboolean
try_body(guint64 n)
{
    g_autofree char *head = g_strdup_printf(
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %" G_GUINT64_FORMAT "\r\n\r\n", n);

    return request_takes(head);
}

static gboolean
try_segments(guint64 n)
{
    g_autoptr(GString) path = g_string_new(NULL);
    HttpPath ret;

    for (guint64 i = 0; i < n; i++)
        g_string_append(path, "/a");
    return http_path_split(slice_of(path->str), &ret);
}

/* ---- MQTT ---- */

static void
append_field(GByteArray *out, const char *bytes, guint64 len)
{
    const guint8 size[] = {(guint8)(len >> 8), (guint8)len};

    g_byte_array_append(out, size, 2);
    g_byte_array_append(out, (const guint8 *)bytes, (guint)len);
}

typedef enum { CLIENT_ID, USER_NAME, PASSWORD, FIELDS } Field;

/* A CONNECT with one field of that length. */
static gboolean
connect_takes(Field which, guint64 n)
{
    static const guint8 head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2, 0, 60};
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autofree char *text = text_of(n);
    MqttConnect connect;

    g_byte_array_append(body, head, sizeof head);
    for (Field field = 0; field < FIELDS; field++)
        append_field(body, text, field == which ? n : 1);
    return mqtt_read_connect(&(MqttPacket){MQTT_CONNECT, 0, {(const char *)body->data, body->len}},
                             &connect) == MQTT_CONNECT_OK;
}

static gboolean
try_client_id(guint64 n)
{
    return connect_takes(CLIENT_ID, n);
}

static gboolean
try_user_name(guint64 n)
{
    return connect_takes(USER_NAME, n);
}

static gboolean
try_password(guint64 n)
{
    return connect_takes(PASSWORD, n);
}

static gboolean
try_topic(guint64 n)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autofree char *text = text_of(n);
    MqttPublish publish;

    append_field(body, text, n);
    return mqtt_read_publish(&(MqttPacket){MQTT_PUBLISH, 0, {(const char *)body->data, body->len}},
                             &publish);
}

/* The size that a packet says it has, toward what a hub takes before its CONNECT, and after it. */
static gboolean
packet_takes(guint64 n, gsize most)
{
    guint64 rest = n - 4; /* three bytes of length */
    const guint8 head[] = {0x30, (guint8)(rest | 0x80), (guint8)(rest >> 7 | 0x80),
                           (guint8)(rest >> 14)};
    gsize total;

    return mqtt_packet_size(head, sizeof head, most, &total) == MQTT_SIZE_OK;
}

static gboolean
try_packet(guint64 n)
{
    return packet_takes(n, MQTT_PACKET_MAX);
}

/* ---- answers of a device ---- */

static gboolean
answer_takes(const char *format, guint64 n)
{
    g_autofree char *text = text_of(n);
    g_auto(StreamAnswer) answer = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    g_autofree char *topic = g_strdup_printf(format, text);
#pragma GCC diagnostic pop

    return stream_answer_parse(slice_of(topic), &answer) == STREAM_TOPIC_OK;
}

static gboolean
try_rid(guint64 n)
{
    return answer_takes("$iothub/streams/res/200/?$rid=%s", n);
}

static gboolean
try_sid(guint64 n)
{
    return answer_takes("$iothub/streams/res/200/?$rid=1&$sid=%s", n);
}

static gboolean
try_properties(guint64 n)
{
    g_autoptr(GString) topic = g_string_new("$iothub/streams/res/200/?$rid=1");
    g_auto(StreamAnswer) answer = {0};

    for (guint64 i = 1; i < n; i++)
        g_string_append_printf(topic, "&p%" G_GUINT64_FORMAT "=1", i);
    return stream_answer_parse(slice_of(topic->str), &answer) == STREAM_TOPIC_OK;
}

static gboolean
try_tunnel(guint64 n)
{
    g_autofree char *tunnel = text_of(n), *text = g_strconcat(tunnel, ".1", NULL);
    StreamOrder order;

    return stream_order_parse(text, strlen(text), &order);
}

static gboolean
try_sequence(guint64 n)
{
    g_autofree char *text = g_strdup_printf("a.%" G_GUINT64_FORMAT, n);
    StreamOrder order;

    return stream_order_parse(text, strlen(text), &order);
}

/* ---- bodies ---- */

static gboolean
json_takes(const char *text)
{
    return json_guard_check(text, strlen(text), NULL, NULL) == JSON_GUARD_OK;
}

static gboolean
try_json(guint64 n)
{
    g_autofree char *text = g_strnfill((gsize)n, ' ');

    memcpy(text, "{}", 2);
    return json_takes(text);
}

static gboolean
try_depth(guint64 n)
{
    g_autofree char *open = g_strnfill((gsize)n, '['), *shut = g_strnfill((gsize)n, ']');
    g_autofree char *text = g_strconcat(open, shut, NULL);

    return json_takes(text);
}

static gboolean
try_members(guint64 n)
{
    g_autoptr(GString) text = g_string_new("{");

    for (guint64 i = 0; i < n; i++)
        g_string_append_printf(text, "%s\"%" G_GUINT64_FORMAT "\":1", i > 0 ? "," : "", i);
    g_string_append(text, "}");
    return json_takes(text->str);
}

static gboolean
try_number(guint64 n)
{
    g_autofree char *digits = g_strnfill((gsize)n - 2, '1');
    g_autofree char *text = g_strconcat("1.", digits, NULL);

    return json_takes(text);
}

/* A ping's payload, as a client sends it. */
static gboolean
try_control(guint64 n)
{
    guint8 frame[512] = {0x89, 0x80 | 126, (guint8)(n >> 8), (guint8)n};
    WsDecoder decoder;
    WsEvent event;
    gsize used;

    if (n <= 125) {
        frame[1] = (guint8)(0x80 | n);
        frame[2] = frame[3] = 0;
    }
    ws_decoder_init(&decoder, WS_ROLE_SERVER, 0);
    ws_decoder_run(&decoder, frame, (gsize)n + (n <= 125 ? 6 : 8), &used, &event);
    return event.type == WS_EVENT_PING && event.payload_len == n;
}

static gboolean
try_settings_file(guint64 n)
{
    g_autofree char *text = g_strnfill((gsize)n, '\n');
    g_autoptr(Settings) settings = settings_parse(text, (gsize)n, "hub.conf", NULL);

    return settings != NULL;
}

static const struct {
    const char *name;
    guint64 least; /* 0: nothing at all is fine, or means something else */
    guint64 most;
    gboolean (*takes)(guint64 n);
} bounds[] = {
    {"token", 0, 2048, try_token},
    {"token-resource", 1, 1024, try_resource},
    {"token-expiry", 1, 11, try_expiry},
    {"token-policy", 0, 128, try_token_policy},
    {"key", 1, 128, try_key},
    {"device", 1, 128, try_device},
    {"stream", 1, 128, try_stream},
    {"label", 1, 63, try_label},
    {"host-name", 1, 253, try_host_name},
    {"api-version", 1, 32, try_api_version},
    {"http-head", 0, 16384, try_head},
    {"http-first-line", 0, 8192, try_first_line},
    {"http-field-line", 0, 8192, try_field_line},
    {"http-fields", 0, 64, try_fields},
    {"http-fields-without-end", 0, 64, try_fields_without_end},
    {"http-host", 1, 261, try_host},
    {"http-body", 0, 262144, try_body},
    {"http-segments", 0, 12, try_segments},
    {"mqtt-client-id", 0, 8192, try_client_id},
    {"mqtt-user-name", 0, 8192, try_user_name},
    {"mqtt-password", 0, 8192, try_password},
    {"mqtt-topic", 1, 8192, try_topic},
    {"mqtt-packet", 0, 262144, try_packet},
    {"rid", 1, 64, try_rid},
    {"sid", 1, 64, try_sid},
    {"topic-properties", 0, 32, try_properties},
    {"order-tunnel", 1, 32, try_tunnel},
    {"order-sequence", 1, 9007199254740991, try_sequence},
    {"json", 0, 65536, try_json},
    {"json-depth", 0, 16, try_depth},
    {"json-members", 0, 512, try_members},
    {"json-number", 0, 64, try_number},
    {"ws-control", 0, 125, try_control},
    {"settings-file", 0, 262144, try_settings_file},
};

static void
test_bounds(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(bounds); i++) {
        g_test_message("%s", bounds[i].name);
        g_assert_true(bounds[i].takes(bounds[i].most));
        g_assert_true(bounds[i].takes(bounds[i].most - 1));
        g_assert_false(bounds[i].takes(bounds[i].most + 1));
        if (bounds[i].least == 0)
            continue;
        g_assert_true(bounds[i].takes(bounds[i].least));
        g_assert_false(bounds[i].takes(bounds[i].least - 1));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounds/sizes", test_bounds);
    return g_test_run();
}
