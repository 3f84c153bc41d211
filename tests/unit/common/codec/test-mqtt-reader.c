/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT packets, byte by byte (mqtt-cases.h), from either side. */
#include "common/codec/mqtt-reader.h"

#include "tests/unit/common/codec/mqtt-cases.h"

#include <string.h>

static void
append_token(GByteArray *out, const char *token)
{
    guint8 length[2] = {0, (guint8)(strlen(token) - 1)};

    if (token[0] == '"')
        g_byte_array_append(out, length, 2);
    if (token[0] == '"' || token[0] == '\'') {
        g_byte_array_append(out, (const guint8 *)token + 1, length[1]);
        return;
    }
    for (; token[0]; token += 2) {
        guint8 byte =
            (guint8)(g_ascii_xdigit_value(token[0]) << 4 | g_ascii_xdigit_value(token[1]));

        g_byte_array_append(out, &byte, 1);
    }
}

static GByteArray *
build_packet(guint8 first, const char *body)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_auto(GStrv) tokens = g_strsplit(body, " ", -1);

    for (guint i = 0; tokens[i]; i++)
        if (tokens[i][0])
            append_token(bytes, tokens[i]);
    g_assert_cmpuint(bytes->len, <, 128);
    guint8 header[2] = {first, (guint8)bytes->len};
    g_byte_array_append(out, header, 2);
    g_byte_array_append(out, bytes->data, bytes->len);
    return out;
}

static void
show(GString *out, const char *before, Slice text)
{
    g_string_append(out, before);
    for (gsize i = 0; i < text.len; i++) {
        if (g_ascii_isprint(text.ptr[i]))
            g_string_append_c(out, text.ptr[i]);
        else
            g_string_append_printf(out, "\\%x", (guint8)text.ptr[i]);
    }
}

static gboolean
describe_connect(GString *out, const MqttPacket *packet)
{
    MqttConnect c;
    MqttConnectResult result = mqtt_read_connect(packet, &c);

    if (result == MQTT_CONNECT_UNSUPPORTED)
        g_string_append(out, "unsupported");
    if (result != MQTT_CONNECT_OK)
        return result == MQTT_CONNECT_UNSUPPORTED;
    show(out, "connect ", c.client_id);
    g_string_append_printf(out, "%s keep=%u", c.clean_session ? " clean" : "", c.keep_alive);
    if (c.has_will) {
        show(out, " will=", c.will_topic);
        show(out, ":", c.will_message);
        g_string_append_printf(out, " q%u%s", c.will_qos, c.will_retain ? " retain" : "");
    }
    if (c.has_user_name)
        show(out, " user=", c.user_name);
    if (c.has_password)
        show(out, " pass=", c.password);
    return TRUE;
}

static gboolean
describe_publish(GString *out, const MqttPacket *packet)
{
    MqttPublish p;

    if (!mqtt_read_publish(packet, &p))
        return FALSE;
    show(out, "publish ", p.topic);
    g_string_append_printf(out, " q%u", p.qos);
    if (p.packet_id)
        g_string_append_printf(out, " id=%u", p.packet_id);
    g_string_append(out, p.retain ? " retain" : "");
    g_string_append(out, p.dup ? " dup" : "");
    show(out, " [", p.payload);
    g_string_append_c(out, ']');
    return TRUE;
}

static gboolean
describe_filters(GString *out, const MqttPacket *packet)
{
    MqttFilters filters;
    Slice filter;
    guint8 qos;
    guint count = 0;

    if (!mqtt_read_filters(packet, &filters))
        return FALSE;
    g_string_append_printf(out, "%s id=%u n=%u",
                           packet->type == MQTT_SUBSCRIBE ? "subscribe" : "unsubscribe",
                           filters.packet_id, filters.count);
    while (mqtt_filters_next(&filters, &filter, &qos)) {
        show(out, " ", filter);
        g_string_append_printf(out, ":%u", qos);
        count++;
    }
    g_assert_cmpuint(count, ==, filters.count);
    return TRUE;
}

static gboolean
describe_suback(GString *out, const MqttPacket *packet)
{
    MqttSuback suback;

    if (!mqtt_read_suback(packet, &suback))
        return FALSE;
    g_string_append_printf(out, "suback id=%u", suback.packet_id);
    for (gsize i = 0; i < suback.codes.len; i++)
        g_string_append_printf(out, " %02x", (guint8)suback.codes.ptr[i]);
    return TRUE;
}

