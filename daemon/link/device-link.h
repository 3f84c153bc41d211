/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device link: keeps a device connected to its hub (docs/wire-protocol.md, section 1).
 *
 * It retries for ever, with jitter (backoff.h). At 80 % of the token's life it makes a second
 * connection with a new token, which takes over from the first without a gap. A stream whose leg is
 * up does not depend on it. Main thread. */
#pragma once

#include "daemon/link/device-session.h"
#include "daemon/link/hub.h"
#include "daemon/net/backoff.h"

typedef struct DeviceLink DeviceLink;

typedef struct {
    /* ERROR: one clause, or NULL for none. */
    void (*state)(DeviceLink *link, HubState state, const char *error, void *data);
    void (*request)(DeviceLink *link, const StreamRequest *request, void *data);
    void (*notice)(DeviceLink *link, const Notice *notice, void *data);
    void (*key)(DeviceLink *link, const KeyOffer *offer, void *data);
    /* The hub closed the connection because another machine took over. */
    void (*taken_over)(DeviceLink *link, void *data);
    /* Whether a stream waits for the hub: then no pause is longer than DEVICE_LINK_AWAITED. */
    gboolean (*awaited)(DeviceLink *link, void *data);
} DeviceLinkEvents;

/* OPTIONS is copied; what it points to outlives the link. Its keep_alive is the longest pause that
 * is tried (keep-alive.h). Starts disconnected. */
DeviceLink *device_link_new(Runtime *runtime, const DeviceSessionOptions *options,
                            const DeviceLinkEvents *events, void *data);
void device_link_free(DeviceLink *link); /* NULL is fine */

void device_link_start(DeviceLink *link); /* now; also when it waits for the next attempt */
void device_link_stop(DeviceLink *link);

/* A stream waits for the hub from now on: an attempt that is due later than DEVICE_LINK_AWAITED
 * comes soon. Not when the hub refuses the identity, or another machine uses it. */
#define DEVICE_LINK_AWAITED (3 * G_TIME_SPAN_SECOND)
void device_link_hurry(DeviceLink *link);

/* Another machine uses this identity: the attempts after the next losses come later and later, so
 * that the two do not take over from each other all the time (backoff.h). */
void device_link_dispute(DeviceLink *link);

/* A stream was cut: perhaps the link is as dead as its leg. */
void device_link_probe(DeviceLink *link);
/* The same when a stream waits for the link: the answer has DEVICE_LINK_WAITED_FOR. */
#define DEVICE_LINK_WAITED_FOR (3 * G_TIME_SPAN_SECOND)
void device_link_probe_soon(DeviceLink *link);

/* The network has changed, or the machine woke up. A link that is up must answer a ping within
 * DEVICE_LINK_PROBE; one that is down is retried at once. */
#define DEVICE_LINK_PROBE (2 * G_TIME_SPAN_SECOND)
void device_link_network_changed(DeviceLink *link);

/* The identity of the options has another key from now on: makes a new connection with it, within
 * DEVICE_LINK_KEY_WAIT, which takes over as at a renewal. */
#define DEVICE_LINK_KEY_WAIT (2 * G_TIME_SPAN_SECOND)
void device_link_use_key(DeviceLink *link);

/* There is another certificate to show: a link that is up makes a second connection, which takes
 * over from the first; one that waits tries now. */
void device_link_certificate_changed(DeviceLink *link);

/* Where it connects from the next attempt on; HOST outlives the link, or the next call. */
void device_link_set_way(DeviceLink *link, const char *host, guint16 port);

/* FALSE when it is not connected: the hub asks again after the next SUBSCRIBE. */
gboolean device_link_publish(DeviceLink *link, const char *topic);
