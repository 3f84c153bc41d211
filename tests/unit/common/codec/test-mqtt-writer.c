/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT packets written: exact bytes, what comes back from the reader, what is refused. */
#include "common/codec/mqtt-writer.h"

#include <string.h>

static void
check_hex(GByteArray *out, const char *hex)
{
    g_autoptr(GString) got = g_string_new(NULL);

    for (guint i = 0; i < out->len; i++)
        g_string_append_printf(got, "%02x", out->data[i]);
    g_assert_cmpstr(got->str, ==, hex);
    g_byte_array_set_size(out, 0);
}

static MqttPacket
reopen(const GByteArray *out, MqttSender from)
{
    MqttPacket packet;

    g_assert_true(mqtt_packet_open(out->data, out->len, from, &packet));
    return packet;
}

static void
check_slice(Slice got, Slice expected)
{
    g_assert_cmpuint(got.len, ==, expected.len);
    g_assert_true(got.len == 0 || memcmp(got.ptr, expected.ptr, got.len) == 0);
}

static void
test_bytes(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const MqttFilter filters[] = {{slice_of("a/#"), 1}, {slice_of("+"), 0}};
    const guint8 codes[] = {0, 1, 0x80};

    mqtt_write_connack(out, TRUE, MQTT_ACCEPTED);
    check_hex(out, "20020100");
    mqtt_write_connack(out, TRUE, MQTT_NOT_AUTHORIZED);
    check_hex(out, "20020005");
    mqtt_write_connack_5(out, MQTT_5_UNSUPPORTED_VERSION);
    check_hex(out, "2003008400");
    mqtt_write_id(out, MQTT_PUBACK, 0x1234);
    check_hex(out, "40021234");
    mqtt_write_id(out, MQTT_UNSUBACK, 1);
    check_hex(out, "b0020001");
    mqtt_write_empty(out, MQTT_PINGREQ);
    check_hex(out, "c000");
    mqtt_write_empty(out, MQTT_PINGRESP);
    check_hex(out, "d000");
    mqtt_write_empty(out, MQTT_DISCONNECT);
    check_hex(out, "e000");
    g_assert_true(mqtt_write_subscribe(out, 7, filters, 2));
    check_hex(out, "820c0007"
                   "0003612f2301"
                   "00012b00");
    g_assert_true(mqtt_write_unsubscribe(out, 7, filters, 2));
    check_hex(out, "a20a0007"
                   "0003612f23"
                   "00012b");
    g_assert_true(mqtt_write_suback(out, 7, codes, 3));
    check_hex(out, "90050007000180");
}

static void
test_publish_bytes(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    MqttPublish publish = {.topic = slice_of("a/b")};

    /* Section 1.5 h of the wire protocol: this first byte and no other. */
    g_assert_true(mqtt_write_publish(out, &publish));
    check_hex(out, "30050003612f62");
    publish.payload = slice_of("xy");
    publish.packet_id = 5; /* not written with QoS 0 */
    g_assert_true(mqtt_write_publish(out, &publish));
    check_hex(out, "30070003612f627879");
    publish.qos = 1;
    publish.retain = TRUE;
    publish.dup = TRUE;
    g_assert_true(mqtt_write_publish(out, &publish));
    check_hex(out, "3b090003612f6200057879");
}

static void
test_lengths(void)
{
    static const gsize sizes[] = {0, 124, 125, 16380, 16381, 200000};
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *payload = g_strnfill(200000, 'x');

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        MqttPublish publish = {.topic = slice_of("t"), .payload = {payload, sizes[i]}}, back;
        gsize total;

        g_byte_array_set_size(out, 0);
        g_assert_true(mqtt_write_publish(out, &publish));
        g_assert_cmpint(mqtt_packet_size(out->data, out->len, MQTT_PACKET_MAX, &total), ==,
                        MQTT_SIZE_OK);
        g_assert_cmpuint(total, ==, out->len);
        MqttPacket packet = reopen(out, MQTT_FROM_SERVER);
        g_assert_true(mqtt_read_publish(&packet, &back));
        check_slice(back.payload, publish.payload);
    }
}

