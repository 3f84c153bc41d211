/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of devices, shared by devices.c and devices-cut.c alone. */
#pragma once

#include "hub/device/devices.h"

typedef struct {
    char *client_id;
    MqttSession *session; /* NULL: away */
    gboolean requests;    /* subscribed to them */
    gboolean answers;
    gboolean keep; /* the subscriptions outlive the connection */
    double takeovers;
    gint64 takeover_time;
    GList node;    /* in `fading` */
    gint64 queued; /* since when it is there; 0: it is not */
} Device;

struct Devices {
    const Settings *settings;
    const DevicesEvents *events;
    void *data;
    GHashTable *by_id; /* client id inside the Device -> Device */
    guint connected;
    guint64 connects, crowded; /* since the start */
    Clones *clones;
    GQueue fading; /* entries that are kept for their take-overs alone, the oldest first */
};

Device *devices_find(Devices *devices, const char *client_id); /* NULL: it has no entry */

/* Its connection is gone: tells whoever waits for it. The session is the caller's to close. */
void device_lose_link(Devices *devices, Device *device);

/* Removes the entry when it has nothing to remember; one that has only take-overs is removed once
 * they have faded. */
void device_settle(Devices *devices, Device *device);
