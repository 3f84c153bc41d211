/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session can be told and the scripts of streams never say to it. */
#include "hub/device/mqtt-session.h"

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
