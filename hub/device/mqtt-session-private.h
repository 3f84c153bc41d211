/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session, shared by mqtt-session.c and mqtt-send.c alone. */
#pragma once

#include "common/net/packet-link.h"
#include "hub/device/mqtt-session.h"
#include "hub/device/mqtt-user.h"

typedef enum {
    SESSION_NEW,      /* waits for CONNECT */
    SESSION_CHECKING, /* of the credentials */
    SESSION_UP,
} SessionState;

struct MqttSession {
    MqttService *service;
    PacketLink *link;
    Slot *slot;
    GList node; /* in the service's sessions */
    SessionState state;
    AuthCheck *check;
    MqttUser user;
    char *claimed; /* of a CONNECT: who it says it is; NULL: nobody */
    char *client_id;
    char *policy;
    TlsClient *client;     /* what it showed in TLS; NULL: nothing */
    gboolean by_authority; /* that counts because of who issued it */
    RegistryKeys keys;
    gboolean rekey; /* a new key waits for its SUBSCRIBE */
    char *peer;
    gboolean clean;
    guint16 keep_alive;
    GByteArray *early; /* packets that came while we check; NULL: none */
    Timer expiry;      /* of the token */
    PacketShare share;
    gboolean slowed; /* it was over its share, and this was logged */
    guint owed;      /* answers that we asked for: they do not count */
    gboolean framed; /* in a WebSocket: its close frame can say why */
};

void mqtt_session_send(MqttSession *session, GByteArray *packet);
void mqtt_session_send_message(MqttSession *session, const char *topic, const char *payload);
