/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces hub/device/mqtt-session.c: sessions of devices without their connections. */
#pragma once

#include "hub/device/devices.h"

struct MqttSession {
    char *client_id;
    char *policy;      /* that signed; NULL: the device's own key */
    RegistryKeys keys; /* that it was admitted by */
    Caps caps;
    char *key; /* offered last */
    const char *instance;
    gboolean framed;     /* its close frame can say why */
    gboolean taken_over; /* it was closed with that reason */
    GPtrArray *topics;   /* published to it */
    GPtrArray *notices;
    char *closed; /* why; NULL: it is open */
    Devices *devices;
};

/* Not connected yet. After its end it is kept for session_free. */
MqttSession *session_new(Devices *devices, const char *client_id, const char *policy, Caps caps);
void session_free(MqttSession *session);
