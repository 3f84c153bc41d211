/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device link: one connection of a device or module, without the protocol that it speaks. This is
 * the seam between the protocols and all that is above them: streams, requests of services, the
 * operator. A protocol embeds a DeviceLink in its own session, fills it once the device has
 * authenticated, and tells hub/device/devices.h what the device says. MQTT does it
 * (mqtt-session.c); for another one nothing above this folder changes. Main thread. */
#pragma once

#include "common/codec/stream-message.h"
#include "common/net/tls-client.h"
#include "hub/registry/registry.h"

typedef struct DeviceLink DeviceLink;

/* What the hub asks of a link. LINK is connected. */
typedef struct {
    /* Ask the device for a stream. Nothing says that it has arrived; the answer comes by
     * devices_answer. REQUEST has a token: wipe every copy of it. */
    void (*request)(DeviceLink *link, const StreamRequest *request);
    void (*notify)(DeviceLink *link, const char *notice); /* of notice_build */
    /* Offer the device the key KEY (base64), as number RID: wipe every copy of it. */
    void (*offer_key)(DeviceLink *link, guint64 rid, const char *key);
    /* End and free it. It calls devices_disconnect. */
    void (*close)(DeviceLink *link, const char *why);
    /* The same; another machine with the same identity has taken its place. TRUE: the device is
     * told so. */
    gboolean (*close_taken_over)(DeviceLink *link);
} DeviceLinkFuncs;

/* Constant from its admission on. */
struct DeviceLink {
    const DeviceLinkFuncs *funcs;
    char *client_id;       /* {device} or {device}/{module} */
    char *policy;          /* that signed; NULL: the device's own key */
    TlsClient *client;     /* the certificate that let it in; NULL: a token did */
    gboolean by_authority; /* the certificate counts because of who issued it */
    RegistryKeys keys;     /* which of its policy's keys, or its own, admitted it */
    Caps caps;
    const char *instance; /* "": it named none */
};
