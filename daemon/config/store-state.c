/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-state.h"

#include "daemon/link/hub-pending.h"

#include "common/base/secret.h"

/* The state owns the strings of the items: HubSettings and the like point to them. */
struct StoreState {
    GPtrArray *hubs, *targets, *rules, *tunnels, *enrolls;
    gboolean has_default, accept;
    char *reject_text;
    guint32 next_rule;
    StoreLimits limits;
    StoreResume resume;
    ProxySettings proxy;
};

static void
hub_item_free(void *data)
{
    HubSettings *hub = data;

    g_free((char *)hub->name);
    secret_free((char *)hub->connection_string);
    secret_free((char *)hub->invitation);
    g_free((char *)hub->identity);
    g_free((char *)hub->refused);
    g_free((char *)hub->ca_file);
    g_free((char *)hub->ca);
    hub_pending_clear(&hub->pending);
    g_free((char *)hub->ca_digest);
    g_free((char *)hub->own.certificate);
    g_free((char *)hub->own.key);
    g_free((char *)hub->own.pin_file);
    g_free((char *)hub->source);
    proxy_settings_clear(&hub->proxy);
    g_free((char *)hub->allowed_users);
    g_free((char *)hub->stream_hosts);
    g_free(hub);
}

static void
target_item_free(void *data)
{
    TargetSettings *target = data;

    g_free((char *)target->name);
    g_free((char *)target->address);
    g_free((char *)target->source);
    g_free(target);
}

static void
rule_item_free(void *data)
{
    accept_rule_free(data);
}

static void
tunnel_item_free(void *data)
{
    TunnelOptions *tunnel = data;

    g_free((char *)tunnel->hub);
    g_free((char *)tunnel->device);
    g_free((char *)tunnel->stream);
    g_free((char *)tunnel->listen);
    g_free(tunnel);
}

static void
enroll_item_free(void *data)
{
    StoreEnroll *enroll = data;

    g_free((char *)enroll->name);
    g_free((char *)enroll->as);
    secret_free((char *)enroll->ticket);
    g_free((char *)enroll->ca);
    g_free((char *)enroll->why);
    g_free(enroll);
}

StoreState *
store_state_new(void)
{
    StoreState *state = g_new0(StoreState, 1);

    state->hubs = g_ptr_array_new_with_free_func(hub_item_free);
    state->targets = g_ptr_array_new_with_free_func(target_item_free);
    state->rules = g_ptr_array_new_with_free_func(rule_item_free);
    state->tunnels = g_ptr_array_new_with_free_func(tunnel_item_free);
    state->enrolls = g_ptr_array_new_with_free_func(enroll_item_free);
    return state;
}

void
store_state_free(StoreState *state)
{
    if (!state)
        return;
    g_ptr_array_unref(state->hubs);
    g_ptr_array_unref(state->targets);
    g_ptr_array_unref(state->rules);
    g_ptr_array_unref(state->tunnels);
    g_ptr_array_unref(state->enrolls);
    g_free(state->reject_text);
    proxy_settings_clear(&state->proxy);
    g_free(state);
}

void
store_state_add_hub(StoreState *state, const HubSettings *hub)
{
    HubSettings *item = g_new(HubSettings, 1);

    *item = *hub;
    item->name = g_strdup(hub->name);
    item->connection_string = g_strdup(hub->connection_string);
    item->invitation = g_strdup(hub->invitation);
    item->identity = g_strdup(hub->identity);
    item->refused = g_strdup(hub->refused);
    item->ca_file = g_strdup(hub->ca_file);
    item->ca = g_strdup(hub->ca);
    item->pending = hub_pending_copy(&hub->pending);
    item->ca_digest = g_strdup(hub->ca_digest);
    item->own.certificate = g_strdup(hub->own.certificate);
    item->own.key = g_strdup(hub->own.key);
    item->own.pin_file = g_strdup(hub->own.pin_file);
    item->source = g_strdup(hub->source);
    item->allowed_users = g_strdup(hub->allowed_users);
    item->stream_hosts = g_strdup(hub->stream_hosts);
    item->proxy = proxy_settings_copy(&hub->proxy);
    g_ptr_array_add(state->hubs, item);
}