/* All flags of a CONNECT in all combinations that are good. */
static void
test_connect_comes_back(void)
{
    for (guint bits = 0; bits < 32; bits++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        MqttConnect connect = {
            .client_id = slice_of("dev1/mod"),
            .keep_alive = (guint16)(240 + bits),
            .clean_session = bits & 1,
            .has_will = (bits & 2) != 0,
            .will_retain = (bits & 4) != 0,
            .will_qos = (guint8)(bits % 3),
            .will_topic = slice_of("w"),
            .will_message = slice_of("m"),
            .has_user_name = (bits & 24) != 0,
            .has_password = (bits & 16) != 0,
            .user_name = slice_of("hub/dev1/?api-version=2020-09-30"),
            .password = slice_of("SharedAccessSignature sr=h"),
        };
        MqttConnect back;

        g_assert_true(mqtt_write_connect(out, &connect));
        MqttPacket packet = reopen(out, MQTT_FROM_CLIENT);
        g_assert_cmpint(mqtt_read_connect(&packet, &back), ==, MQTT_CONNECT_OK);
        check_slice(back.client_id, connect.client_id);
        g_assert_cmpuint(back.keep_alive, ==, connect.keep_alive);
        g_assert_cmpint(back.clean_session, ==, connect.clean_session);
        g_assert_cmpint(back.has_will, ==, connect.has_will);
        g_assert_cmpint(back.will_qos, ==, connect.has_will ? connect.will_qos : 0);
        g_assert_cmpint(back.will_retain, ==, connect.has_will && connect.will_retain);
        check_slice(back.will_topic, connect.has_will ? connect.will_topic : slice_of(NULL));
        g_assert_cmpint(back.has_user_name, ==, connect.has_user_name);
        g_assert_cmpint(back.has_password, ==, connect.has_password);
        check_slice(back.user_name, connect.has_user_name ? connect.user_name : slice_of(NULL));
        check_slice(back.password, connect.has_password ? connect.password : slice_of(NULL));
    }
}

static void
test_connect_refused(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *longest = g_strnfill(MQTT_STRING_MAX + 1, 'a');
    const MqttConnect bad[] = {
        {.client_id = {"a\0b", 3}},
        {.client_id = {"\xff", 1}},
        {.client_id = {longest, MQTT_STRING_MAX + 1}},
        {.has_password = TRUE, .password = slice_of("p")},
        {.has_user_name = TRUE, .user_name = {"\0", 1}},
        {.has_user_name = TRUE, .has_password = TRUE, .password = {longest, MQTT_STRING_MAX + 1}},
        {.has_will = TRUE},
        {.has_will = TRUE, .will_topic = slice_of("#")},
        {.has_will = TRUE, .will_topic = slice_of("w"), .will_qos = 3},
        {.has_will = TRUE,
         .will_topic = slice_of("w"),
         .will_message = {longest, MQTT_STRING_MAX + 1}},
        /* each field is good, all of it is not */
        {.client_id = {longest, MQTT_STRING_MAX},
         .has_user_name = TRUE,
         .user_name = {longest, MQTT_STRING_MAX}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mqtt_write_connect(out, &bad[i]));
    g_assert_cmpuint(out->len, ==, 0);
}

static void
test_publish_refused(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *payload = g_malloc0(MQTT_PACKET_MAX + 1);
    const MqttPublish bad[] = {
        {.topic = slice_of("")},
        {.topic = slice_of("a/+")},
        {.topic = slice_of("a/#")},
        {.topic = {"a\0", 2}},
        {.topic = slice_of("a"), .qos = 3, .packet_id = 1},
        {.topic = slice_of("a"), .qos = 1},
        {.topic = slice_of("a"), .dup = TRUE},
        {.topic = slice_of("a"), .payload = {payload, MQTT_PACKET_MAX}},
        {.topic = slice_of("a"), .payload = {payload, G_MAXSIZE}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mqtt_write_publish(out, &bad[i]));
    g_assert_cmpuint(out->len, ==, 0);
}

static void
test_lists_refused(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree guint8 *codes = g_malloc0(MQTT_PACKET_MAX);
    g_autofree char *longest = g_strnfill(MQTT_STRING_MAX, 'a');
    const MqttFilter good = {slice_of("a"), 1};
    const MqttFilter bad[] = {{slice_of("a"), 3}, {slice_of(""), 0}, {slice_of("a#"), 0}};
    MqttFilter many[40];

    g_assert_false(mqtt_write_subscribe(out, 0, &good, 1));
    g_assert_false(mqtt_write_subscribe(out, 1, &good, 0));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mqtt_write_subscribe(out, 1, &bad[i], 1));
    for (guint i = 1; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mqtt_write_unsubscribe(out, 1, &bad[i], 1));
    for (guint i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = (MqttFilter){{longest, MQTT_STRING_MAX}, 0};
    g_assert_false(mqtt_write_subscribe(out, 1, many, G_N_ELEMENTS(many)));
    g_assert_false(mqtt_write_suback(out, 0, codes, 1));
    g_assert_false(mqtt_write_suback(out, 1, codes, 0));
    g_assert_false(mqtt_write_suback(out, 1, codes, MQTT_PACKET_MAX));
    g_assert_false(mqtt_write_suback(out, 1, codes, G_MAXSIZE));
    codes[1] = 3;
    g_assert_false(mqtt_write_suback(out, 1, codes, 2));
    g_assert_cmpuint(out->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mqtt/writer/bytes", test_bytes);
    g_test_add_func("/mqtt/writer/publish", test_publish_bytes);
    g_test_add_func("/mqtt/writer/lengths", test_lengths);
    g_test_add_func("/mqtt/writer/connect", test_connect_comes_back);
    g_test_add_func("/mqtt/writer/connect-refused", test_connect_refused);
    g_test_add_func("/mqtt/writer/publish-refused", test_publish_refused);
    g_test_add_func("/mqtt/writer/lists-refused", test_lists_refused);
    return g_test_run();
}
