/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which filters a device may subscribe to, and what that means to the table of devices. */
#include "common/codec/mqtt-writer.h"
#include "common/topic/stream-topic.h"
#include "hub/device/mqtt-session-private.h"
#include "hub/device/twin.h"

#define GRANTED_QOS_MAX 1

/* 0: none that the table of devices knows. */
static DeviceFeeds
filter_feeds(Slice filter)
{
    return (stream_filter_is_requests(filter) ? DEVICE_FEED_REQUESTS : 0) |
           (stream_filter_is_answers(filter) ? DEVICE_FEED_ANSWERS : 0);
}

void
mqtt_session_subscribe(MqttSession *session, const MqttPacket *packet)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GByteArray) codes = g_byte_array_new();
    MqttFilters filters, again;
    Slice filter;
    guint8 qos;

    if (!mqtt_read_filters(packet, &filters)) {
        mqtt_session_close(session, "bad SUBSCRIBE");
        return;
    }
    again = filters;
    while (mqtt_filters_next(&filters, &filter, &qos)) {
        gboolean known = filter_feeds(filter) != 0 || twin_filter_is_known(filter);
        guint8 code = known ? MIN(qos, GRANTED_QOS_MAX) : MQTT_SUBACK_REFUSED;

        g_byte_array_append(codes, &code, 1);
    }
    if (codes->len > session->service->settings->subscriptions_per_connection ||
        !mqtt_write_suback(out, filters.packet_id, codes->data, codes->len)) {
        mqtt_session_close(session, "too many filters");
        return;
    }
    mqtt_session_send(session, out);
    while (mqtt_filters_next(&again, &filter, NULL))
        devices_subscribe(session->service->devices, &session->base, filter_feeds(filter));
    if (session->rekey)
        rekeys_ready(session->service->rekeys, &session->base);
    session->rekey = FALSE;
}

void
mqtt_session_unsubscribe(MqttSession *session, const MqttPacket *packet)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    MqttFilters filters;
    Slice filter;

    if (!mqtt_read_filters(packet, &filters)) {
        mqtt_session_close(session, "bad UNSUBSCRIBE");
        return;
    }
    while (mqtt_filters_next(&filters, &filter, NULL))
        devices_unsubscribe(session->service->devices, &session->base, filter_feeds(filter));
    mqtt_write_id(out, MQTT_UNSUBACK, filters.packet_id);
    mqtt_session_send(session, out);
}
