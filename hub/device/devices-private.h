/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of devices, shared by devices.c and devices-cut.c alone. */
#pragma once

#include "hub/device/devices.h"
#include "hub/device/reconnects.h"

typedef struct {
    char *client_id;
    DeviceLink *link; /* NULL: away */
    gboolean requests;    /* subscribed to them */
    gboolean answers;
    gboolean keep; /* the subscriptions outlive the connection */
} Device;

struct Devices {
    const Settings *settings;
    const DevicesEvents *events;
    void *data;
    GHashTable *by_id; /* client id inside the Device -> Device */
    guint connected;
    guint64 connects, crowded, waits; /* since the start */
    Clones *clones;
    Reconnects *reconnects;
    GHashTable *waiting; /* client id inside the link -> DeviceLink: authenticated, not connected */
};

Device *devices_find(Devices *devices, const char *client_id); /* NULL: it has no entry */

/* Its connection is gone: tells whoever waits for it. The link is the caller's to close. */
void device_lose_link(Devices *devices, Device *device);

/* Removes the entry when it has nothing to remember. */
void device_settle(Devices *devices, Device *device);
