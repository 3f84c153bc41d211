/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of the app, shared by the files app*.c alone. */
#pragma once

#include "common/loop/heap-watch.h"
#include "daemon/app-change.h"
#include "daemon/app-draft.h"
#include "daemon/app-journal.h"
#include "daemon/app.h"
#include "daemon/config/store-writer.h"
#include "daemon/link/hub-private.h"
#include "daemon/local/target-private.h"
#include "daemon/local/tunnel-private.h"
#include "daemon/net/network-watch.h"

struct App {
    Runtime *runtime;
    char *config_file; /* NULL: none */
    gboolean config_optional;
    gboolean started;      /* hubs connect as they come */
    gboolean knows_closed; /* from app_start on */
    guint listeners_per_uid;
    StoreWriter *writer; /* NULL: nothing is kept */
    AppDraft *draft;     /* NULL: no change waits or is being saved */
    GQueue carried;      /* AppChange, that are being saved */
    GQueue waiting;      /* AppChange, behind those */
    guint turn;          /* the source that looks at them; 0: none */
    gboolean stopping;   /* there are no more changes */
    char *state_error;   /* app_state_error() */
    StoreState *loaded;  /* between app_new and app_start: the kept tunnels */
    GPtrArray *hubs;     /* Hub, by name */
    GPtrArray *targets;  /* Target, by name */
    GPtrArray *tunnels;  /* Tunnel, by id */
    gboolean user;
    Proxy *proxy;                 /* of hubs without their own; NULL: none */
    ProxySettings proxy_settings; /* what PROXY was made from; copies */
    AcceptPolicy *policy;
    gboolean default_kept; /* the default was set at run time, and is kept */
    StreamTable *streams;
    HeapWatch *heap;
    Consents *consents;
    Handlers *handlers;
    guint64 last_stream, last_tunnel; /* ids: of its own kind, so that none tells of the others */
    NetworkWatch *network;            /* NULL until app_start */
    const Observer *observer;
    void *observer_data;
};

/* Tells the journal, and one member of the observer when it is there. */
#define APP_TELL(app, member, object)                                                              \
    do {                                                                                           \
        app_journal_##member(object);                                                              \
        if ((app)->observer && (app)->observer->member)                                            \
            (app)->observer->member((object), (app)->observer_data);                               \
    } while (0)

/* The policy is another one: tells, and looks at what waits for a person's decision. */
void app_tell_policy(App *app);

/* The completion of a save (StoreWritten). */
void app_written(const GError *error, void *data);

/* Makes everything of CONFIG (taken) that is new beside what runs: NULL with all problems. Nothing
 * may change before it takes force. */
ConfigPlan *app_plan_config(App *app, StoreState *config, GError **error);
void app_commit_config(App *app, ConfigPlan *plan);
void config_plan_free(ConfigPlan *plan); /* NULL is fine */
/* Whether HUB goes with it. */
gboolean config_plan_drops(const ConfigPlan *plan, const Hub *hub);

/* Takes what was kept, without saving or telling. */
gboolean app_apply_store(App *app, const StoreState *state, GError **error);

/* A hub that is in no list yet. PROXY: for one that has none of its own; NULL: none. */
Hub *app_make_hub(App *app, const HubSettings *settings, Proxy *proxy, GError **error);

/* Puts it in its place by name: taken. */
void app_place_hub(App *app, Hub *hub);
void app_place_target(App *app, Target *target);

/* Tells, ends its tunnels and streams, and frees it. */
void app_drop_hub(App *app, Hub *hub);
void app_drop_target(App *app, Target *target);

/* BUSY where app_state_error() is something. */
gboolean app_has_state(const App *app, GError **error);

/* A hub that can be used: UNAUTHORIZED with the reason. */
gboolean app_check_hub(const Hub *hub, GError **error);

/* app_resolve_hub, among these. */
Hub *app_resolve_hub_of(GPtrArray *hubs, const char *name, HubRole role, GError **error);

void app_restore_tunnels(App *app);
