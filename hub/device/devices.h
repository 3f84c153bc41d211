/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices: which devices are connected, by client id ({device} or {device}/{module}), and what each
 * has subscribed to. With clean session 0 a subscription is kept while the device is away
 * (docs/wire-protocol.md, section 1.2). Main thread. */
#pragma once

#include "common/codec/stream-topic.h"
#include "common/extension/statement.h"
#include "common/net/tls-client.h"
#include "hub/base/settings.h"
#include "hub/registry/device-auth.h"
#include "hub/registry/registry.h"
#include "hub/device/clones.h"

typedef struct Devices Devices;
typedef struct MqttSession MqttSession;

typedef struct {
    /* It subscribed to requests, or came back with that subscription kept. */
    void (*subscribed)(const char *client_id, void *data);
    /* It is connected and has its CONNACK, so that it can be told something. May be NULL. */
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
MqttSession *devices_session(Devices *devices, const char *client_id);

/* The key that its present connection was made with, of its own two; none when it is away or was
 * admitted by other means. */
RegistryKeys devices_keys(Devices *devices, const char *client_id);
/* Whether two machines use its identity now (clones.h); and of how many devices that is so. */
gboolean devices_is_cloned(Devices *devices, const char *client_id, CloneReport *ret);
guint devices_cloned(Devices *devices);

/* Since the start: connections that were taken, and those that were refused because others replaced
 * them too often. */
guint64 devices_connects(const Devices *devices);
guint64 devices_crowded(const Devices *devices);

/* Calls FUNC for each that is connected. FUNC must not change who is. */
void devices_foreach(Devices *devices, void (*func)(const char *client_id, void *data), void *data);

/* An empty PUBLISH to a device that is online; FALSE: it is not. */
gboolean devices_publish(Devices *devices, const char *client_id, const char *topic);

/* NOTICE (of notice_build) to a device that is connected. FALSE: it is not, or it takes no notices
 * (CAP_NOTICE). Nothing says that it has arrived. */
gboolean devices_notify(Devices *devices, const char *client_id, const char *notice);

/* To all that take notices. Returns how many those were. */
guint devices_notify_all(Devices *devices, const char *notice);

/* For sessions. */

/* SESSION replaces an older one, which is closed (the newer wins). *ret_present: the subscriptions
 * were kept. FALSE: too many take-overs within a minute, or one too soon while two machines have
 * this identity; refuse SESSION. */
gboolean
devices_connect(Devices *devices, MqttSession *session, gboolean clean, gboolean *ret_present);

/* To be called after CONNACK was sent. When the subscription was kept, waiting streams are told. */
void devices_connected(Devices *devices, MqttSession *session);
void devices_disconnect(Devices *devices, MqttSession *session);

/* FILTER is one of the two that streams have. */
void devices_subscribe(Devices *devices, MqttSession *session, Slice filter);
void devices_unsubscribe(Devices *devices, MqttSession *session, Slice filter);
void devices_answer(Devices *devices, MqttSession *session, const StreamAnswer *answer);
void devices_kept(Devices *devices, MqttSession *session, StatementKind kind, guint64 serial);

/* Entries, also of devices that are away: for tests. */
guint devices_known(Devices *devices);

/* Closes the connection and forgets what was kept. MODULE NULL: the device and all of its modules.
 */
void devices_revoke(Devices *devices, const char *device, const char *module);
void devices_revoke_policy(Devices *devices, const char *policy);

/* Closes the connections that were admitted by a user's key, of POLICY, or of DEVICE and its
 * modules (one of the two is NULL): they come back, and are judged by what the user reaches now. */
void devices_judge_again(Devices *devices, const char *device, const char *policy);
/* The client of exactly this id is connected, and what let it in still counts with AUTH. */
gboolean devices_still_counts(Devices *devices, const char *client_id, const RegistryAuth *auth);

/* It is connected, and CLIENT let it in. */
gboolean devices_is_client(Devices *devices, const char *client_id, const TlsClient *client);

/* As devices_revoke, of exactly this client id. */
void devices_revoke_client(Devices *devices, const char *client_id, const char *why);

/* Calls FUNC for each connected device that has a certificate of an authority. */
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
