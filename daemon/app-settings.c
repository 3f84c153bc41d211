/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is changed over D-Bus and kept: hubs, targets, the accept policy. A change that cannot be
 * kept is taken back. */
#include "daemon/app-private.h"

#include "common/base/error.h"

#include <string.h>

static void
app_collect_rules(App *app, StoreState *state)
{
    const char *text;
    gboolean accept;

    for (guint i = 0; i < accept_policy_size(app->policy); i++)
        if (!accept_policy_get(app->policy, i)->source)
            store_state_add_rule(state, accept_policy_get(app->policy, i));
    store_state_set_next_rule(state, accept_policy_next_id(app->policy));
    accept = accept_policy_default(app->policy, &text);
    if (app->default_kept)
        store_state_set_default(state, accept, text);
}

static void
app_collect_target(StoreState *state, const Target *target)
{
    const TargetSettings settings = {.name = target_name(target),
                                     .address = target_address(target),
                                     .limits = *target_limits(target)};

    store_state_add_target(state, &settings);
}

static StoreState *
app_collect(App *app)
{
    StoreState *state = store_state_new();

    for (guint i = 0; i < app->hubs->len; i++) {
        HubSettings hub = hub_settings(app->hubs->pdata[i]);

        if (!hub.source)
            store_state_add_hub(state, &hub);
    }
    for (guint i = 0; i < app->targets->len; i++) {
        Target *target = app->targets->pdata[i];

        if (!target_source(target))
            app_collect_target(state, target);
    }
    for (guint i = 0; i < app->tunnels->len; i++) {
        TunnelOptions tunnel = tunnel_options(app->tunnels->pdata[i]);

        if (tunnel.persistent)
            store_state_add_tunnel(state, &tunnel);
    }
    /* Kept ones that were not restored yet. */
    for (guint i = 0; app->loaded && i < store_state_tunnels(app->loaded); i++) {
        TunnelOptions tunnel = store_state_tunnel(app->loaded, i);

        store_state_add_tunnel(state, &tunnel);
    }
    app_collect_rules(app, state);
    return state;
}

gboolean
app_save(App *app, GError **error)
{
    g_autoptr(StoreState) state = NULL;

    if (!app->store)
        return TRUE;
    state = app_collect(app);
    if (store_save(app->store, state, error))
        return TRUE;
    g_prefix_error(error, "it cannot be kept: ");
    return FALSE;
}

static guint64
app_hub_next_id(void *data)
{
    return app_next_stream(data);
}

static Target *
app_hub_find_target(const char *name, void *data)
{
    return app_find_target(data, name);
}

static void
app_hub_changed(Hub *hub, void *data)
{
    App *app = data;

    APP_TELL(app, hub_changed, hub);
}

static gboolean
app_refuse(StreamdError code, GError **error, const char *format, const char *name)
{
    g_autofree char *text = g_strdup_printf("%s \"%s\"", format, name);

    g_set_error_literal(error, STREAMD_ERROR, (int)code, text);
    return FALSE;
}

static gint
compare_hubs(gconstpointer a, gconstpointer b)
{
    return strcmp(hub_name(*(Hub *const *)a), hub_name(*(Hub *const *)b));
}

static gint
compare_targets(gconstpointer a, gconstpointer b)
{
    return strcmp(target_name(*(Target *const *)a), target_name(*(Target *const *)b));
}

/* The answer to who wants to remove what is not his to remove here. */
static gboolean
app_refuse_configured(const char *what, const char *name, const char *source, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                "the %s \"%s\" is in the configuration (%s): remove it there and reload", what,
                name, source);
    return FALSE;
}

void
app_place_hub(App *app, Hub *hub)
{
    g_ptr_array_add(app->hubs, hub);
    g_ptr_array_sort(app->hubs, compare_hubs);
}

void
app_place_target(App *app, Target *target)
{
    g_ptr_array_add(app->targets, target);
    g_ptr_array_sort(app->targets, compare_targets);
}

Hub *
app_make_hub(App *app, const HubSettings *settings, Proxy *proxy, GError **error)
{
    const HubContext context = {
        .runtime = app->runtime,
        .table = app->streams,
        .policy = app->policy,
        .consents = app->consents,
        .handlers = app->handlers,
        .proxy = proxy,
        .next_id = app_hub_next_id,
        .find_target = app_hub_find_target,
        .changed = app_hub_changed,
        .decided = app_journal_decided,
        .data = app,
    };

    return hub_new(&context, settings, error);
}

static Hub *
app_insert_hub(App *app, const HubSettings *settings, GError **error)
{
    Hub *hub;

    if (app_find_hub(app, settings->name)) {
        app_refuse(STREAMD_ERROR_EXISTS, error, "there already is a hub", settings->name);
        return NULL;
    }
    if (app->hubs->len >= APP_HUBS_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u hubs already",
                    app->hubs->len);
        return NULL;
    }
    hub = app_make_hub(app, settings, app->proxy, error);
    if (hub)
        app_place_hub(app, hub);
    return hub;
}

Hub *
app_add_hub(App *app, const HubSettings *settings, GError **error)
{
    Hub *hub = app_insert_hub(app, settings, error);

    if (!hub)
        return NULL;
    if (!app_save(app, error)) {
        g_ptr_array_remove(app->hubs, hub);
        return NULL;
    }
    APP_TELL(app, hub_added, hub);
    hub_connect(hub);
    return hub;
}

