/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MQTT session: one connection of a device, from its CONNECT to its end (docs/wire-protocol.md,
 * sections 1.2 to 1.6; requirements R13 to R18). Main thread. */
#pragma once

#include "hub/base/clock.h"
#include "hub/device/devices.h"
#include "hub/device/packet-share.h"
#include "hub/device/rekeys.h"
#include "hub/device/sightings.h"
#include "hub/device/telemetry.h"
#include "hub/edge/auth.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"

typedef struct MqttSession MqttSession;

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
    Telemetry *telemetry;
    Queue *queue;
    TlsTrust *trust;   /* the authorities of devices; NULL: none */
    GQueue sessions;   /* all of them, those before CONNECT too */
    gboolean stopping; /* refuse with 3 */
} MqttService;

/* Takes the handover. The session frees itself when its connection is over. */
void mqtt_session_new(MqttService *service, const Handover *handover);

void mqtt_service_close_all(MqttService *service);