static gboolean
describe_small(GString *out, const MqttPacket *packet)
{
    MqttConnack connack;
    guint16 packet_id;

    if (packet->type == MQTT_CONNACK) {
        if (!mqtt_read_connack(packet, &connack))
            return FALSE;
        g_string_append_printf(out, "connack %u%s", connack.code,
                               connack.session_present ? " present" : "");
        return TRUE;
    }
    if (mqtt_read_empty(packet)) {
        g_string_append_printf(out, "empty %d", packet->type);
        return TRUE;
    }
    if (!mqtt_read_id(packet, &packet_id))
        return FALSE;
    g_string_append_printf(out, "id %d %u", packet->type, packet_id);
    return TRUE;
}

static gboolean
describe_packet(GString *out, const MqttPacket *packet)
{
    switch (packet->type) {
    case MQTT_CONNECT:
        return describe_connect(out, packet);
    case MQTT_PUBLISH:
        return describe_publish(out, packet);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return describe_filters(out, packet);
    case MQTT_SUBACK:
        return describe_suback(out, packet);
    default:
        return describe_small(out, packet);
    }
}

/* "closed" when the fixed header was refused already, "malformed" when the body was. */
static char *
describe(const guint8 *bytes, gsize len, MqttSender from)
{
    g_autofree guint8 *exact = g_memdup2(bytes, len); /* for ASan */
    g_autoptr(GString) out = g_string_new(NULL);
    MqttPacket packet;

    if (!mqtt_packet_open(exact, len, from, &packet))
        return g_strdup("closed");
    if (!describe_packet(out, &packet)) {
        g_assert_cmpuint(out->len, ==, 0);
        return g_strdup("malformed");
    }
    return g_strdup(out->str);
}

static void
check_case(const Case *row)
{
    g_autoptr(GByteArray) packet = build_packet(row->first, row->body);
    MqttSender from = row->sender == 'c' ? MQTT_FROM_CLIENT : MQTT_FROM_SERVER;
    g_autofree char *got = describe(packet->data, packet->len, from);

    if (strcmp(got, row->expected) != 0)
        g_error("%s: got '%s', not '%s'", row->name, got, row->expected);
    /* Cut anywhere it is no packet; with its length mended it is read within its bounds. */
    for (guint len = packet->len - 1; len >= 2; len--) {
        g_autofree char *cut = describe(packet->data, len, from);
        g_assert_cmpstr(cut, ==, "closed");
        packet->data[1] = (guint8)(len - 2);
        g_free(describe(packet->data, len, from));
        packet->data[1] = (guint8)(packet->len - 2);
    }
}

static void
check_cases(const Case *rows, gsize count)
{
    for (gsize i = 0; i < count; i++)
        check_case(&rows[i]);
}

static void
test_connect(void)
{
    check_cases(connect_cases, G_N_ELEMENTS(connect_cases));
}

static void
test_publish(void)
{
    check_cases(publish_cases, G_N_ELEMENTS(publish_cases));
}

static void
test_lists(void)
{
    check_cases(list_cases, G_N_ELEMENTS(list_cases));
}

static void
test_small(void)
{
    check_cases(small_cases, G_N_ELEMENTS(small_cases));
}

/* Each reader takes its own types only, and touches nothing when it refuses. */
static void
test_wrong_type(void)
{
    MqttPacket packet = {.body = {"\0\1\0\1a\0", 6}};
    MqttConnect connect = {.keep_alive = 77};
    MqttConnack connack = {.code = 77};
    MqttPublish publish = {.packet_id = 77};
    MqttFilters filters = {.packet_id = 77};
    MqttSuback suback = {.packet_id = 77};
    guint16 packet_id = 77;

    for (guint type = 0; type < 16; type++) {
        packet.type = (MqttType)type;
        if (type != MQTT_PUBLISH)
            g_assert_false(mqtt_read_publish(&packet, &publish));
        if (type != MQTT_SUBSCRIBE)
            g_assert_false(mqtt_read_filters(&packet, &filters));
        if (type != MQTT_SUBACK)
            g_assert_false(mqtt_read_suback(&packet, &suback));
        g_assert_cmpint(mqtt_read_connect(&packet, &connect), ==, MQTT_CONNECT_MALFORMED);
        g_assert_false(mqtt_read_connack(&packet, &connack));
        g_assert_false(mqtt_read_id(&packet, &packet_id));
        g_assert_false(mqtt_read_empty(&packet));
    }
    g_assert_cmpuint(connect.keep_alive, ==, 77);
    g_assert_cmpuint(connack.code, ==, 77);
    g_assert_cmpuint(publish.packet_id, ==, 77);
    g_assert_cmpuint(filters.packet_id, ==, 77);
    g_assert_cmpuint(suback.packet_id, ==, 77);
    g_assert_cmpuint(packet_id, ==, 77);
}