static void
app_close_tunnels_of(App *app, const char *hub)
{
    for (guint i = app->tunnels->len; i > 0; i--) {
        Tunnel *tunnel = app->tunnels->pdata[i - 1];

        if (g_str_equal(tunnel_hub(tunnel), hub))
            tunnel_close(tunnel);
    }
}

void
app_drop_hub(App *app, Hub *hub)
{
    app_close_tunnels_of(app, hub_name(hub));
    stream_table_close_hub(app->streams, hub_name(hub), REASON_CLOSED_BY_USER);
    APP_TELL(app, hub_removed, hub);
    stream_table_forget_traffic(app->streams, hub_name(hub));
    g_ptr_array_remove(app->hubs, hub);
}

gboolean
app_remove_hub(App *app, const char *name, GError **error)
{
    Hub *hub = app_find_hub(app, name);

    if (!hub)
        return app_refuse(STREAMD_ERROR_NOT_FOUND, error, "there is no hub", name);
    if (hub_source(hub))
        return app_refuse_configured("hub", name, hub_source(hub), error);
    app_drop_hub(app, hub);
    return app_save(app, error);
}

static Target *
app_insert_target(App *app, const TargetSettings *settings, GError **error)
{
    Target *target;

    if (app_find_target(app, settings->name)) {
        app_refuse(STREAMD_ERROR_EXISTS, error, "there already is a target", settings->name);
        return NULL;
    }
    if (app->targets->len >= APP_TARGETS_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u targets already",
                    app->targets->len);
        return NULL;
    }
    target = target_new(settings, error);
    if (target)
        app_place_target(app, target);
    return target;
}

Target *
app_add_target(App *app, const TargetSettings *settings, GError **error)
{
    Target *target = app_insert_target(app, settings, error);

    if (!target)
        return NULL;
    if (!app_save(app, error)) {
        g_ptr_array_remove(app->targets, target);
        return NULL;
    }
    APP_TELL(app, target_added, target);
    return target;
}

void
app_drop_target(App *app, Target *target)
{
    APP_TELL(app, target_removed, target);
    g_ptr_array_remove(app->targets, target);
}

gboolean
app_remove_target(App *app, const char *name, GError **error)
{
    Target *target = app_find_target(app, name);

    if (!target)
        return app_refuse(STREAMD_ERROR_NOT_FOUND, error, "there is no target", name);
    if (target_source(target))
        return app_refuse_configured("target", name, target_source(target), error);
    app_drop_target(app, target);
    return app_save(app, error);
}

static gboolean
app_policy_changed(App *app, GError **error)
{
    app_tell_policy(app);
    return app_save(app, error);
}

gboolean
app_add_rule(App *app, const AcceptRule *rule, int position, guint32 *ret_id, GError **error)
{
    guint32 id;

    if (!accept_policy_add(app->policy, rule, position, &id, error))
        return FALSE;
    if (!app_save(app, error)) {
        (void)accept_policy_remove(app->policy, id, NULL);
        return FALSE;
    }
    app_tell_policy(app);
    *ret_id = id;
    return TRUE;
}

gboolean
app_remove_rule(App *app, guint32 id, GError **error)
{
    return accept_policy_remove(app->policy, id, error) && app_policy_changed(app, error);
}

gboolean
app_move_rule(App *app, guint32 id, int position, GError **error)
{
    return accept_policy_move(app->policy, id, position, error) && app_policy_changed(app, error);
}

gboolean
app_set_default(App *app, gboolean accept, const char *reject_text, GError **error)
{
    if (!accept_policy_set_default(app->policy, accept, reject_text, error))
        return FALSE;
    app->default_kept = TRUE;
    return app_policy_changed(app, error);
}

static gboolean
app_apply_rules(App *app, const StoreState *state, GError **error)
{
    const char *text;
    gboolean accept;

    for (guint i = 0; i < store_state_rules(state); i++) {
        const AcceptRule rule = store_state_rule(state, i);

        if (!accept_policy_add(app->policy, &rule, -1, NULL, error))
            return FALSE;
    }
    accept_policy_set_next_id(app->policy, store_state_next_rule(state));
    if (!store_state_default(state, &accept, &text))
        return TRUE;
    app->default_kept = TRUE;
    return accept_policy_set_default(app->policy, accept, text, error);
}

/* One that cannot be used any more, because its CA's file is gone, say, is there and says so. */
static gboolean
app_restore_hub(App *app, const HubSettings *settings, GError **error)
{
    g_autoptr(GError) reason = NULL;
    HubSettings refused = *settings;

    if (app_insert_hub(app, settings, &reason))
        return TRUE;
    refused.refused = reason->message;
    return app_insert_hub(app, &refused, error) != NULL;
}

gboolean
app_apply_store(App *app, const StoreState *state, GError **error)
{
    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);

        if (!app_restore_hub(app, &hub, error)) {
            g_prefix_error(error, "hub %s: ", hub.name);
            return FALSE;
        }
    }
    for (guint i = 0; i < store_state_targets(state); i++) {
        const TargetSettings target = store_state_target(state, i);

        if (!app_insert_target(app, &target, error))
            return FALSE;
    }
    return app_apply_rules(app, state, error);
}