void
store_state_add_target(StoreState *state, const TargetSettings *target)
{
    TargetSettings *item = g_new(TargetSettings, 1);

    *item = *target;
    item->name = g_strdup(target->name);
    item->address = g_strdup(target->address);
    item->source = g_strdup(target->source);
    g_ptr_array_add(state->targets, item);
}

void
store_state_add_rule(StoreState *state, const AcceptRule *rule)
{
    g_ptr_array_add(state->rules, accept_rule_copy(rule));
}

void
store_state_add_tunnel(StoreState *state, const TunnelOptions *tunnel)
{
    TunnelOptions *item = g_new(TunnelOptions, 1);

    *item = *tunnel;
    item->hub = g_strdup(tunnel->hub);
    item->device = g_strdup(tunnel->device);
    item->stream = g_strdup(tunnel->stream);
    item->listen = g_strdup(tunnel->listen);
    g_ptr_array_add(state->tunnels, item);
}

void
store_state_add_enroll(StoreState *state, const StoreEnroll *enroll)
{
    StoreEnroll *item = g_new(StoreEnroll, 1);

    item->name = g_strdup(enroll->name);
    item->as = g_strdup(enroll->as);
    item->ticket = g_strdup(enroll->ticket);
    item->ca = g_strdup(enroll->ca);
    item->why = g_strdup(enroll->why);
    g_ptr_array_add(state->enrolls, item);
}

void
store_state_set_default(StoreState *state, gboolean accept, const char *reject_text)
{
    g_free(state->reject_text);
    state->has_default = TRUE;
    state->accept = accept;
    state->reject_text = g_strdup(reject_text);
}

void
store_state_set_next_rule(StoreState *state, guint32 next_id)
{
    state->next_rule = next_id;
}

void
store_state_set_limits(StoreState *state, const StoreLimits *limits)
{
    state->limits = *limits;
}

void
store_state_set_resume(StoreState *state, const StoreResume *resume)
{
    state->resume = *resume;
}

void
store_state_set_proxy(StoreState *state, const ProxySettings *proxy)
{
    proxy_settings_clear(&state->proxy);
    state->proxy = proxy_settings_copy(proxy);
}

static gint
compare_rules(gconstpointer a, gconstpointer b)
{
    const AcceptRule *first = *(AcceptRule *const *)a, *second = *(AcceptRule *const *)b;

    return first->id < second->id ? -1 : first->id > second->id;
}

void
store_state_sort_rules(StoreState *state)
{
    g_ptr_array_sort(state->rules, compare_rules);
}

guint
store_state_hubs(const StoreState *state)
{
    return state->hubs->len;
}

guint
store_state_targets(const StoreState *state)
{
    return state->targets->len;
}

guint
store_state_rules(const StoreState *state)
{
    return state->rules->len;
}

guint
store_state_tunnels(const StoreState *state)
{
    return state->tunnels->len;
}

guint
store_state_enrolls(const StoreState *state)
{
    return state ? state->enrolls->len : 0;
}

StoreEnroll
store_state_enroll(const StoreState *state, guint index)
{
    return *(const StoreEnroll *)state->enrolls->pdata[index];
}

HubSettings
store_state_hub(const StoreState *state, guint index)
{
    return *(const HubSettings *)state->hubs->pdata[index];
}

TargetSettings
store_state_target(const StoreState *state, guint index)
{
    return *(const TargetSettings *)state->targets->pdata[index];
}

AcceptRule
store_state_rule(const StoreState *state, guint index)
{
    return *(const AcceptRule *)state->rules->pdata[index];
}

TunnelOptions
store_state_tunnel(const StoreState *state, guint index)
{
    return *(const TunnelOptions *)state->tunnels->pdata[index];
}

gboolean
store_state_default(const StoreState *state, gboolean *ret_accept, const char **ret_reject_text)
{
    if (!state->has_default)
        return FALSE;
    *ret_accept = state->accept;
    *ret_reject_text = state->reject_text;
    return TRUE;
}

StoreResume
store_state_resume(const StoreState *state)
{
    return state->resume;
}

StoreLimits
store_state_limits(const StoreState *state)
{
    return state->limits;
}

ProxySettings
store_state_proxy(const StoreState *state)
{
    return state->proxy;
}

guint32
store_state_next_rule(const StoreState *state)
{
    return state->next_rule;
}
