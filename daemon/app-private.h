/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of the app, shared by the files app*.c alone. */
#pragma once

#include "daemon/app.h"
#include "daemon/hub-private.h"
#include "daemon/store.h"
#include "daemon/target-private.h"
#include "daemon/tunnel-private.h"

struct App {
    Runtime *runtime;
    Store *store;       /* NULL: nothing is kept */
    StoreState *loaded; /* between app_new and app_start: the kept tunnels */
    GPtrArray *hubs;    /* Hub, by name */
    GPtrArray *targets; /* Target, by name */
    GPtrArray *tunnels; /* Tunnel, by id */
    AcceptPolicy *policy;
    gboolean default_kept; /* the default was set at run time, and is kept */
    StreamTable *streams;
    guint64 last_id;
    const Observer *observer;
    void *observer_data;
};

/* Calls one member of the observer, when it is there. */
#define APP_TELL(app, member, object)                                                              \
    do {                                                                                           \
        if ((app)->observer && (app)->observer->member)                                            \
            (app)->observer->member((object), (app)->observer_data);                               \
    } while (0)

/* Writes what is kept. On failure nothing was replaced. */
gboolean app_save(App *app, GError **error);

/* Loading, without saving or telling. */
Hub *app_insert_hub(App *app, const HubSettings *settings, GError **error);
Target *app_insert_target(App *app, const char *name, const char *address, gboolean from_config,
                          GError **error);
gboolean app_apply(App *app, const StoreState *state, gboolean from_config, GError **error);
void app_restore_tunnels(App *app);
