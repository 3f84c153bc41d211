/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT fixed headers: sizes, limits, directions. */
#include "common/codec/mqtt-packet.h"

static const struct {
    const char *name;
    guint8 bytes[6];
    gsize len;
    gsize max;
    MqttSize result;
    gsize total;
} rows[] = {
    {"nothing", {0}, 0, 1000, MQTT_SIZE_MORE, 0},
    {"one byte", {0xc0}, 1, 1000, MQTT_SIZE_MORE, 0},
    {"ping", {0xc0, 0}, 2, 1000, MQTT_SIZE_OK, 2},
    {"ping, exactly the limit", {0xc0, 0}, 2, 2, MQTT_SIZE_OK, 2},
    {"ping, over the limit", {0xc0, 0}, 2, 1, MQTT_SIZE_TOO_LARGE, 0},
    {"127", {0x30, 0x7f}, 2, 1000, MQTT_SIZE_OK, 129},
    {"128, first byte", {0x30, 0x80}, 2, 1000, MQTT_SIZE_MORE, 0},
    {"128", {0x30, 0x80, 0x01}, 3, 1000, MQTT_SIZE_OK, 131},
    {"128, exactly the limit", {0x30, 0x80, 0x01}, 3, 131, MQTT_SIZE_OK, 131},
    {"128, over the limit", {0x30, 0x80, 0x01}, 3, 130, MQTT_SIZE_TOO_LARGE, 0},
    {"16383", {0x30, 0xff, 0x7f}, 3, 1 << 20, MQTT_SIZE_OK, 16386},
    {"16384", {0x30, 0x80, 0x80, 0x01}, 4, 1 << 20, MQTT_SIZE_OK, 16388},
    {"2097151", {0x30, 0xff, 0xff, 0x7f}, 4, 1 << 30, MQTT_SIZE_OK, 2097155},
    {"2097152", {0x30, 0x80, 0x80, 0x80, 0x01}, 5, 1 << 30, MQTT_SIZE_OK, 2097157},
    {"268435455", {0x30, 0xff, 0xff, 0xff, 0x7f}, 5, 1 << 30, MQTT_SIZE_OK, 268435460},
    {"268435455, our limit",
     {0x30, 0xff, 0xff, 0xff, 0x7f},
     5,
     MQTT_PACKET_MAX,
     MQTT_SIZE_TOO_LARGE,
     0},
    {"268435455 as CONNECT",
     {0x10, 0xff, 0xff, 0xff, 0x7f},
     5,
     MQTT_CONNECT_MAX,
     MQTT_SIZE_TOO_LARGE,
     0},
    {"no end", {0x30, 0xff, 0xff, 0xff, 0xff}, 5, 1 << 30, MQTT_SIZE_MALFORMED, 0},
    {"no end, cut", {0x30, 0xff, 0xff, 0xff}, 4, 1 << 30, MQTT_SIZE_MORE, 0},
    {"no end, then an end",
     {0x30, 0x80, 0x80, 0x80, 0x80, 0x01},
     6,
     1 << 30,
     MQTT_SIZE_MALFORMED,
     0},
    {"not the shortest form", {0xc0, 0x80, 0x00}, 3, 1000, MQTT_SIZE_OK, 3},
    {"more than one packet", {0xc0, 0x00, 0xc0, 0x00}, 4, 1000, MQTT_SIZE_OK, 2},
    {"type 0", {0x00}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"type 15", {0xf0}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"CONNECT with flags", {0x11}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"SUBSCRIBE without its flag", {0x80}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"SUBSCRIBE", {0x82, 0x05}, 2, 1000, MQTT_SIZE_OK, 7},
    {"PUBLISH QoS 3", {0x36}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"PUBLISH again at QoS 0", {0x38}, 1, 1000, MQTT_SIZE_MALFORMED, 0},
    {"an HTTP request", {'G', 'E', 'T', ' '}, 4, 1000, MQTT_SIZE_MALFORMED, 0},
    {"a TLS record", {0x16, 0x03, 0x01}, 3, 1000, MQTT_SIZE_MALFORMED, 0},
};

static void
test_sizes(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree guint8 *exact = g_memdup2(rows[i].bytes, rows[i].len);
        gsize total = 0;
        MqttSize result = mqtt_packet_size(exact, rows[i].len, rows[i].max, &total);

        if (result != rows[i].result || total != rows[i].total)
            g_error("%s: %d, %" G_GSIZE_FORMAT, rows[i].name, result, total);
    }
}

/* Every first byte: what is a type, and which flags it may have (MQTT 3.1.1, table 2.2). */
static void
test_first_bytes(void)
{
    guint good = 0;

    for (guint first = 0; first < 256; first++) {
        guint8 header[] = {(guint8)first, 0};
        guint type = first >> 4, flags = first & 15;
        gboolean expected = type > 0 && type < 15 && flags == 0;
        gsize total;

        if (type == MQTT_PUBREL || type == MQTT_SUBSCRIBE || type == MQTT_UNSUBSCRIBE)
            expected = flags == 2;
        if (type == MQTT_PUBLISH)
            expected = (flags & 6) != 6 && flags != 8 && flags != 9;
        g_assert_cmpint(mqtt_packet_size(header, 2, 100, &total), ==,
                        expected ? MQTT_SIZE_OK : MQTT_SIZE_MALFORMED);
        good += expected ? 1 : 0;
    }
    g_assert_cmpuint(good, ==, 13 + 10);
}

static void
test_directions(void)
{
    static const char expected[] = ".csbbbbbcscscsc.";

    for (guint type = 0; type < 16; type++) {
        gboolean client = expected[type] == 'c' || expected[type] == 'b';
        gboolean server = expected[type] == 's' || expected[type] == 'b';

        g_assert_cmpint(mqtt_packet_is_from_client((MqttType)type), ==, client);
        g_assert_cmpint(mqtt_packet_is_from_server((MqttType)type), ==, server);
    }
    g_assert_cmpstr(mqtt_packet_name(MQTT_UNSUBSCRIBE), ==, "UNSUBSCRIBE");
    g_assert_cmpstr(mqtt_packet_name((MqttType)0), ==, "packet");
    g_assert_cmpstr(mqtt_packet_name((MqttType)15), ==, "packet");
    g_assert_cmpstr(mqtt_packet_name((MqttType)-1), ==, "packet");
}

static void
test_open_wants_one_whole_packet(void)
{
    static const guint8 bytes[] = {0x30, 0x84, 0x00, 0x00, 0x01, 'a', 'x', 0xc0, 0x00};
    MqttPacket packet = {.flags = 77};

    for (gsize len = 0; len <= sizeof(bytes); len++)
        if (len != 7)
            g_assert_false(mqtt_packet_open(bytes, len, MQTT_FROM_CLIENT, &packet));
    g_assert_cmpuint(packet.flags, ==, 77);
    g_assert_true(mqtt_packet_open(bytes, 7, MQTT_FROM_CLIENT, &packet));
    g_assert_cmpint(packet.type, ==, MQTT_PUBLISH);
    g_assert_true(packet.body.ptr == (const char *)bytes + 3);
    g_assert_cmpuint(packet.body.len, ==, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mqtt/packet/sizes", test_sizes);
    g_test_add_func("/mqtt/packet/first-bytes", test_first_bytes);
    g_test_add_func("/mqtt/packet/directions", test_directions);
    g_test_add_func("/mqtt/packet/open", test_open_wants_one_whole_packet);
    return g_test_run();
}
