/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device links: takes the connections of devices from the edge, and serves each in the protocol
 * that it speaks. Who is connected is in hub/device/devices.h; here is what all connections share.
 * Main thread. */
#pragma once

#include "common/loop/queue.h"
#include "hub/base/clock.h"
#include "hub/device/devices.h"
#include "hub/device/rekeys.h"
#include "hub/device/sightings.h"
#include "hub/edge/auth.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"

typedef struct DeviceLinks DeviceLinks;

/* Kept by reference. */
typedef struct {
    const Settings *settings;
    Auth *auth;
    Clock *clock;
    Devices *devices;
    Rekeys *rekeys;
    Sightings *sightings;
    RefusalLog *refusals; /* NULL: refusals are not logged */
    Queue *queue;
} DeviceLinksNeeds;

DeviceLinks *device_links_new(const DeviceLinksNeeds *needs);

/* After device_links_close_all. NULL is fine. */
void device_links_free(DeviceLinks *links);

/* A device has connected. Takes the handover. */
void device_links_take(DeviceLinks *links, const Handover *handover);

/* The authorities of devices from now on; NULL: none. Takes a reference. */
void device_links_set_trust(DeviceLinks *links, TlsTrust *trust);

/* Refuses whoever connects from now on. FALSE: it did already. */
gboolean device_links_stop(DeviceLinks *links);
void device_links_close_all(DeviceLinks *links);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceLinks, device_links_free)
