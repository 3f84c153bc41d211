/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices: which devices are connected, by client id ({device} or {device}/{module}), and what each
 * has subscribed to. With clean session 0 a subscription is kept while the device is away
 * (docs/wire-protocol.md, section 1.2). Main thread. */
#pragma once

#include "common/extension/statement.h"
#include "hub/base/settings.h"
#include "hub/device/clones.h"
#include "hub/device/link.h"
#include "hub/registry/device-auth.h"

typedef struct Devices Devices;

typedef struct {
    /* It subscribed to requests, or came back with that subscription kept. */
    void (*subscribed)(const char *client_id, void *data);
    /* It is connected and knows it, so that it can be told something. May be NULL. */
    void (*connected)(const char *client_id, Caps caps, void *data);
    /* An instance came back that another one had replaced. May be NULL. */
    void (*cloned)(const char *client_id, const CloneReport *report, void *data);
    void (*link_lost)(const char *client_id, void *data);
    void (*answer)(const char *client_id, const StreamAnswer *answer, void *data);
    /* It keeps the statements of this kind up to SERIAL. May be NULL. */
    void (*kept)(const char *client_id, StatementKind kind, guint64 serial, void *data);
} DevicesEvents;

/* Kept by reference: SETTINGS, EVENTS. */
Devices *devices_new(const Settings *settings, const DevicesEvents *events, void *data);
void devices_free(Devices *devices);

/* For streams. */

/* Connected and subscribed to requests. */
gboolean devices_is_online(Devices *devices, const char *client_id);
gboolean devices_is_connected(Devices *devices, const char *client_id);
guint devices_count(Devices *devices); /* connected */

/* What its present connection can do; 0 when it is not connected. */
Caps devices_caps(Devices *devices, const char *client_id);

/* Its present connection, borrowed until the main loop runs; NULL: it is away. */
DeviceLink *devices_link(Devices *devices, const char *client_id);

/* The key that its present connection was made with, of its own two; none when it is away or was
 * admitted by other means. */
RegistryKeys devices_keys(Devices *devices, const char *client_id);
/* Whether two machines use its identity now (clones.h); and of how many devices that is so. */
gboolean devices_is_cloned(Devices *devices, const char *client_id, CloneReport *ret);
guint devices_cloned(Devices *devices);

/* Since the start: connections that were taken, those that were refused because another machine
 * with the same identity had just connected, and those that had to wait (devices_wait), whatever
 * became of them. */
guint64 devices_connects(const Devices *devices);
guint64 devices_crowded(const Devices *devices);
guint64 devices_waits(const Devices *devices);
guint devices_waiting(Devices *devices); /* links that wait now */

/* Calls FUNC for each that is connected. FUNC must not change who is. */
void devices_foreach(Devices *devices, void (*func)(const char *client_id, void *data), void *data);

/* Asks a device that is online for a stream; FALSE: it is not. */
gboolean devices_request(Devices *devices, const char *client_id, const StreamRequest *request);

/* NOTICE (of notice_build) to a device that is connected. FALSE: it is not, or it takes no notices
 * (CAP_NOTICE). Nothing says that it has arrived. */
gboolean devices_notify(Devices *devices, const char *client_id, const char *notice);

/* To all that take notices. Returns how many those were. */
guint devices_notify_all(Devices *devices, const char *notice);

/* For links, of any protocol. */

/* LINK has authenticated. How long it waits before devices_connect (µs, hub/device/reconnects.h);
 * 0: not at all. A link that waits is closed by whatever closes connected ones, and by a newer one
 * of its identity, which waits for the rest of its time. */
gint64 devices_wait(Devices *devices, DeviceLink *link);

/* LINK replaces an older one, which is closed (the newer wins). *ret_present: the subscriptions
 * were kept. FALSE: too soon while two machines have this identity; refuse LINK. */
gboolean devices_connect(Devices *devices, DeviceLink *link, gboolean clean, gboolean *ret_present);

/* To be called after the device was told that it is connected. When the subscription was kept,
 * waiting streams are told. */
void devices_connected(Devices *devices, DeviceLink *link);

/* LINK is over, whether it waits, is connected or neither. */
void devices_disconnect(Devices *devices, DeviceLink *link);

/* What a device wants to hear. */
typedef enum {
    DEVICE_FEED_REQUESTS = 1 << 0,
    DEVICE_FEED_ANSWERS = 1 << 1, /* a device needs it for nothing, and SDKs ask for it */
} DeviceFeeds;

void devices_subscribe(Devices *devices, DeviceLink *link, DeviceFeeds feeds);
void devices_unsubscribe(Devices *devices, DeviceLink *link, DeviceFeeds feeds);
void devices_answer(Devices *devices, DeviceLink *link, const StreamAnswer *answer);
void devices_kept(Devices *devices, DeviceLink *link, StatementKind kind, guint64 serial);

/* Entries, also of devices that are away: for tests. */
guint devices_known(Devices *devices);

/* Closes the connection and forgets what was kept. MODULE NULL: the device and all of its modules.
 */
void devices_revoke(Devices *devices, const char *device, const char *module);
void devices_revoke_policy(Devices *devices, const char *policy);

/* Closes the connections that were admitted by a user's key, of POLICY, or of DEVICE and its
 * modules (one of the two is NULL): they come back, and are judged by what the user reaches now. */
void devices_judge_again(Devices *devices, const char *device, const char *policy);

/* The client of exactly this id is connected or, while none is, waits; and what let it in still
 * counts with AUTH, or is CLIENT. */
gboolean devices_still_counts(Devices *devices, const char *client_id, const RegistryAuth *auth);
gboolean devices_is_client(Devices *devices, const char *client_id, const TlsClient *client);

/* Ends the link of exactly this client id that waits, if what let it in does not count with AUTH
 * any more, or is CLIENT. One that is connected beside it is not touched. */
void devices_refuse_waiting(Devices *devices, const char *client_id, const RegistryAuth *auth,
                            const char *why);
void devices_refuse_waiting_client(Devices *devices, const char *client_id, const TlsClient *client,
                                   const char *why);

/* As devices_revoke, of exactly this client id, without one that waits. */
void devices_revoke_client(Devices *devices, const char *client_id, const char *why);

/* Calls FUNC for each link, connected or waiting, that has a certificate of an authority. */
void devices_each_by_authority(Devices *devices,
                               void (*func)(const char *client_id, TlsClient *client, void *data),
                               void *data);

/* Connections that were made with one of KEYS of the device or module (exactly this one), or of a
 * policy: how many they are, and their end. */
gboolean devices_is_by_keys(Devices *devices, const char *client_id, RegistryKeys keys);
guint devices_count_policy_keys(Devices *devices, const char *policy, RegistryKeys keys);
void devices_revoke_keys(Devices *devices, const char *client_id, RegistryKeys keys);
void devices_revoke_policy_keys(Devices *devices, const char *policy, RegistryKeys keys);
void devices_close_all(Devices *devices);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Devices, devices_free)
