/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-draft.h"

#include "common/base/secret.h"
#include "daemon/app-private.h"

#include <string.h>

static void
draft_key_free(gpointer key)
{
    secret_free(key);
}

AppDraft *
app_draft_new(App *app)
{
    AppDraft *draft = g_new0(AppDraft, 1);

    draft->hubs = app_list_hubs(app);
    draft->targets = app_list_targets(app);
    draft->tunnels = g_ptr_array_new();
    draft->joined = g_ptr_array_new();
    for (guint i = 0; i < app->tunnels->len; i++)
        if (tunnel_persistent(app->tunnels->pdata[i]))
            g_ptr_array_add(draft->tunnels, app->tunnels->pdata[i]);
    draft->policy = accept_policy_copy(app->policy);
    draft->default_kept = app->default_kept;
    draft->keys = g_hash_table_new_full(NULL, NULL, NULL, draft_key_free);
    return draft;
}

void
app_draft_free(AppDraft *draft)
{
    if (!draft)
        return;
    g_ptr_array_unref(draft->hubs);
    g_ptr_array_unref(draft->targets);
    g_ptr_array_unref(draft->tunnels);
    g_ptr_array_unref(draft->joined);
    accept_policy_free(draft->policy);
    g_hash_table_unref(draft->keys);
    g_free(draft);
}

Hub *
app_draft_find_hub(const AppDraft *draft, const char *name)
{
    for (guint i = 0; i < draft->hubs->len; i++)
        if (g_strcmp0(hub_name(draft->hubs->pdata[i]), name) == 0)
            return draft->hubs->pdata[i];
    return NULL;
}

Target *
app_draft_find_target(const AppDraft *draft, const char *name)
{
    for (guint i = 0; i < draft->targets->len; i++)
        if (g_strcmp0(target_name(draft->targets->pdata[i]), name) == 0)
            return draft->targets->pdata[i];
    return NULL;
}

Tunnel *
app_draft_find_tunnel(const AppDraft *draft, guint64 id)
{
    for (guint i = 0; i < draft->tunnels->len; i++)
        if (tunnel_id(draft->tunnels->pdata[i]) == id)
            return draft->tunnels->pdata[i];
    return NULL;
}

guint
app_draft_drop_hub(AppDraft *draft, Hub *hub)
{
    guint count = 0;

    for (guint i = draft->tunnels->len; i > 0; i--)
        if (g_str_equal(tunnel_hub(draft->tunnels->pdata[i - 1]), hub_name(hub))) {
            g_ptr_array_remove_index(draft->tunnels, i - 1);
            count++;
        }
    g_ptr_array_remove(draft->hubs, hub);
    g_hash_table_remove(draft->keys, hub);
    g_ptr_array_remove(draft->joined, hub);
    return count;
}

void
app_draft_swap_hub(AppDraft *draft, Hub *hub, Hub *next)
{
    g_ptr_array_remove(draft->hubs, hub);
    g_ptr_array_add(draft->hubs, next);
    g_hash_table_remove(draft->keys, hub);
    g_ptr_array_remove(draft->joined, hub);
}

void
app_draft_set_key(AppDraft *draft, Hub *hub, const char *connection_string)
{
    g_hash_table_insert(draft->keys, hub, g_strdup(connection_string));
}

static void
draft_keep_objects(const AppDraft *draft, StoreState *state)
{
    for (guint i = 0; i < draft->hubs->len; i++) {
        HubSettings hub = hub_settings(draft->hubs->pdata[i]);
        const char *next = g_hash_table_lookup(draft->keys, draft->hubs->pdata[i]);

        if (next)
            hub.connection_string = next;
        if (g_ptr_array_find(draft->joined, draft->hubs->pdata[i], NULL))
            hub.invitation = NULL;
        if (!hub.source)
            store_state_add_hub(state, &hub);
    }
    for (guint i = 0; i < draft->targets->len; i++) {
        const Target *target = draft->targets->pdata[i];
        const TargetSettings settings = {.name = target_name(target),
                                         .address = target_address(target),
                                         .limits = *target_limits(target)};

        if (!target_source(target))
            store_state_add_target(state, &settings);
    }
    for (guint i = 0; i < draft->tunnels->len; i++) {
        TunnelOptions tunnel = tunnel_options(draft->tunnels->pdata[i]);

        store_state_add_tunnel(state, &tunnel);
    }
}

static void
draft_keep_policy(const AppDraft *draft, StoreState *state)
{
    const char *text;
    gboolean accept = accept_policy_default(draft->policy, &text);

    for (guint i = 0; i < accept_policy_size(draft->policy); i++)
        if (!accept_policy_get(draft->policy, i)->source)
            store_state_add_rule(state, accept_policy_get(draft->policy, i));
    store_state_set_next_rule(state, accept_policy_next_id(draft->policy));
    if (draft->default_kept)
        store_state_set_default(state, accept, text);
}

StoreState *
app_draft_kept(const AppDraft *draft, const App *app)
{
    StoreState *state = store_state_new();

    draft_keep_objects(draft, state);
    /* Kept tunnels that were not restored yet. */
    for (guint i = 0; app->loaded && i < store_state_tunnels(app->loaded); i++) {
        TunnelOptions tunnel = store_state_tunnel(app->loaded, i);

        store_state_add_tunnel(state, &tunnel);
    }
    draft_keep_policy(draft, state);
    return state;
}
