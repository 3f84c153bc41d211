/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: what was set over D-Bus, kept over a restart.
 *
 * Two files in one directory, each replaced atomically: `state` (hubs, targets, rules, tunnels)
 * and `secrets` (the hubs' connection strings), both mode 0600. Each begins with a line that has
 * the version and a SHA-256 of the rest, so that a damaged file is never read as a smaller one:
 * that is an error with path and reason, and streamd does not start (fault F34). Main thread. */
#pragma once

#include "daemon/accept-policy.h"
#include "daemon/hub.h"
#include "daemon/tunnel.h"

typedef struct Store Store;

#define STORE_VERSION 1
#define STORE_FILE_MAX (1024 * 1024)

/* What is kept, in the shape in which it is added: strings are borrowed by store_save and owned by
 * the StoreState that store_load made. */
typedef struct StoreState StoreState;

/* DIR must exist. Loads nothing yet. */
Store *store_new(const char *dir, GError **error);
void store_free(Store *store);

/* An empty state when there are no files. */
StoreState *store_load(Store *store, GError **error);
gboolean store_save(Store *store, const StoreState *state, GError **error);

StoreState *store_state_new(void);
void store_state_free(StoreState *state);

/* Adding copies. */
void store_state_add_hub(StoreState *state, const HubSettings *hub);
void store_state_add_target(StoreState *state, const char *name, const char *address);
void store_state_add_rule(StoreState *state, const AcceptRule *rule);
void store_state_add_tunnel(StoreState *state, const TunnelOptions *tunnel);
void store_state_set_default(StoreState *state, gboolean accept, const char *reject_text);
void store_state_set_next_rule(StoreState *state, guint32 next_id); /* ids are never used twice */

guint store_state_hubs(const StoreState *state);
guint store_state_targets(const StoreState *state);
guint store_state_rules(const StoreState *state);
guint store_state_tunnels(const StoreState *state);
HubSettings store_state_hub(const StoreState *state, guint index);
void store_state_target(const StoreState *state, guint index, const char **ret_name,
                        const char **ret_address);
AcceptRule store_state_rule(const StoreState *state, guint index);
TunnelOptions store_state_tunnel(const StoreState *state, guint index);
gboolean
store_state_default(const StoreState *state, const char **ret_reject_text); /* FALSE: reject */
guint32 store_state_next_rule(const StoreState *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreState, store_state_free)
