/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes over D-Bus that are kept: hubs, targets, the accept policy. */
#include "daemon/app-private.h"

#include "common/base/error.h"

#include <string.h>

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

Outage *
app_outage(App *app, Hub *hub)
{
    Outage *outage = g_hash_table_lookup(app->outages, hub);

    if (!outage) {
        outage = outage_new();
        g_hash_table_insert(app->outages, hub, outage);
    }
    return outage;
}

/* One that is only tried is not the hub of its name, and does not speak for it. */
static gboolean
app_has_hub(App *app, const Hub *hub)
{
    return app_find_hub(app, hub_name(hub)) == hub;
}

static void
app_hub_changed(Hub *hub, void *data)
{
    App *app = data;

    if (!app_has_hub(app, hub))
        return;
    app_journal_hub_changed(hub, app_outage(app, hub));
    if (hub_state(hub) == HUB_CONNECTED)
        app_resume_hub_connected(app->resumes, hub);
    APP_TELL(app, hub_changed, hub);
}

/* A stream of its device waits for a leg. */
static gboolean
app_hub_awaited(const Hub *hub, void *data)
{
    App *app = data;

    return app_has_hub(app, hub) && app_resume_awaits(app->resumes, hub_name(hub));
}

/* What comes next for the hub; it is no event. */
static void
app_hub_noted(Hub *hub, void *data)
{
    App *app = data;

    if (app_has_hub(app, hub) && app->observer && app->observer->hub_pending_changed)
        app->observer->hub_pending_changed(hub, app->observer_data);
}

/* What a hub keeps of itself: it is saved as the hub's settings are. */
typedef struct {
    App *app;
    char *name;
} HubKeep;

static gboolean
keep_hub_check(App *app G_GNUC_UNUSED, AppChange *change, AppDraft *draft, GError **error)
{
    if (app_draft_find_hub(draft, change->name))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "the hub \"%s\" is gone",
                change->name);
    return FALSE;
}

static gpointer
keep_hub_apply(App *app, AppChange *change)
{
    return app_find_hub(app, change->name);
}

static const ChangeKind keep_hub_kind = {keep_hub_check, keep_hub_apply};

static void
hub_keep_done(gpointer object G_GNUC_UNUSED, const GError *error, void *data)
{
    HubKeep *keep = data;
    Hub *hub = app_find_hub(keep->app, keep->name);

    if (hub)
        hub_kept(hub, error);
    g_free(keep->name);
    g_free(keep);
}

static void
app_hub_keep(Hub *hub, void *data)
{
    g_autoptr(GError) error = NULL;
    HubKeep *keep = g_new0(HubKeep, 1);
    AppChange *change = app_change_new(&keep_hub_kind, hub_keep_done, keep);

    keep->app = data;
    keep->name = g_strdup(hub_name(hub));
    change->name = g_strdup(keep->name);
    if (!app_submit(keep->app, change, &error))
        hub_keep_done(NULL, error, keep);
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

/* Fails: what is in the configuration cannot be removed over D-Bus. */
static gboolean
app_refuse_configured(const char *what, const char *name, const char *source, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                "the %s \"%s\" is in the configuration (%s): change or remove it there and reload",
                what, name, source);
    return FALSE;
}

void
app_place_hub(App *app, Hub *hub)
{
    hub_set_first_stream(hub, app->last_stream + 1);
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
app_make_hub(App *app, const HubSettings *settings, Proxy *proxy, const HubResume *resume,
             GError **error)
{
    const HubContext context = {
        .runtime = app->runtime,
        .table = app->streams,
        .policy = app->policy,
        .consents = app->consents,
        .handlers = app->handlers,
        .tombstones = app_resume_tombstones(app->resumes),
        .awaited = app_hub_awaited,
        .proxy = proxy,
        .resume = *resume,
        .next_id = app_hub_next_id,
        .find_target = app_hub_find_target,
        .changed = app_hub_changed,
        .key = app_hub_key,
        .enrolled = app_hub_enrolled,
        .taken_over = app_journal_hub_taken_over,
        .noted = app_hub_noted,
        .keep = app_hub_keep,
        .decided = app_journal_decided,
        .data = app,
    };

    return hub_new(&context, settings, error);
}

gboolean
app_accept_authority(App *app, const char *name, GError **error)
{
    Hub *hub = app_find_hub(app, name);

    if (!hub)
        return app_refuse(STREAMD_ERROR_NOT_FOUND, error, "there is no hub", name);
    return app_has_state(app, error) && hub_accept_ca(hub, error);
}

static gboolean
app_has_room_for_hub(GPtrArray *hubs, const Hub *same, const char *name, GError **error)
{
    if (same)
        return app_refuse(STREAMD_ERROR_EXISTS, error, "there already is a hub", name);
    if (hubs->len < APP_HUBS_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u hubs already", hubs->len);
    return FALSE;
}

static Hub *
app_insert_hub(App *app, const HubSettings *settings, GError **error)
{
    const Hub *same = app_find_hub(app, settings->name);
    Hub *hub = app_has_room_for_hub(app->hubs, same, settings->name, error)
                   ? app_make_hub(app, settings, app->proxy, &app->resume, error)
                   : NULL;

    if (hub)
        app_place_hub(app, hub);
    return hub;
}

static gboolean
add_hub_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    const HubSettings settings = store_state_hub(change->asked, 0);
    const Hub *same = app_draft_find_hub(draft, settings.name);

    if (!app_has_room_for_hub(draft->hubs, same, settings.name, error))
        return FALSE;
    if (!change->hub)
        change->hub = app_make_hub(app, &settings, app->proxy, &app->resume, error);
    if (!change->hub)
        return FALSE;
    g_ptr_array_add(draft->hubs, change->hub);
    return TRUE;
}

static gpointer
add_hub_apply(App *app, AppChange *change)
{
    Hub *hub = g_steal_pointer(&change->hub);

    app_place_hub(app, hub);
    APP_TELL(app, hub_added, hub);
    app_record_hub_added(app, change, hub);
    hub_connect(hub);
    return hub;
}

static const ChangeKind add_hub_kind = {add_hub_check, add_hub_apply};

AppChange *
app_add_hub(App *app, const HubSettings *settings, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&add_hub_kind, done, data);

    change->asked = store_state_new();
    store_state_add_hub(change->asked, settings);
    return app_submit(app, change, error);
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
app_swap_hub(App *app, Hub *hub)
{
    Hub *old = app_find_hub(app, hub_name(hub));

    if (old) {
        APP_TELL(app, hub_removed, old);
        app->reconnects += hub_reconnects(old);
        g_hash_table_remove(app->outages, old);
        g_ptr_array_remove(app->hubs, old);
    }
    app_place_hub(app, hub);
    APP_TELL(app, hub_added, hub);
}

void
app_drop_hub(App *app, Hub *hub)
{
    app_close_tunnels_of(app, hub_name(hub));
    stream_table_close_hub(app->streams, hub_name(hub), REASON_CLOSED_BY_USER);
    APP_TELL(app, hub_removed, hub);
    app->reconnects += hub_reconnects(hub);
    g_hash_table_remove(app->outages, hub);
    stream_table_forget_traffic(app->streams, hub_name(hub));
    g_ptr_array_remove(app->hubs, hub);
}

static AppChange *
app_submit_removal(App *app, const ChangeKind *kind, const char *name, AppDone done, void *data,
                   GError **error)
{
    AppChange *change = app_change_new(kind, done, data);

    change->name = g_strdup(name);
    return app_submit(app, change, error);
}

gboolean
app_may_change_hub(const Hub *hub, const char *name, GError **error)
{
    if (!hub)
        return app_refuse(STREAMD_ERROR_NOT_FOUND, error, "there is no hub", name);
    return !hub_source(hub) || app_refuse_configured("hub", name, hub_source(hub), error);
}

static gboolean
remove_hub_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    Hub *hub = app_draft_find_hub(draft, change->name);

    if (!app_may_change_hub(hub, change->name, error))
        return FALSE;
    (void)app_draft_drop_hub(draft, hub);
    return TRUE;
}

