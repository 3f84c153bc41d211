/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT packets: the first byte says who sends (bit 0: a server), the rest is one packet. What can
 * be read can be written again and reads the same. */
#include "common/codec/mqtt-writer.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(gboolean good)
{
    if (!good)
        abort();
}

static gboolean
same(Slice a, Slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static MqttPacket
reopen(const GByteArray *out, MqttSender from)
{
    MqttPacket packet;

    require(mqtt_packet_open(out->data, out->len, from, &packet));
    return packet;
}

static void
try_connect(const MqttPacket *packet, GByteArray *out)
{
    MqttConnect connect, back;
    MqttClaim claim = {0};
    gboolean claimed = mqtt_read_claim(packet, &claim);

    require(claim.client_id.len <= packet->body.len);
    if (mqtt_read_connect(packet, &connect) != MQTT_CONNECT_OK)
        return;
    require(claimed && claim.level == 4 && same(claim.client_id, connect.client_id));
    if (!mqtt_write_connect(out, &connect)) {
        require(packet->body.len > MQTT_STRING_MAX);
        return;
    }
    MqttPacket again = reopen(out, MQTT_FROM_CLIENT);
    require(mqtt_read_connect(&again, &back) == MQTT_CONNECT_OK);
    require(same(again.body, packet->body) && same(back.client_id, connect.client_id));
}

static void
try_publish(const MqttPacket *packet, GByteArray *out)
{
    MqttPublish publish, back;

    if (!mqtt_read_publish(packet, &publish))
        return;
    require(mqtt_write_publish(out, &publish));
    MqttPacket again = reopen(out, MQTT_FROM_SERVER);
    require(again.flags == packet->flags && same(again.body, packet->body));
    require(mqtt_read_publish(&again, &back) && same(back.payload, publish.payload));
}

static void
try_filters(const MqttPacket *packet, GByteArray *out)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(MqttFilter));
    MqttFilters filters;
    MqttFilter filter = {0};

    if (!mqtt_read_filters(packet, &filters))
        return;
    while (mqtt_filters_next(&filters, &filter.filter, &filter.qos))
        g_array_append_val(list, filter);
    require(list->len == filters.count);
    const MqttFilter *first = &g_array_index(list, MqttFilter, 0);
    if (packet->type == MQTT_SUBSCRIBE)
        require(mqtt_write_subscribe(out, filters.packet_id, first, list->len));
    else
        require(mqtt_write_unsubscribe(out, filters.packet_id, first, list->len));
    require(same(reopen(out, MQTT_FROM_CLIENT).body, packet->body));
}

static void
try_suback(const MqttPacket *packet, GByteArray *out)
{
    MqttSuback suback;

    if (!mqtt_read_suback(packet, &suback))
        return;
    require(mqtt_write_suback(out, suback.packet_id, (const guint8 *)suback.codes.ptr,
                              suback.codes.len));
    require(same(reopen(out, MQTT_FROM_SERVER).body, packet->body));
}

static void
try_small(const MqttPacket *packet, GByteArray *out)
{
    MqttConnack connack;
    guint16 packet_id;

    if (mqtt_read_connack(packet, &connack)) {
        mqtt_write_connack(out, connack.session_present, connack.code);
        require(same(reopen(out, MQTT_FROM_SERVER).body, packet->body));
    }
    if (mqtt_read_id(packet, &packet_id))
        require(packet_id != 0 && packet->body.len == 2);
    if (mqtt_read_empty(packet))
        require(packet->body.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    MqttPacket packet;
    gsize total = 0;

    if (size < 1 || size > MQTT_PACKET_MAX)
        return 0;
    MqttSender from = data[0] & 1 ? MQTT_FROM_SERVER : MQTT_FROM_CLIENT;
    MqttSize result = mqtt_packet_size(data + 1, size - 1, MQTT_PACKET_MAX, &total);
    require(result != MQTT_SIZE_OK || (total >= MQTT_HEADER_MIN && total <= MQTT_PACKET_MAX));
    if (!mqtt_packet_open(data + 1, size - 1, from, &packet))
        return 0;
    require(result == MQTT_SIZE_OK && total == size - 1);
    switch (packet.type) {
    case MQTT_CONNECT:
        try_connect(&packet, out);
        break;
    case MQTT_PUBLISH:
        try_publish(&packet, out);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        try_filters(&packet, out);
        break;
    case MQTT_SUBACK:
        try_suback(&packet, out);
        break;
    default:
        try_small(&packet, out);
        break;
    }
    return 0;
}
