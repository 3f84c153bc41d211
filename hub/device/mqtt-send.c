/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hub asks of a session, and what it sends by it. */
#include "hub/device/mqtt-session-private.h"

#include "common/codec/mqtt-writer.h"
#include "common/extension/notice.h"

void
mqtt_session_send(MqttSession *session, GByteArray *packet)
{
    packet_link_send(session->link, packet->data, packet->len);
}

void
mqtt_session_send_message(MqttSession *session, const char *topic, const char *payload)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const MqttPublish publish = {.topic = slice_of(topic), .payload = slice_of(payload)};

    if (mqtt_write_publish(out, &publish))
        mqtt_session_send(session, out);
}

const char *
mqtt_session_client_id(MqttSession *session)
{
    return session->client_id;
}

const char *
mqtt_session_policy(MqttSession *session)
{
    return session->policy;
}

TlsClient *
mqtt_session_client(MqttSession *session)
{
    return session->state == SESSION_UP ? session->client : NULL;
}

gboolean
mqtt_session_is_by_authority(MqttSession *session)
{
    return session->by_authority;
}

RegistryKeys
mqtt_session_keys(MqttSession *session)
{
    return session->keys;
}

Caps
mqtt_session_caps(MqttSession *session)
{
    return session->user.type.caps;
}

const char *
mqtt_session_instance(MqttSession *session)
{
    return session->user.type.instance;
}

static void
session_publish(MqttSession *session, const MqttPublish *publish)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    if (mqtt_write_publish(out, publish))
        mqtt_session_send(session, out);
    explicit_bzero(out->data, out->len); /* it carried a token or a key */
    /* R12: the link was idle and may be dead. streamd is pinged; other clients are not, because a
     * ping may break them. */
    packet_link_probe(session->link, session->service->settings->link_probe,
                      session->user.type.caps != 0);
}

void
mqtt_session_notify(MqttSession *session, const char *notice)
{
    mqtt_session_send_message(session, NOTICE_TOPIC, notice);
}

void
mqtt_session_publish(MqttSession *session, const char *topic)
{
    session->owed++;
    session_publish(session, &(MqttPublish){.topic = slice_of(topic)});
}

void
mqtt_session_offer_key(MqttSession *session, const char *topic, const char *key)
{
    session_publish(session, &(MqttPublish){.topic = slice_of(topic), .payload = slice_of(key)});
}
