/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/mqtt-reader.h"

#define PROTOCOL "MQTT"
#define LEVEL 4

/* Flags of CONNECT (MQTT 3.1.1, chapter 3.1.2.3). */
#define CONNECT_RESERVED 0x01
#define CONNECT_CLEAN 0x02
#define CONNECT_WILL 0x04
#define CONNECT_WILL_QOS 0x18
#define CONNECT_WILL_RETAIN 0x20
#define CONNECT_PASSWORD 0x40
#define CONNECT_USER_NAME 0x80

/* Each take_*() cuts its field off the front of `rest`. FALSE when the field is absent or not
 * valid. */

static gboolean
take_u8(Slice *rest, guint8 *ret)
{
    if (rest->len < 1)
        return FALSE;
    *ret = (guint8)rest->ptr[0];
    rest->ptr += 1;
    rest->len -= 1;
    return TRUE;
}

static gboolean
take_u16(Slice *rest, guint16 *ret)
{
    if (rest->len < 2)
        return FALSE;
    *ret = (guint16)((guint8)rest->ptr[0] << 8 | (guint8)rest->ptr[1]);
    rest->ptr += 2;
    rest->len -= 2;
    return TRUE;
}

/* A packet identifier, which is never 0 (MQTT-2.3.1-1). */
static gboolean
take_id(Slice *rest, guint16 *ret)
{
    return take_u16(rest, ret) && *ret != 0;
}

