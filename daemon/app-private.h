/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of the app, shared by the files app*.c alone. */
#pragma once

#include "common/loop/heap-watch.h"
#include "daemon/app-journal.h"
#include "daemon/app.h"
#include "daemon/config/store.h"
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
    Store *store;       /* NULL: nothing is kept */
    char *state_error;  /* app_state_error() */
    StoreState *loaded; /* between app_new and app_start: the kept tunnels */
    GPtrArray *hubs;    /* Hub, by name */
    GPtrArray *targets; /* Target, by name */
    GPtrArray *tunnels; /* Tunnel, by id */
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

/* Writes what is kept. On failure nothing was replaced. */
gboolean app_save(App *app, GError **error);

/* Takes the configuration, all or nothing: app_reload, and the first time. */
gboolean app_apply_config(App *app, const StoreState *config, GError **error);

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

void app_restore_tunnels(App *app);
