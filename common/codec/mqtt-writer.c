/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/mqtt-writer.h"

#define PROTOCOL "MQTT"
#define LEVEL 4

#define FLAGS_SUBSCRIBE 2 /* also of UNSUBSCRIBE; other types have none, PUBLISH has its own */

static void
put_u8(GByteArray *out, guint8 value)
{
    g_byte_array_append(out, &value, 1);
}

static void
put_u16(GByteArray *out, guint16 value)
{
    const guint8 bytes[] = {(guint8)(value >> 8), (guint8)value};

    g_byte_array_append(out, bytes, sizeof(bytes));
}

static void
put_slice(GByteArray *out, Slice bytes)
{
    if (bytes.len > 0)
        g_byte_array_append(out, (const guint8 *)bytes.ptr, (guint)bytes.len);
}

/* The caller has checked that it is at most MQTT_STRING_MAX. */
static void
put_string(GByteArray *out, Slice text)
{
    put_u16(out, (guint16)text.len);
    put_slice(out, text);
}

static void
put_header(GByteArray *out, MqttType type, guint8 flags, gsize body)
{
    put_u8(out, (guint8)((guint)type << 4 | flags));
    while (body > 0x7f) {
        put_u8(out, (guint8)(0x80 | (body & 0x7f)));
        body >>= 7;
    }
    put_u8(out, (guint8)body);
}

/* Whether a packet with this body is at most `max`. Assumes the longest header, so that the limit
 * does not depend on how long the length field is. */
static gboolean
body_fits(gsize body, gsize max)
{
    return body <= max - MQTT_HEADER_MAX;
}

static gboolean
connect_is_valid(const MqttConnect *c)
{
    if (!mqtt_string_is_valid(c->client_id))
        return FALSE;
    if (c->has_will && (!mqtt_topic_is_valid(c->will_topic) || c->will_qos > MQTT_QOS_MAX ||
                        c->will_message.len > MQTT_STRING_MAX))
        return FALSE;
    if (c->has_user_name && !mqtt_string_is_valid(c->user_name))
        return FALSE;
    return !c->has_password || (c->has_user_name && c->password.len <= MQTT_STRING_MAX);
}

static guint8
connect_flags(const MqttConnect *c)
{
    guint8 flags = 0;

    if (c->clean_session)
        flags |= 0x02;
    if (c->has_will)
        flags |= (guint8)(0x04 | c->will_qos << 3 | (c->will_retain ? 0x20 : 0));
    if (c->has_password)
        flags |= 0x40;
    if (c->has_user_name)
        flags |= 0x80;
    return flags;
}

/* The fields that the flags name, in order. */
static guint
connect_fields(const MqttConnect *c, Slice ret[5])
{
    guint count = 0;

    ret[count++] = c->client_id;
    if (c->has_will) {
        ret[count++] = c->will_topic;
        ret[count++] = c->will_message;
    }
    if (c->has_user_name)
        ret[count++] = c->user_name;
    if (c->has_password)
        ret[count++] = c->password;
    return count;
}

gboolean
mqtt_write_connect(GByteArray *out, const MqttConnect *connect)
{
    Slice fields[5];
    gsize body = 2 + strlen(PROTOCOL) + 1 + 1 + 2;
    guint count;

    if (!connect_is_valid(connect))
        return FALSE;
    count = connect_fields(connect, fields);
    for (guint i = 0; i < count; i++)
        body += 2 + fields[i].len;
    if (!body_fits(body, MQTT_CONNECT_MAX))
        return FALSE;
    put_header(out, MQTT_CONNECT, 0, body);
    put_string(out, slice_of(PROTOCOL));
    put_u8(out, LEVEL);
    put_u8(out, connect_flags(connect));
    put_u16(out, connect->keep_alive);
    for (guint i = 0; i < count; i++)
        put_string(out, fields[i]);
    return TRUE;
}

void
mqtt_write_connack(GByteArray *out, gboolean session_present, guint8 code)
{
    put_header(out, MQTT_CONNACK, 0, 2);
    put_u8(out, session_present && code == MQTT_ACCEPTED);
    put_u8(out, code);
}

