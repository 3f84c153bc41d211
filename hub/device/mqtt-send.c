/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hub asks of a session, and what it sends by it. */
#include "hub/device/mqtt-session-private.h"

#include "common/codec/mqtt-writer.h"
#include "common/topic/stream-topic.h"
#include "common/extension/key-offer.h"
#include "common/extension/notice.h"

#define MQTT_PUBLISH_ROOM 16 /* bytes of a PUBLISH beside topic and payload */

void
mqtt_session_send(MqttSession *session, GByteArray *packet)
{
    packet_link_send(session->packets, packet->data, packet->len);
}

void
mqtt_session_send_message(MqttSession *session, const char *topic, const char *payload)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const MqttPublish publish = {.topic = slice_of(topic), .payload = slice_of(payload)};

    if (mqtt_write_publish(out, &publish))
        mqtt_session_send(session, out);
}

static MqttSession *
session_of(DeviceLink *link)
{
    return CONTAINER_OF(link, MqttSession, base);
}

static void
session_publish(MqttSession *session, const MqttPublish *publish)
{
    /* it does not grow, so that no key is left behind in memory */
    gsize room = publish->topic.len + publish->payload.len + MQTT_PUBLISH_ROOM;
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)room);

    if (mqtt_write_publish(out, publish))
        mqtt_session_send(session, out);
    explicit_bzero(out->data, out->len); /* it carried a token or a key */
    /* R12: the link was idle and may be dead. streamd is pinged; other clients are not, because a
     * ping may break them. */
    packet_link_probe(session->packets, session->service->settings->link_probe,
                      session->base.caps != 0);
}

static void
link_notify(DeviceLink *link, const char *notice)
{
    mqtt_session_send_message(session_of(link), NOTICE_TOPIC, notice);
}

/* An empty PUBLISH: all is in the topic. */
static void
link_request(DeviceLink *link, const StreamRequest *request)
{
    MqttSession *session = session_of(link);
    g_autoptr(GString) topic = g_string_sized_new(STREAM_TOPIC_MAX);

    if (stream_request_build(topic, request) != STREAM_TOPIC_OK) {
        g_debug("mqtt %s: a request for a stream cannot be put in a topic", session->peer);
        return;
    }
    session->owed++;
    session_publish(session, &(MqttPublish){.topic = slice_of(topic->str)});
    explicit_bzero(topic->str, topic->len);
}

static void
link_offer_key(DeviceLink *link, guint64 rid, const char *key)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, rid);
    g_autoptr(GString) topic = g_string_new(NULL);

    key_offer_build(topic, number);
    session_publish(session_of(link),
                    &(MqttPublish){.topic = slice_of(topic->str), .payload = slice_of(key)});
}

static void
link_close(DeviceLink *link, const char *why)
{
    mqtt_session_close(session_of(link), why);
}

static gboolean
link_close_taken_over(DeviceLink *link)
{
    return mqtt_session_close_taken_over(session_of(link));
}

const DeviceLinkFuncs mqtt_link_funcs = {.request = link_request,
                                         .notify = link_notify,
                                         .offer_key = link_offer_key,
                                         .close = link_close,
                                         .close_taken_over = link_close_taken_over};
