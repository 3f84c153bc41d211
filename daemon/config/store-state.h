/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store state: lists of settings, between a file and the objects made from them. Both the store and
 * the configuration file are read into one. Adding copies. The getters return borrowed values. */
#pragma once

#include "daemon/link/hub.h"
#include "daemon/local/target.h"
#include "daemon/local/tunnel.h"
#include "daemon/policy/accept-policy.h"

typedef struct StoreState StoreState;

/* Only the configuration has these. */
typedef struct {
    guint listeners_per_uid; /* 0: not set */
    guint streams_per_uid;
} StoreLimits;

/* Of streams that survive their legs. Only the configuration has these. */
typedef struct {
    HubResume all;
    guint64 windows, rings; /* bytes, as in common/resume/budget.h; 0: not set */
} StoreResume;

/* A hub that is joined at the start, unless there is one of its name. Only of the configuration. */
typedef struct {
    const char *name;
    const char *as;     /* daemon/config/claim.h; NULL: the host's name */
    const char *ticket; /* secret; NULL: WHY says why there is none */
    const char *ca;     /* PEM, or NULL */
    const char *why;
} StoreEnroll;

StoreState *store_state_new(void);
void store_state_free(StoreState *state); /* wipes the connection strings; NULL is fine */

void store_state_add_hub(StoreState *state, const HubSettings *hub);
void store_state_add_target(StoreState *state, const TargetSettings *target);
void store_state_add_rule(StoreState *state, const AcceptRule *rule);
void store_state_add_tunnel(StoreState *state, const TunnelOptions *tunnel);
void store_state_add_enroll(StoreState *state, const StoreEnroll *enroll);
void store_state_set_default(StoreState *state, gboolean accept, const char *reject_text);
void store_state_set_next_rule(StoreState *state, guint32 next_id);
void store_state_set_limits(StoreState *state, const StoreLimits *limits);
void store_state_set_resume(StoreState *state, const StoreResume *resume);
void store_state_set_proxy(StoreState *state, const ProxySettings *proxy);
void store_state_sort_rules(StoreState *state); /* by id */

guint store_state_hubs(const StoreState *state);
guint store_state_targets(const StoreState *state);
guint store_state_rules(const StoreState *state);
guint store_state_tunnels(const StoreState *state);
guint store_state_enrolls(const StoreState *state); /* STATE NULL: none */
HubSettings store_state_hub(const StoreState *state, guint index);
TargetSettings store_state_target(const StoreState *state, guint index);
AcceptRule store_state_rule(const StoreState *state, guint index);
TunnelOptions store_state_tunnel(const StoreState *state, guint index);
StoreEnroll store_state_enroll(const StoreState *state, guint index);

/* FALSE when no default was set. */
gboolean
store_state_default(const StoreState *state, gboolean *ret_accept, const char **ret_reject_text);
guint32 store_state_next_rule(const StoreState *state); /* 0: not set */
StoreLimits store_state_limits(const StoreState *state);
StoreResume store_state_resume(const StoreState *state);
ProxySettings store_state_proxy(const StoreState *state); /* for all hubs; from configuration */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreState, store_state_free)
