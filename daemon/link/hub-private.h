/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub, as the core sees it. Main thread. */
#pragma once

#include "common/codec/connection-string.h"
#include "common/net/tls-context.h"
#include "daemon/link/device-session.h"
#include "daemon/link/device-stream.h"
#include "daemon/link/hub.h"
#include "daemon/link/service-open.h"
#include "daemon/net/runtime.h"

/* What a hub needs of the app. */
typedef struct {
    Runtime *runtime;
    StreamTable *table;
    AcceptPolicy *policy;
    Consents *consents;
    Handlers *handlers;
    Tombstones *tombstones; /* of streams that may be led back */
    Proxy *proxy;           /* of all hubs that have none of their own; NULL: none */
    HubResume resume;       /* of all hubs, where they have none of their own */
    guint64 (*next_id)(void *data);
    Target *(*find_target)(const char *name, void *data);
    void (*changed)(Hub *hub, void *data);
    void (*key)(Hub *hub, const KeyOffer *offer, void *data); /* a new key for its device */
    /* The hub has taken our key: to be kept, and then hub_set_enrolled. */
    void (*enrolled)(Hub *hub, void *data);
    void (*taken_over)(Hub *hub); /* another machine has its identity; may be NULL */
    /* A stream of its device waits for a leg (section 8a). */
    gboolean (*awaited)(const Hub *hub, void *data);
    /* What comes next for it has changed (hub-pending.h). */
    void (*noted)(Hub *hub, void *data);
    /* Its settings have to be saved; hub_kept is to be called afterwards. */
    void (*keep)(Hub *hub, void *data);
    void (*decided)(Stream *stream, const AcceptVerdict *verdict); /* by the policy; may be NULL */
    void *data;
} HubContext;

/* INVALID: the connection string, the name, the proxy; or what is wrong with the CA file. One that
 * is refused (HubSettings.refused, or no connection string) never connects, and says why. */
Hub *hub_new(const HubContext *context, const HubSettings *settings, GError **error);
void hub_free(Hub *hub); /* NULL is fine */

/* As hub_new got them; the strings are the hub's. For the store. */
HubSettings hub_settings(const Hub *hub);

/* Everything but where it stands. */
gboolean hub_has_settings(const Hub *hub, const HubSettings *settings);
/* The same, but for the connection string. */
gboolean hub_has_other_settings(const Hub *hub, const HubSettings *settings);
/* Whether it goes the way that it would with SHARED as the proxy of all hubs. */
gboolean hub_follows_proxy(const Hub *hub, const Proxy *shared);
void hub_set_source(Hub *hub, const char *source);

/* Fills in what service_open_start needs of a service's hub: where it is and the way there. */
void hub_fill_open(const Hub *hub, ServiceOpenOptions *options);

/* A device's: how its control link is made. What it points to is the hub's. */
DeviceSessionOptions hub_session_options(const Hub *hub);

/* Trusts what the hub trusts, read anew, without tickets of earlier sessions. */
TlsContext *hub_new_tls(const Hub *hub, const char *alpn, GError **error);

/* A service hub: what the last request said about it. ERROR NULL: it was reached. */
void hub_note(Hub *hub, const GError *error);
/* FIRST is the first stream that can be opened through it: one with a lower id was opened through a
 * hub that it took the place of, and says nothing of this one. */
void hub_set_first_stream(Hub *hub, guint64 first);
gboolean hub_opens_stream(const Hub *hub, guint64 id);

/* ERROR of an opening, in words that name the user and what helps, where the identity was refused.
 * Caller frees. */
GError *hub_explain(const Hub *hub, const GError *error);

/* Where one of its streams has its leg. TRUE: that is a new place. */
gboolean hub_note_endpoint(Hub *hub, const char *endpoint);

/* One of its streams was cut: a device looks whether its control link still lives. */
void hub_probe_link(Hub *hub);
void hub_probe_link_soon(Hub *hub); /* a stream waits for it */

/* A stream of its device has ended, and its leg could not say why: the control link does. */
void hub_tell_end(Hub *hub, const StreamAnswer *answer);

/* Its hub says that another machine with this identity has taken over. */
void hub_note_taken_over(Hub *hub);

/* Of a device: answers a new key, if its control link is up. */
void hub_answer_key(Hub *hub, const KeyAnswer *answer);

/* Its connection string with another key; free with secret_free. */
char *hub_string_with_key(const Hub *hub, const char *key);
gboolean hub_is_keyed(const Hub *hub); /* its identity is a key, not a certificate */
gboolean hub_has_key(const Hub *hub, const char *key);

gboolean hub_has_same_key(const Hub *hub, const Hub *other);

/* Whether a control link of OTHER that is up has shown that the hub takes this one's identity. */
gboolean hub_has_same_login(const Hub *hub, const Hub *other);
/* Whether it differs from OTHER, which is connected, in nothing that its hub sees: only in who may
 * use it and where its streams may lead. */
gboolean hub_differs_here_alone(const Hub *hub, const Hub *other);

/* HUB is to take the place of OLD: for the hub there it is the same streamd, and no other machine
 * that took over. */
void hub_follow(Hub *hub, const Hub *old);

/* While a new key is being saved. */
void hub_set_key_busy(Hub *hub, gboolean busy);
gboolean hub_key_is_busy(const Hub *hub);

/* Takes the key of CONNECTION_STRING, which differs from the present one in nothing else, and uses
 * it for a new control link. */
void hub_set_key(Hub *hub, const char *connection_string);

/* Whether one more new key is taken at NOW (monotonic µs): each of them is written to the disk.
 * HUB_KEYS_BURST at once, and one more each HUB_KEYS_PAUSE. */
#define HUB_KEYS_BURST 4
#define HUB_KEYS_PAUSE G_TIME_SPAN_MINUTE
gboolean hub_take_key_turn(Hub *hub, gint64 now);

/* It needs its invitation no more, and connects like any other. */
void hub_set_enrolled(Hub *hub);

/* What its authority tells, any bytes (hub-pending.h). */
void hub_take_statement(Hub *hub, const char *text, gsize len);

/* After `keep`: they are on the disk, or ERROR says why not, and nothing has changed. */
void hub_kept(Hub *hub, const GError *error);

/* The administrator trusts the next authority alone, now. BUSY: there is none, or it is not ours.
 */
gboolean hub_accept_ca(Hub *hub, GError **error);

/* The hub cannot be reached: another address has its turn, if there is one. */
void hub_try_elsewhere(Hub *hub);

/* A stream of its device waits for a leg: an attempt that is due later than HUB_AWAITED comes now.
 */
void hub_hurry(Hub *hub);

/* network-watch.h */
void hub_network_changed(Hub *hub);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hub, hub_free)
