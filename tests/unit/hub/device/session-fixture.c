/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/device/session-fixture.h"

#include "hub/device/mqtt-session.h"

MqttSession *
session_new(Devices *devices, const char *client_id, const char *policy, Caps caps)
{
    MqttSession *session = g_new0(MqttSession, 1);

    session->client_id = g_strdup(client_id);
    session->policy = g_strdup(policy);
    session->caps = caps;
    session->instance = "";
    session->topics = g_ptr_array_new_with_free_func(g_free);
    session->notices = g_ptr_array_new_with_free_func(g_free);
    session->devices = devices;
    return session;
}

void
session_free(MqttSession *session)
{
    g_ptr_array_unref(session->topics);
    g_ptr_array_unref(session->notices);
    g_free(session->client_id);
    g_free(session->policy);
    g_free(session->closed);
    g_free(session->key);
    g_free(session);
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
mqtt_session_client(MqttSession *session G_GNUC_UNUSED)
{
    return NULL;
}

gboolean
mqtt_session_is_by_authority(MqttSession *session G_GNUC_UNUSED)
{
    return FALSE;
}

RegistryKeys
mqtt_session_keys(MqttSession *session)
{
    return session->keys;
}

Caps
mqtt_session_caps(MqttSession *session)
{
    return session->caps;
}

const char *
mqtt_session_instance(MqttSession *session)
{
    return session->instance;
}

gboolean
mqtt_session_close_taken_over(MqttSession *session)
{
    session->taken_over = TRUE;
    mqtt_session_close(session, "taken over by another machine");
    return session->framed;
}

void
mqtt_session_publish(MqttSession *session, const char *topic)
{
    g_assert_null(session->closed);
    g_ptr_array_add(session->topics, g_strdup(topic));
}

void
mqtt_session_notify(MqttSession *session, const char *notice)
{
    g_assert_null(session->closed);
    g_ptr_array_add(session->notices, g_strdup(notice));
}

void
mqtt_session_offer_key(MqttSession *session, const char *topic, const char *key)
{
    g_ptr_array_add(session->topics, g_strdup(topic));
    g_free(session->key);
    session->key = g_strdup(key);
}

/* As a real one does, it says that it is gone. */
void
mqtt_session_close(MqttSession *session, const char *why)
{
    g_assert_null(session->closed);
    session->closed = g_strdup(why);
    devices_disconnect(session->devices, session);
}