void
mqtt_write_connack_5(GByteArray *out, guint8 code)
{
    put_header(out, MQTT_CONNACK, 0, 3);
    put_u8(out, 0);
    put_u8(out, code);
    put_u8(out, 0); /* no properties */
}

static gboolean
publish_is_valid(const MqttPublish *p)
{
    if (!mqtt_topic_is_valid(p->topic) || p->qos > MQTT_QOS_MAX)
        return FALSE;
    return p->qos > 0 ? p->packet_id != 0 : !p->dup;
}

gboolean
mqtt_write_publish(GByteArray *out, const MqttPublish *publish)
{
    gsize body = 2 + publish->topic.len + (publish->qos > 0 ? 2u : 0u);

    if (!publish_is_valid(publish) || publish->payload.len > MQTT_PACKET_MAX)
        return FALSE;
    body += publish->payload.len;
    if (!body_fits(body, MQTT_PACKET_MAX))
        return FALSE;
    put_header(out, MQTT_PUBLISH,
               (guint8)((publish->dup ? 8 : 0) | publish->qos << 1 | (publish->retain ? 1 : 0)),
               body);
    put_string(out, publish->topic);
    if (publish->qos > 0)
        put_u16(out, publish->packet_id);
    put_slice(out, publish->payload);
    return TRUE;
}

void
mqtt_write_id(GByteArray *out, MqttType type, guint16 packet_id)
{
    g_assert(type == MQTT_PUBACK || type == MQTT_UNSUBACK);
    put_header(out, type, 0, 2);
    put_u16(out, packet_id);
}

static gboolean
filters_are_valid(const MqttFilter *filters, gsize count, gboolean has_qos, gsize *ret_body)
{
    gsize body = 2;

    for (gsize i = 0; i < count; i++) {
        if (!mqtt_filter_is_valid(filters[i].filter))
            return FALSE;
        if (has_qos && filters[i].qos > MQTT_QOS_MAX)
            return FALSE;
        body += 2 + filters[i].filter.len + (has_qos ? 1u : 0u);
        if (!body_fits(body, MQTT_PACKET_MAX))
            return FALSE;
    }
    *ret_body = body;
    return count > 0;
}

static gboolean
write_filters(GByteArray *out, MqttType type, guint16 packet_id, const MqttFilter *filters,
              gsize count)
{
    gboolean has_qos = type == MQTT_SUBSCRIBE;
    gsize body;

    if (packet_id == 0 || !filters_are_valid(filters, count, has_qos, &body))
        return FALSE;
    put_header(out, type, FLAGS_SUBSCRIBE, body);
    put_u16(out, packet_id);
    for (gsize i = 0; i < count; i++) {
        put_string(out, filters[i].filter);
        if (has_qos)
            put_u8(out, filters[i].qos);
    }
    return TRUE;
}

gboolean
mqtt_write_subscribe(GByteArray *out, guint16 packet_id, const MqttFilter *filters, gsize count)
{
    return write_filters(out, MQTT_SUBSCRIBE, packet_id, filters, count);
}

gboolean
mqtt_write_unsubscribe(GByteArray *out, guint16 packet_id, const MqttFilter *filters, gsize count)
{
    return write_filters(out, MQTT_UNSUBSCRIBE, packet_id, filters, count);
}

gboolean
mqtt_write_suback(GByteArray *out, guint16 packet_id, const guint8 *codes, gsize count)
{
    if (packet_id == 0 || count == 0 || count > MQTT_PACKET_MAX ||
        !body_fits(2 + count, MQTT_PACKET_MAX))
        return FALSE;
    for (gsize i = 0; i < count; i++)
        if (codes[i] > MQTT_QOS_MAX && codes[i] != MQTT_SUBACK_REFUSED)
            return FALSE;
    put_header(out, MQTT_SUBACK, 0, 2 + count);
    put_u16(out, packet_id);
    g_byte_array_append(out, codes, (guint)count);
    return TRUE;
}

void
mqtt_write_empty(GByteArray *out, MqttType type)
{
    g_assert(type == MQTT_PINGREQ || type == MQTT_PINGRESP || type == MQTT_DISCONNECT);
    put_header(out, type, 0, 0);
}
