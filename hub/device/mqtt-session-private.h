/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session, shared by the files of MQTT alone. */
#pragma once

#include "common/codec/mqtt-packet.h"
#include "common/net/packet-link.h"
#include "hub/device/link.h"
#include "hub/device/mqtt-session.h"
#include "hub/device/mqtt-user.h"

typedef enum {
    SESSION_NEW,      /* waits for CONNECT */
    SESSION_CHECKING, /* of the credentials */
    SESSION_WAITING,  /* they are good, and its CONNACK is not due yet */
    SESSION_UP,
} SessionState;

struct MqttSession {
    DeviceLink base; /* first; its client id and certificate are set before it authenticates */
    MqttService *service;
    PacketLink *packets;
    Slot *slot;
    GList node; /* in the service's sessions */
    SessionState state;
    AuthCheck *check;
    MqttUser user;
    char *claimed; /* of a CONNECT: who it says it is; NULL: nobody */
    gboolean rekey; /* a new key waits for its SUBSCRIBE */
    char *peer;
    gboolean clean;
    guint16 keep_alive;
    GByteArray *early; /* packets that came before its CONNACK; NULL: none */
    Timer expiry;      /* of the token */
    Timer due;         /* of the CONNACK, while it waits */
    gint64 waited;     /* for it; 0 once the device has sent something since */
    PacketShare share;
    gboolean slowed; /* it was over its share, and this was logged */
    guint owed;      /* answers that we asked for: they do not count */
    gboolean framed; /* in a WebSocket: its close frame can say why */
};

/* The functions of `base`. */
extern const DeviceLinkFuncs mqtt_link_funcs;

void mqtt_session_close(MqttSession *session, const char *why); /* frees it */

/* Its connection is taken over by that of another machine. TRUE: it is told so. */
gboolean mqtt_session_close_taken_over(MqttSession *session);

/* PACKET is of that kind. They may close, and so free, the session. */
void mqtt_session_subscribe(MqttSession *session, const MqttPacket *packet);
void mqtt_session_unsubscribe(MqttSession *session, const MqttPacket *packet);

void mqtt_session_send(MqttSession *session, GByteArray *packet);
void mqtt_session_send_message(MqttSession *session, const char *topic, const char *payload);