static void
test_string_limit(void)
{
    g_autofree char *text = g_strnfill(MQTT_STRING_MAX + 1, 'a');

    g_assert_true(mqtt_string_is_valid((Slice){text, MQTT_STRING_MAX}));
    g_assert_false(mqtt_string_is_valid((Slice){text, MQTT_STRING_MAX + 1}));
    g_assert_false(mqtt_topic_is_valid((Slice){text, MQTT_STRING_MAX + 1}));
    g_assert_false(mqtt_filter_is_valid((Slice){text, MQTT_STRING_MAX + 1}));
    g_assert_true(mqtt_string_is_valid((Slice){NULL, 0}));
    g_assert_false(mqtt_topic_is_valid((Slice){NULL, 0}));
    g_assert_false(mqtt_filter_is_valid((Slice){NULL, 0}));
}

/* A CONNECT whose user name or password has LEN bytes. */
static MqttConnectResult
read_connect_with(gsize user_len, gsize password_len)
{
    static const guint8 start[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2, 0, 60, 0, 1, 'd'};
    g_autoptr(GByteArray) body = g_byte_array_new();
    const gsize lens[] = {user_len, password_len};
    MqttPacket packet = {.type = MQTT_CONNECT};
    MqttConnect connect;

    g_byte_array_append(body, start, sizeof start);
    for (guint i = 0; i < G_N_ELEMENTS(lens); i++) {
        const guint8 len[] = {(guint8)(lens[i] >> 8), (guint8)lens[i]};
        g_autofree char *fill = g_strnfill(lens[i], 'x');

        g_byte_array_append(body, len, sizeof len);
        g_byte_array_append(body, (const guint8 *)fill, (guint)lens[i]);
    }
    packet.body = (Slice){(const char *)body->data, body->len};
    return mqtt_read_connect(&packet, &connect);
}

static void
test_credentials_limit(void)
{
    g_assert_cmpint(read_connect_with(MQTT_STRING_MAX, MQTT_STRING_MAX), ==, MQTT_CONNECT_OK);
    g_assert_cmpint(read_connect_with(MQTT_STRING_MAX + 1, 1), ==, MQTT_CONNECT_MALFORMED);
    g_assert_cmpint(read_connect_with(1, MQTT_STRING_MAX + 1), ==, MQTT_CONNECT_MALFORMED);
}

/* Who somebody claims to be, whatever version it speaks; cut anywhere, nobody. */
static void
test_claim(void)
{
    static const struct {
        const char *body, *client_id;
        guint level;
    } rows[] = {
        {"\"MQTT 04 c2 003c \"gw-1 \"u", "gw-1", 4},
        {"\"MQTT 05 02 003c 05 110000000a \"gw-1", "gw-1", 5},
        {"\"MQTT 05 02 003c 00 \"gw-1 \"u", "gw-1", 5},
        {"\"MQTT 05 02 003c 8000 \"gw-1", "gw-1", 5},
        {"\"MQTT 05 02 003c 8080808000 \"gw-1", "", 5}, /* a length of five bytes */
        {"\"MQTT 05 02 003c 7f \"gw-1", "", 5},
        {"\"MQTT 05 02 003c ffffff7f \"gw-1", "", 5},
        {"\"MQTT 06 02 003c 00 \"gw-1", "gw-1", 6},
        {"\"MQIsdp 03 02 003c \"gw-1", "gw-1", 3},
        {"\"MQIsdp 03 02 003c 0005 'gw-1", "", 3},
        {"\"MQTT 05 02 003c 00 \"", "", 5},
        {"\"MQTT 04", "", 4},
        {"\"MQTT", NULL, 0},
        {"0005 'MQTT", NULL, 0},
        {"", NULL, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) out = build_packet(0x10, rows[i].body);
        MqttClaim claim = {0};
        MqttPacket packet;

        g_assert_true(mqtt_packet_open(out->data, out->len, MQTT_FROM_CLIENT, &packet));
        g_assert_cmpint(mqtt_read_claim(&packet, &claim), ==, rows[i].client_id != NULL);
        if (!rows[i].client_id)
            continue;
        g_assert_cmpuint(claim.level, ==, rows[i].level);
        g_assert_true(slice_equal(claim.client_id, rows[i].client_id));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mqtt/reader/connect", test_connect);
    g_test_add_func("/mqtt/reader/claim", test_claim);
    g_test_add_func("/mqtt/reader/publish", test_publish);
    g_test_add_func("/mqtt/reader/lists", test_lists);
    g_test_add_func("/mqtt/reader/small", test_small);
    g_test_add_func("/mqtt/reader/wrong-type", test_wrong_type);
    g_test_add_func("/mqtt/reader/string-limit", test_string_limit);
    g_test_add_func("/mqtt/reader/credentials-limit", test_credentials_limit);
    return g_test_run();
}
