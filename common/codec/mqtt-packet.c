/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/mqtt-packet.h"

#define LENGTH_BYTES_MAX 4
#define PUBLISH_DUP 0x08
#define PUBLISH_QOS 0x06

typedef struct {
    const char *name;
    gboolean from_client;
    gboolean from_server;
    guint8 flags; /* as they must be; a PUBLISH has its own */
} TypeRow;

static const TypeRow rows[] = {
    [MQTT_CONNECT] = {"CONNECT", TRUE, FALSE, 0},
    [MQTT_CONNACK] = {"CONNACK", FALSE, TRUE, 0},
    [MQTT_PUBLISH] = {"PUBLISH", TRUE, TRUE, 0},
    [MQTT_PUBACK] = {"PUBACK", TRUE, TRUE, 0},
    [MQTT_PUBREC] = {"PUBREC", TRUE, TRUE, 0},
    [MQTT_PUBREL] = {"PUBREL", TRUE, TRUE, 2},
    [MQTT_PUBCOMP] = {"PUBCOMP", TRUE, TRUE, 0},
    [MQTT_SUBSCRIBE] = {"SUBSCRIBE", TRUE, FALSE, 2},
    [MQTT_SUBACK] = {"SUBACK", FALSE, TRUE, 0},
    [MQTT_UNSUBSCRIBE] = {"UNSUBSCRIBE", TRUE, FALSE, 2},
    [MQTT_UNSUBACK] = {"UNSUBACK", FALSE, TRUE, 0},
    [MQTT_PINGREQ] = {"PINGREQ", TRUE, FALSE, 0},
    [MQTT_PINGRESP] = {"PINGRESP", FALSE, TRUE, 0},
    [MQTT_DISCONNECT] = {"DISCONNECT", TRUE, FALSE, 0},
};

static const TypeRow *
type_row(MqttType type)
{
    static const TypeRow none = {"packet", FALSE, FALSE, 0};

    return (guint)type < G_N_ELEMENTS(rows) && rows[type].name ? &rows[type] : &none;
}

gboolean
mqtt_packet_is_from_client(MqttType type)
{
    return type_row(type)->from_client;
}

gboolean
mqtt_packet_is_from_server(MqttType type)
{
    return type_row(type)->from_server;
}

const char *
mqtt_packet_name(MqttType type)
{
    return type_row(type)->name;
}

static gboolean
first_byte_is_valid(guint8 first)
{
    MqttType type = (MqttType)(first >> 4);
    guint8 flags = first & 0x0f;

    if (type == MQTT_PUBLISH) {
        guint8 qos = flags & PUBLISH_QOS;

        return qos != PUBLISH_QOS && !(qos == 0 && (flags & PUBLISH_DUP));
    }
    return type >= MQTT_CONNECT && type <= MQTT_DISCONNECT && flags == rows[type].flags;
}

MqttSize
mqtt_packet_size(const guint8 *buf, gsize len, gsize max, gsize *ret_total)
{
    gsize body = 0;

    if (len > 0 && !first_byte_is_valid(buf[0]))
        return MQTT_SIZE_MALFORMED;
    for (gsize i = 0; i < LENGTH_BYTES_MAX; i++) {
        gsize header = 2 + i;

        if (len < header)
            return MQTT_SIZE_MORE;
        body |= (gsize)(buf[1 + i] & 0x7f) << (7 * i);
        if (buf[1 + i] & 0x80)
            continue;
        if (header > max || body > max - header)
            return MQTT_SIZE_TOO_LARGE;
        *ret_total = header + body;
        return MQTT_SIZE_OK;
    }
    return MQTT_SIZE_MALFORMED;
}

gboolean
mqtt_packet_open(const guint8 *buf, gsize len, MqttSender from, MqttPacket *ret)
{
    gsize header = 2;
    gsize total;
    MqttType type;

    if (mqtt_packet_size(buf, len, len, &total) != MQTT_SIZE_OK || total != len)
        return FALSE;
    type = (MqttType)(buf[0] >> 4);
    if (from == MQTT_FROM_CLIENT ? !rows[type].from_client : !rows[type].from_server)
        return FALSE;
    while (buf[header - 1] & 0x80)
        header++;
    *ret = (MqttPacket){
        .type = type,
        .flags = buf[0] & 0x0f,
        .body = {(const char *)buf + header, len - header},
    };
    return TRUE;
}

gboolean
mqtt_string_is_valid(Slice text)
{
    if (text.len == 0)
        return TRUE;
    return text.len <= MQTT_STRING_MAX && g_utf8_validate_len(text.ptr, text.len, NULL);
}

gboolean
mqtt_topic_is_valid(Slice topic)
{
    return topic.len > 0 && mqtt_string_is_valid(topic) && !memchr(topic.ptr, '#', topic.len) &&
           !memchr(topic.ptr, '+', topic.len);
}

gboolean
mqtt_filter_is_valid(Slice filter)
{
    if (filter.len == 0 || !mqtt_string_is_valid(filter))
        return FALSE;
    for (gsize i = 0; i < filter.len; i++) {
        gboolean first = i == 0 || filter.ptr[i - 1] == '/';
        gboolean last = i + 1 == filter.len;

        if (filter.ptr[i] == '#' && !(first && last))
            return FALSE;
        if (filter.ptr[i] == '+' && !(first && (last || filter.ptr[i + 1] == '/')))
            return FALSE;
    }
    return TRUE;
}
