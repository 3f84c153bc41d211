/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT session: one connection of a device, from its CONNECT to its end (docs/wire-protocol.md,
 * sections 1.2 to 1.6; requirements R13 to R18). Main thread. */
#pragma once

#include "hub/base/clock.h"
#include "hub/device/devices.h"
#include "hub/device/packet-share.h"
#include "hub/device/rekeys.h"
#include "hub/device/sightings.h"
#include "hub/edge/auth.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"

/* What all sessions share; kept by reference. */
typedef struct {
    const Settings *settings;
    Auth *auth;
    Clock *clock;
    Devices *devices;
    PacketShares *shares;
    Rekeys *rekeys;
    Sightings *sightings;
    RefusalLog *refusals; /* NULL: refusals are not logged */
    Queue *queue;
    TlsTrust *trust;   /* the authorities of devices; NULL: none */
    GQueue sessions;   /* all of them, those before CONNECT too */
    gboolean stopping; /* refuse with 3 */
} MqttService;

/* Takes the handover. The session frees itself when its connection is over. */
void mqtt_session_new(MqttService *service, const Handover *handover);

/* For hub/device/devices.c and hub/device/rekeys.c. */
const char *mqtt_session_client_id(MqttSession *session);
const char *mqtt_session_policy(MqttSession *session); /* that signed; NULL: the device's own key */
/* The certificate that let it in, and whether that counts because of who issued it; NULL: a token
 * did. */
TlsClient *mqtt_session_client(MqttSession *session);
gboolean mqtt_session_is_by_authority(MqttSession *session);
/* With which of the keys of its policy, or of its own, it was admitted; none: not by a key. */
RegistryKeys mqtt_session_keys(MqttSession *session);
Caps mqtt_session_caps(MqttSession *session);
const char *mqtt_session_instance(MqttSession *session); /* "": it named none */
void mqtt_session_publish(MqttSession *session, const char *topic);
void mqtt_session_notify(MqttSession *session, const char *notice); /* the payload */
/* KEY is the payload. */
void mqtt_session_offer_key(MqttSession *session, const char *topic, const char *key);
void mqtt_session_close(MqttSession *session, const char *why); /* frees it */

/* The same; its connection is taken over by that of another machine. TRUE: it is told so. */
gboolean mqtt_session_close_taken_over(MqttSession *session);

void mqtt_service_close_all(MqttService *service);