static gboolean
take_bytes(Slice *rest, Slice *ret)
{
    guint16 len;

    if (!take_u16(rest, &len) || len > rest->len)
        return FALSE;
    *ret = (Slice){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return TRUE;
}

static gboolean
take_string(Slice *rest, Slice *ret)
{
    return take_bytes(rest, ret) && mqtt_string_is_valid(*ret);
}

static gboolean
connect_flags_are_valid(guint8 flags)
{
    if (flags & CONNECT_RESERVED)
        return FALSE;
    if (!(flags & CONNECT_WILL) && (flags & (CONNECT_WILL_QOS | CONNECT_WILL_RETAIN)))
        return FALSE;
    if ((flags & CONNECT_WILL_QOS) == CONNECT_WILL_QOS)
        return FALSE;
    return (flags & CONNECT_USER_NAME) || !(flags & CONNECT_PASSWORD);
}

static gboolean
connect_take_will(Slice *rest, guint8 flags, MqttConnect *connect)
{
    connect->has_will = (flags & CONNECT_WILL) != 0;
    if (!connect->has_will)
        return TRUE;
    connect->will_qos = (guint8)((flags & CONNECT_WILL_QOS) >> 3);
    connect->will_retain = (flags & CONNECT_WILL_RETAIN) != 0;
    return take_bytes(rest, &connect->will_topic) && mqtt_topic_is_valid(connect->will_topic) &&
           take_bytes(rest, &connect->will_message);
}

static gboolean
connect_take_credentials(Slice *rest, guint8 flags, MqttConnect *connect)
{
    connect->has_user_name = (flags & CONNECT_USER_NAME) != 0;
    connect->has_password = (flags & CONNECT_PASSWORD) != 0;
    if (connect->has_user_name && !take_string(rest, &connect->user_name))
        return FALSE;
    return !connect->has_password ||
           (take_bytes(rest, &connect->password) && connect->password.len <= MQTT_STRING_MAX);
}

MqttConnectResult
mqtt_read_connect(const MqttPacket *packet, MqttConnect *ret)
{
    MqttConnect connect = {0};
    Slice rest = packet->body;
    Slice protocol;
    guint8 level, flags;

    if (packet->type != MQTT_CONNECT || !take_string(&rest, &protocol) || !take_u8(&rest, &level))
        return MQTT_CONNECT_MALFORMED;
    if (!slice_equal(protocol, PROTOCOL) || level != LEVEL)
        return MQTT_CONNECT_UNSUPPORTED;
    if (!take_u8(&rest, &flags) || !connect_flags_are_valid(flags) ||
        !take_u16(&rest, &connect.keep_alive) || !take_string(&rest, &connect.client_id))
        return MQTT_CONNECT_MALFORMED;
    connect.clean_session = (flags & CONNECT_CLEAN) != 0;
    if (!connect_take_will(&rest, flags, &connect) ||
        !connect_take_credentials(&rest, flags, &connect) || rest.len > 0)
        return MQTT_CONNECT_MALFORMED;
    *ret = connect;
    return MQTT_CONNECT_OK;
}

/* Properties, which there are from MQTT 5 on: their length in 1 to 4 bytes, and so many bytes. */
static gboolean
skip_properties(Slice *rest)
{
    gsize len = 0;
    guint8 digit = 0x80;

    for (guint shift = 0; digit & 0x80; shift += 7) {
        if (shift > 21 || !take_u8(rest, &digit))
            return FALSE;
        len |= (gsize)(digit & 0x7f) << shift;
    }
    if (len > rest->len)
        return FALSE;
    rest->ptr += len;
    rest->len -= len;
    return TRUE;
}

gboolean
mqtt_read_claim(const MqttPacket *packet, MqttClaim *ret)
{
    MqttClaim claim = {0};
    Slice rest = packet->body;
    guint16 keep_alive;
    guint8 flags;

    if (packet->type != MQTT_CONNECT || !take_string(&rest, &claim.protocol) ||
        !take_u8(&rest, &claim.level))
        return FALSE;
    if (!take_u8(&rest, &flags) || !take_u16(&rest, &keep_alive) ||
        (claim.level >= MQTT_LEVEL_5 && !skip_properties(&rest)) ||
        !take_string(&rest, &claim.client_id))
        claim.client_id = (Slice){NULL, 0};
    *ret = claim;
    return TRUE;
}

gboolean
mqtt_read_connack(const MqttPacket *packet, MqttConnack *ret)
{
    Slice rest = packet->body;
    guint8 flags, code;

    if (packet->type != MQTT_CONNACK || !take_u8(&rest, &flags) || !take_u8(&rest, &code) ||
        rest.len > 0)
        return FALSE;
    if (flags > 1 || code > MQTT_NOT_AUTHORIZED || (flags && code != MQTT_ACCEPTED))
        return FALSE;
    *ret = (MqttConnack){.session_present = flags != 0, .code = code};
    return TRUE;
}

gboolean
mqtt_read_publish(const MqttPacket *packet, MqttPublish *ret)
{
    MqttPublish publish = {
        .dup = (packet->flags & 8) != 0,
        .qos = (packet->flags >> 1) & 3,
        .retain = (packet->flags & 1) != 0,
    };
    Slice rest = packet->body;

    if (packet->type != MQTT_PUBLISH || !take_bytes(&rest, &publish.topic) ||
        !mqtt_topic_is_valid(publish.topic))
        return FALSE;
    if (publish.qos > 0 && !take_id(&rest, &publish.packet_id))
        return FALSE;
    publish.payload = rest;
    *ret = publish;
    return TRUE;
}

gboolean
mqtt_read_id(const MqttPacket *packet, guint16 *ret_packet_id)
{
    Slice rest = packet->body;
    guint16 packet_id;

    switch (packet->type) {
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_UNSUBACK:
        break;
    default:
        return FALSE;
    }
    if (!take_id(&rest, &packet_id) || rest.len > 0)
        return FALSE;
    *ret_packet_id = packet_id;
    return TRUE;
}

/* Takes one filter and, with `has_qos`, the QoS asked for. */
static gboolean
take_filter(Slice *rest, gboolean has_qos, Slice *ret_filter, guint8 *ret_qos)
{
    *ret_qos = 0;
    return take_bytes(rest, ret_filter) && mqtt_filter_is_valid(*ret_filter) &&
           (!has_qos || (take_u8(rest, ret_qos) && *ret_qos <= MQTT_QOS_MAX));
}

gboolean
mqtt_read_filters(const MqttPacket *packet, MqttFilters *ret)
{
    MqttFilters filters = {.rest = packet->body, .has_qos = packet->type == MQTT_SUBSCRIBE};
    Slice filter;
    guint8 qos;

    if (packet->type != MQTT_SUBSCRIBE && packet->type != MQTT_UNSUBSCRIBE)
        return FALSE;
    if (!take_id(&filters.rest, &filters.packet_id))
        return FALSE;
    for (Slice rest = filters.rest; rest.len > 0; filters.count++)
        if (!take_filter(&rest, filters.has_qos, &filter, &qos))
            return FALSE;
    if (filters.count == 0)
        return FALSE;
    *ret = filters;
    return TRUE;
}

gboolean
mqtt_filters_next(MqttFilters *filters, Slice *ret_filter, guint8 *ret_qos)
{
    Slice filter;
    guint8 qos;

    if (filters->rest.len == 0 || !take_filter(&filters->rest, filters->has_qos, &filter, &qos))
        return FALSE;
    *ret_filter = filter;
    if (ret_qos)
        *ret_qos = qos;
    return TRUE;
}

gboolean
mqtt_read_suback(const MqttPacket *packet, MqttSuback *ret)
{
    MqttSuback suback = {.codes = packet->body};

    if (packet->type != MQTT_SUBACK || !take_id(&suback.codes, &suback.packet_id) ||
        suback.codes.len == 0)
        return FALSE;
    for (gsize i = 0; i < suback.codes.len; i++) {
        guint8 code = (guint8)suback.codes.ptr[i];

        if (code > MQTT_QOS_MAX && code != MQTT_SUBACK_REFUSED)
            return FALSE;
    }
    *ret = suback;
    return TRUE;
}

gboolean
mqtt_read_empty(const MqttPacket *packet)
{
    switch (packet->type) {
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
    case MQTT_DISCONNECT:
        return packet->body.len == 0;
    default:
        return FALSE;
    }
}
