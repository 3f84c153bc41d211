/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the scripts of streams never say to a session, or ask it in vain. */
#include "hub/device/mqtt-session.h"

const char *
mqtt_session_instance(MqttSession *session G_GNUC_UNUSED)
{
    return "";
}

gboolean
mqtt_session_close_taken_over(MqttSession *session G_GNUC_UNUSED)
{
    g_assert_not_reached();
}

void
mqtt_session_notify(MqttSession *session G_GNUC_UNUSED, const char *notice G_GNUC_UNUSED)
{
    g_assert_not_reached();
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
mqtt_session_keys(MqttSession *session G_GNUC_UNUSED)
{
    return REGISTRY_KEY_PRIMARY;
}
