/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links of devices without connections, in no protocol. What they are asked for is written down. */
#pragma once

#include "hub/device/devices.h"

typedef struct {
    DeviceLink link; /* first */
    char *key;       /* offered last */
    gboolean framed;     /* its close frame can say why */
    gboolean taken_over; /* it was closed with that reason */
    GPtrArray *topics;   /* of requests and of keys, as MQTT has them */
    GPtrArray *notices;
    char *closed; /* why; NULL: it is open */
    Devices *devices;
} Session;

/* Not connected yet. After its end it is kept for session_free. */
Session *session_new(Devices *devices, const char *client_id, const char *policy, Caps caps);
void session_free(Session *session);
