/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of the app, shared by the files app*.c alone. */
#pragma once

#include "common/loop/heap-watch.h"
#include "common/loop/status-line.h"
#include "daemon/app-change.h"
#include "daemon/app-draft.h"
#include "daemon/app-journal.h"
#include "daemon/app-record.h"
#include "daemon/app-resume.h"
#include "daemon/app.h"
#include "daemon/config/store-writer.h"
#include "daemon/handover/left-tunnel.h"
#include "daemon/link/hub-private.h"
#include "daemon/local/target-private.h"
#include "daemon/local/tunnel-private.h"
#include "daemon/net/network-watch.h"
#include "daemon/record/changes.h"
#include "daemon/record/outage.h"

struct App {
    Runtime *runtime;
    char *config_file; /* NULL: none */
    gboolean config_optional;
    gboolean started;      /* from now on hubs connect when they are added */
    gboolean knows_closed; /* see app_knows_closed; valid after app_start */
    guint listeners_per_uid;
    StoreWriter *writer; /* NULL: nothing is kept */
    AppDraft *draft;     /* NULL: no change waits or is being saved */
    GQueue carried;      /* AppChange, being saved */
    GQueue waiting;      /* AppChange, not being saved yet */
    guint turn;          /* the GSource that starts the next write; 0: none */
    gboolean stopping;   /* no more changes are taken */
    char *state_error;   /* app_state_error() */
    StoreState *loaded;  /* between app_new and app_start: the kept tunnels */
    GPtrArray *hubs;     /* Hub, by name */
    guint64 reconnects;  /* of hubs that are gone */
    GPtrArray *targets;  /* Target, by name */
    GPtrArray *tunnels;  /* Tunnel, by id */
    gboolean user;
    Proxy *proxy;                 /* of hubs without their own proxy; NULL: none */
    ProxySettings proxy_settings; /* what PROXY was made from; copies */
    HubResume resume;             /* of all hubs */
    AcceptPolicy *policy;
    gboolean default_kept; /* the default was set over D-Bus, and is kept */
    StreamTable *streams;
    AppResume *resumes; /* of STREAMS */
    HeapWatch *heap;
    Consents *consents;
    Handlers *handlers;
    guint64 last_stream, last_tunnel; /* the last ids; each kind counts its own */
    NetworkWatch *network;            /* NULL until app_start */
    struct AppLeave *leave;           /* what is left to the next process; NULL: nothing yet */
    Left *left;                       /* what a former one has left, until the tunnels are there */
    GArray *left_items;               /* FdStoreItem, the same */
    StoreState *enrolls;              /* of the configuration: hubs to join; may be NULL */
    Changes *changes;
    GHashTable *outages; /* Hub -> Outage */
    StatusLine *status;  /* NULL: nobody wants it */
    void (*tell)(const char *status, void *data);
    void *tell_data;
    char *reload_problem; /* app_note_reload() */
    const Observer *observer;
    void *observer_data;
};

/* Calls one member of the observer, if it is set. */
#define APP_TELL(app, member, object)                                                              \
    do {                                                                                           \
        status_line_touch((app)->status);                                                          \
        if ((app)->observer && (app)->observer->member)                                            \
            (app)->observer->member((object), (app)->observer_data);                               \
    } while (0)

/* The same, and writes the event to the journal. */
#define APP_TELL_LOGGED(app, member, object)                                                       \
    do {                                                                                           \
        app_journal_##member(object);                                                              \
        APP_TELL(app, member, object);                                                             \
    } while (0)

/* The policy has changed: tells the observer, and decides again about streams that wait for
 * consent. */
void app_tell_policy(App *app);

/* The completion of a save (StoreWritten). */
void app_written(const GError *error, void *data);

/* Makes everything that is new in CONFIG (taken), beside what runs. NULL, with all problems in
 * ERROR. Nothing else may change until the plan takes force. */
ConfigPlan *app_plan_config(App *app, StoreState *config, GError **error);
void app_commit_config(App *app, ConfigPlan *plan);
void config_plan_free(ConfigPlan *plan); /* NULL is fine */
/* Whether HUB is removed by the plan. */
gboolean config_plan_drops(const ConfigPlan *plan, const Hub *hub);
/* What is there already, and the plan replaces: " hub office target ssh". Caller frees. */
char *config_plan_changes(const ConfigPlan *plan, App *app);

/* Of the hub; made when it is first asked for. */
Outage *app_outage(App *app, Hub *hub);

/* StatusMake, of the App. */
char *app_status_text(void *data);

/* Takes over the kept settings, without saving or telling. */
gboolean app_apply_store(App *app, const StoreState *state, GError **error);

/* Makes a hub that is in no list yet. PROXY and RESUME: for a hub without its own; PROXY NULL:
 * none.
 */
Hub *app_make_hub(App *app, const HubSettings *settings, Proxy *proxy, const HubResume *resume,
                  GError **error);

/* Of a request for a stream all that depends on HUB, whose the strings are. */
void app_fill_open(App *app, const Hub *hub, ServiceOpenOptions *options);

/* Puts HUB (taken) into the list, which is sorted by name. */
void app_place_hub(App *app, Hub *hub);
void app_place_target(App *app, Target *target);

/* Puts HUB (taken) in the place of the hub of its name, if there is one. Its streams and tunnels
 * refer to it only by name, and go on. It does not connect yet. */
void app_swap_hub(App *app, Hub *hub);

/* NOT_FOUND when HUB, that of NAME, is NULL; DENIED when it is in the configuration. */
gboolean app_may_change_hub(const Hub *hub, const char *name, GError **error);

/* Tells the observer, ends the hub's tunnels and streams, and frees it. */
void app_drop_hub(App *app, Hub *hub);
void app_drop_target(App *app, Target *target);

/* The hub has sent a new key (HubContext.key): keeps it, uses it, and answers. */
void app_hub_key(Hub *hub, const KeyOffer *offer, void *data);

/* BUSY with the text of app_state_error() when there is one. */
gboolean app_has_state(const App *app, GError **error);

/* UNAUTHORIZED, with the reason, when the hub cannot be used. */
gboolean app_check_hub(const Hub *hub, GError **error);

/* As app_resolve_hub, among HUBS. */
Hub *app_resolve_hub_of(GPtrArray *hubs, const char *name, HubRole role, GError **error);

void app_restore_tunnels(App *app);
void app_tunnel_stream_ended(Stream *stream, void *data); /* DATA: the App */

void app_leave_free(struct AppLeave *leave); /* NULL is fine */
/* app-open.c: for a tunnel of this app; and puts one (taken) into the list. */
TunnelContext app_tunnel_context(App *app);
void app_place_tunnel(App *app, Tunnel *tunnel);

/* HubContext.enrolled */
void app_hub_enrolled(Hub *hub, void *data);

/* Begins to join the hubs of the configuration that are not there; once the app is started. */
void app_join_configured(App *app);