static gpointer
remove_hub_apply(App *app, AppChange *change)
{
    Hub *hub = app_find_hub(app, change->name);

    app_record_hub_removed(app, change, hub);
    app_drop_hub(app, hub);
    return NULL;
}

static const ChangeKind remove_hub_kind = {remove_hub_check, remove_hub_apply};

AppChange *
app_remove_hub(App *app, const char *name, AppDone done, void *data, GError **error)
{
    return app_submit_removal(app, &remove_hub_kind, name, done, data, error);
}

static gboolean
app_has_room_for_target(GPtrArray *targets, const Target *same, const char *name, GError **error)
{
    if (same)
        return app_refuse(STREAMD_ERROR_EXISTS, error, "there already is a target", name);
    if (targets->len < APP_TARGETS_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u targets already",
                targets->len);
    return FALSE;
}

static gboolean
app_insert_target(App *app, const TargetSettings *settings, GError **error)
{
    const Target *same = app_find_target(app, settings->name);
    Target *target = app_has_room_for_target(app->targets, same, settings->name, error)
                         ? target_new(settings, error)
                         : NULL;

    if (target)
        app_place_target(app, target);
    return target != NULL;
}

static gboolean
add_target_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    const TargetSettings settings = store_state_target(change->asked, 0);
    const Target *same = app_draft_find_target(draft, settings.name);

    if (!app_has_room_for_target(draft->targets, same, settings.name, error))
        return FALSE;
    if (!change->target)
        change->target = target_new(&settings, error);
    if (!change->target)
        return FALSE;
    g_ptr_array_add(draft->targets, change->target);
    return TRUE;
}

static gpointer
add_target_apply(App *app, AppChange *change)
{
    Target *target = g_steal_pointer(&change->target);

    app_place_target(app, target);
    APP_TELL(app, target_added, target);
    app_record_target_added(app, change, target);
    return target;
}

static const ChangeKind add_target_kind = {add_target_check, add_target_apply};

AppChange *
app_add_target(App *app, const TargetSettings *settings, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&add_target_kind, done, data);

    change->asked = store_state_new();
    store_state_add_target(change->asked, settings);
    return app_submit(app, change, error);
}

void
app_drop_target(App *app, Target *target)
{
    APP_TELL(app, target_removed, target);
    g_ptr_array_remove(app->targets, target);
}

static gboolean
remove_target_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    Target *target = app_draft_find_target(draft, change->name);

    if (!target)
        return app_refuse(STREAMD_ERROR_NOT_FOUND, error, "there is no target", change->name);
    if (target_source(target))
        return app_refuse_configured("target", change->name, target_source(target), error);
    return g_ptr_array_remove(draft->targets, target);
}

static gpointer
remove_target_apply(App *app, AppChange *change)
{
    Target *target = app_find_target(app, change->name);

    app_record_target_removed(app, change, target);
    app_drop_target(app, target);
    return NULL;
}

static const ChangeKind remove_target_kind = {remove_target_check, remove_target_apply};

AppChange *
app_remove_target(App *app, const char *name, AppDone done, void *data, GError **error)
{
    return app_submit_removal(app, &remove_target_kind, name, done, data, error);
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

/* A hub that cannot be used any more, for example because its CA file is gone, is still listed,
 * with the reason. */
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
