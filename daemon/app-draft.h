/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draft: the settings as they will be once every waiting change is saved. Changes are checked
 * against it. The objects belong to the app or to changes that wait; they outlive the draft. Shared
 * by the files app*.c alone. */
#pragma once

#include "daemon/config/store-state.h"

typedef struct {
    GPtrArray *hubs;      /* Hub, also those of the configuration */
    GPtrArray *targets;   /* Target, likewise */
    GPtrArray *tunnels;   /* Tunnel: the persistent ones */
    GPtrArray *joined;    /* Hub: those that need their invitation no more */
    AcceptPolicy *policy; /* the draft's own */
    gboolean default_kept;
    GHashTable *keys; /* Hub -> its next connection string, wiped at the end */
} AppDraft;

/* A copy of what is in force. */
AppDraft *app_draft_new(App *app);
void app_draft_free(AppDraft *draft); /* NULL is fine */

Hub *app_draft_find_hub(const AppDraft *draft, const char *name);
Target *app_draft_find_target(const AppDraft *draft, const char *name);
Tunnel *app_draft_find_tunnel(const AppDraft *draft, guint64 id);

/* Drops its persistent tunnels, too, and returns how many they are. */
guint app_draft_drop_hub(AppDraft *draft, Hub *hub);

/* NEXT, another with HUB's name, is in its place. */
void app_draft_swap_hub(AppDraft *draft, Hub *hub, Hub *next);

/* HUB has this connection string from the next save on. */
void app_draft_set_key(AppDraft *draft, Hub *hub, const char *connection_string);

/* The part of it that is kept, for the store. */
StoreState *app_draft_kept(const AppDraft *draft, const App *app);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppDraft, app_draft_free)
