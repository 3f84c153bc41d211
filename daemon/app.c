/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-private.h"

#include "common/base/error.h"
#include "common/log/events.h"
#include "daemon/config/config.h"
#include "daemon/local/peer-uid.h"

#include <string.h>

static void
app_stream_added(Stream *stream, void *data)
{
    App *app = data;

    if (stream_state(stream) == STREAM_SUSPENDED) /* of a former process */
        APP_TELL(app, stream_added, stream);
    else
        APP_TELL_LOGGED(app, stream_added, stream);
}

static void
app_note_endpoint(App *app, Hub *hub, const char *endpoint)
{
    if (hub_note_endpoint(hub, endpoint) && app->observer && app->observer->hub_endpoints_changed)
        app->observer->hub_endpoints_changed(hub, app->observer_data);
}

static void
app_stream_changed(Stream *stream, void *data)
{
    App *app = data;
    Reason reason = stream_reason(stream);
    Hub *hub = app_find_hub(app, stream_hub(stream));
    StreamAnswer unsaid;

    app_resume_changed(app->resumes, stream);
    APP_TELL_LOGGED(app, stream_changed, stream);
    if (!hub)
        return;
    if (stream_endpoint(stream))
        app_note_endpoint(app, hub, stream_endpoint(stream));
    if (stream_unsaid_end(stream, &unsaid))
        hub_tell_end(hub, &unsaid);
    if (stream_has_ended(stream) && (reason == REASON_CUT || reason == REASON_SILENT))
        hub_probe_link(hub);
}

static void
app_stream_removed(Stream *stream, void *data)
{
    App *app = data;

    app_resume_removed(app->resumes, stream);
    APP_TELL(app, stream_removed, stream);
}

static void
app_stream_owner_changed(Stream *stream, guint32 before, void *data)
{
    App *app = data;

    if (app->observer && app->observer->stream_owner_changed)
        app->observer->stream_owner_changed(stream, before, app->observer_data);
}

static void
app_stream_suspended(Stream *stream, void *data)
{
    App *app = data;
    Hub *hub = app_find_hub(app, stream_hub(stream));

    app_resume_suspended(app->resumes, stream);
    if (hub)
        hub_probe_link_soon(hub);
}

static void
app_stream_unsaid(Stream *stream, void *data)
{
    app_resume_unsaid(((App *)data)->resumes, stream);
}

static const StreamTableEvents stream_events = {
    .added = app_stream_added,
    .changed = app_stream_changed,
    .removed = app_stream_removed,
    .owner_changed = app_stream_owner_changed,
    .suspended = app_stream_suspended,
    .unsaid = app_stream_unsaid,
};

static void
app_request_added(Consent *request, void *data)
{
    App *app = data;

    APP_TELL_LOGGED(app, request_added, request);
}

static void
app_request_removed(Consent *request, void *data)
{
    App *app = data;

    app_journal_request_removed(request, app->changes);
    APP_TELL(app, request_removed, request);
}

static const ConsentsEvents request_events = {
    .added = app_request_added,
    .removed = app_request_removed,
};

void
app_tell_policy(App *app)
{
    APP_TELL(app, policy_changed, app->policy);
    consents_check_policy(app->consents, app->policy);
    app_resume_check_policy(app->resumes);
}

static void
free_hub(void *data)
{
    hub_free(data);
}

static void
free_target(void *data)
{
    target_unref(data);
}

static void
free_tunnel(void *data)
{
    tunnel_free(data);
}

static void
free_outage(void *data)
{
    outage_free(data);
}

static ConfigPlan *
app_load_config(App *app, GError **error)
{
    StoreState *config = app->config_file
                             ? config_load(app->config_file, !app->config_optional, error)
                             : store_state_new();

    return config ? app_plan_config(app, config, error) : NULL;
}

/* The persistent tunnels of a removed hub are dropped from what is kept. */
static gboolean
reload_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    guint dropped = 0;

    change->plan = app_load_config(app, error);
    if (!change->plan)
        return FALSE;
    for (guint i = 0; i < app->hubs->len; i++)
        if (config_plan_drops(change->plan, app->hubs->pdata[i]))
            dropped += app_draft_drop_hub(draft, app->hubs->pdata[i]);
    change->keeps = dropped > 0;
    return TRUE;
}

/* One record for all that it changes, whoever asked for it. */
static void
reload_record(App *app, const AppChange *change, const char *before, const char *rules,
              const char *changed)
{
    g_autofree char *now = app_settings_text(app), *rules_now = app_rules_text(app);
    const char *other = g_str_equal(rules, rules_now) ? "" : " rules";
    g_autofree char *after =
        *changed || *other ? g_strconcat(now, "; changed:", changed, other, NULL) : g_strdup(now);

    app_record_by(app, EVENT_CONFIG_RELOADED, change->author,
                  &(EventData){.before = before, .after = after});
}

static gpointer
reload_apply(App *app, AppChange *change)
{
    g_autofree char *before = app_settings_text(app), *rules = app_rules_text(app);
    g_autofree char *changed = config_plan_changes(change->plan, app);

    app_commit_config(app, change->plan);
    for (guint i = 0; i < app->hubs->len; i++)
        hub_look_at_certificate(app->hubs->pdata[i]);
    reload_record(app, change, before, rules, changed);
    return NULL;
}

static const ChangeKind reload_kind = {reload_check, reload_apply, .alone = TRUE};

AppChange *
app_reload(App *app, AppDone done, void *data, GError **error)
{
    return app_submit(app, app_change_new(&reload_kind, done, data), error);
}

static gboolean
app_begin_config(App *app, GError **error)
{
    ConfigPlan *plan = app_load_config(app, error);

    if (!plan)
        return FALSE;
    app_commit_config(app, plan);
    config_plan_free(plan);
    return TRUE;
}

const char *
app_state_error(const App *app)
{
    return app->state_error;
}

gboolean
app_has_state(const App *app, GError **error)
{
    if (app->state_error)
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_BUSY, app->state_error);
    return app->state_error == NULL;
}

static void
app_lock(App *app, const char *why)
{
    app->state_error = g_strdup_printf(
        "streamd runs without its state, opens no stream and changes nothing: %s", why);
    event_log(EVENT_STATE_REFUSED, &(EventData){.detail = why});
    accept_policy_lock(app->policy, "streamd runs without its state, which is of a newer one");
}

static gboolean
app_load_store(App *app, const char *dir, GError **error)
{
    g_autoptr(Store) store = NULL;

    if (!dir)
        return TRUE;
    store = store_new(dir, error);
    if (!store)
        return FALSE;
    app->loaded = store_load(store, error);
    if (!app->loaded || !app_apply_store(app, app->loaded, error))
        return FALSE;
    if (store_is_newer(store))
        app_lock(app, store_is_newer(store));
    app->writer = store_writer_new(g_steal_pointer(&store), app_written, app, error);
    return app->writer != NULL;
}

static gboolean
app_take_store(App *app, const char *dir, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (app_load_store(app, dir, &reason))
        return TRUE;
    event_log(EVENT_STATE_REFUSED, &(EventData){.detail = reason->message});
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
}

static HeapLoad
app_load(void *data)
{
    StreamTable *streams = ((App *)data)->streams;

    return (HeapLoad){.most = stream_table_most(streams), .now = stream_table_weight(streams)};
}

App *
app_new(const AppOptions *options, GError **error)
{
    g_autoptr(App) app = g_new0(App, 1);

    app->runtime = runtime_new(options->threads);
    app->hubs = g_ptr_array_new_with_free_func(free_hub);
    app->targets = g_ptr_array_new_with_free_func(free_target);
    app->tunnels = g_ptr_array_new_with_free_func(free_tunnel);
    app->policy = accept_policy_new();
    app->listeners_per_uid = APP_LISTENERS_PER_UID;
    app->streams =
        stream_table_new(app->runtime, APP_STREAMS_MAX, APP_STREAMS_PER_UID, &stream_events, app);
    app->resumes = app_resume_new(app);
    app->heap = heap_watch_new(app_load, app);
    app->consents = consents_new(&request_events, app);
    app->handlers = handlers_new();
    app->changes = changes_new();
    app->outages = g_hash_table_new_full(NULL, NULL, NULL, free_outage);
    app->user = options->user;
    app->proxy = options->user ? proxy_new_session() : NULL;
    app->config_file = g_strdup(options->config_file);
    app->config_optional = options->config_optional;
    if (!app_begin_config(app, error) || !app_take_store(app, options->state_dir, error))
        return NULL;
    return g_steal_pointer(&app);
}

/* Tunnels first, so that none opens another stream; then streams, because their end is reported to
 * hubs and targets. */
void
app_free(App *app)
{
    if (!app)
        return;
    app->observer = NULL;
    g_clear_pointer(&app->status, status_line_free);
    app_finish_changes(app);
    network_watch_free(app->network);
    heap_watch_free(app->heap);
    g_ptr_array_set_size(app->tunnels, 0);
    stream_table_close_all(app->streams, REASON_STOPPING);
    app_resume_stop(app->resumes);
    g_ptr_array_set_size(app->hubs, 0);
    runtime_free(app->runtime);
    stream_table_free(app->streams);
    app_resume_free(app->resumes);
    consents_free(app->consents);
    handlers_free(app->handlers);
    app_leave_free(app->leave);
    left_free(app->left);
    g_clear_pointer(&app->left_items, g_array_unref);
    g_ptr_array_unref(app->tunnels);
    g_ptr_array_unref(app->hubs);
    g_ptr_array_unref(app->targets);
    accept_policy_free(app->policy);
    proxy_unref(app->proxy);
    proxy_settings_clear(&app->proxy_settings);
    changes_free(app->changes);
    g_hash_table_unref(app->outages);
    g_free(app->reload_problem);
    if (app->started)
        event_log(EVENT_DAEMON_STOPPED, &(EventData){0});
    store_state_free(app->loaded);
    store_state_free(app->enrolls);
    store_writer_free(app->writer);
    g_free(app->state_error);
    g_free(app->config_file);
    g_free(app);
}

void
app_set_observer(App *app, const Observer *observer, void *data)
{
    app->observer = observer;
    app->observer_data = data;
}

static void
app_network_changed(void *data)
{
    App *app = data;

    for (guint i = 0; i < app->hubs->len; i++)
        hub_network_changed(app->hubs->pdata[i]);
    app_resume_network_changed(app->resumes);
    stream_table_probe(app->streams);
}

/* Now that the hubs are there. */
static void
app_lead_inherited(App *app)
{
    g_autoptr(GPtrArray) streams = stream_table_list(app->streams);

    for (guint i = 0; i < streams->len; i++)
        if (stream_state(streams->pdata[i]) == STREAM_SUSPENDED)
            app_resume_inherited(app->resumes, streams->pdata[i]);
}

void
app_start(App *app)
{
    app->started = TRUE;
    app->network = network_watch_new(app_network_changed, app);
    event_log(EVENT_DAEMON_STARTED, &(EventData){.detail = STREAMD_VERSION});
    app->knows_closed = peer_uid_tells_closed() == 1;
    if (!app->knows_closed)
        event_log(EVENT_TUNNEL_BLIND, &(EventData){0});
    for (guint i = 0; i < app->hubs->len; i++)
        hub_connect(app->hubs->pdata[i]);
    app_restore_tunnels(app);
    app_lead_inherited(app);
    app_join_configured(app);
    status_line_touch(app->status);
}

static GPtrArray *
copy_list(GPtrArray *from)
{
    GPtrArray *list = g_ptr_array_sized_new(from->len);

    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(list, from->pdata[i]);
    return list;
}

GPtrArray *
app_list_hubs(App *app)
{
    return copy_list(app->hubs);
}

Hub *
app_find_hub(App *app, const char *name)
{
    for (guint i = 0; i < app->hubs->len; i++)
        if (g_strcmp0(hub_name(app->hubs->pdata[i]), name) == 0)
            return app->hubs->pdata[i];
    return NULL;
}

static Hub *
app_resolve_named(GPtrArray *hubs, const char *name, HubRole role, GError **error)
{
    Hub *hub = NULL;

    for (guint i = 0; !hub && i < hubs->len; i++)
        if (g_str_equal(hub_name(hubs->pdata[i]), name))
            hub = hubs->pdata[i];
    if (!hub) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "there is no hub \"%s\"", name);
        return NULL;
    }
    if (hub_role(hub) != role) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "hub \"%s\" is known in the %s role; this needs the %s role", name,
                    hub_role_name(hub_role(hub)), hub_role_name(role));
        return NULL;
    }
    return hub;
}

Hub *
app_resolve_hub(App *app, const char *name, HubRole role, GError **error)
{
    return app_resolve_hub_of(app->hubs, name, role, error);
}

Hub *
app_resolve_hub_of(GPtrArray *hubs, const char *name, HubRole role, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    Hub *found = NULL;
    guint count = 0;

    if (name && *name)
        return app_resolve_named(hubs, name, role, error);
    for (guint i = 0; i < hubs->len; i++) {
        Hub *hub = hubs->pdata[i];

        if (hub_role(hub) != role)
            continue;
        found = hub;
        g_string_append_printf(names, "%s%s", count++ > 0 ? ", " : "", hub_name(hub));
    }
    if (count == 1)
        return found;
    if (count == 0)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "there is no hub in the %s role",
                    hub_role_name(role));
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "there are several hubs in the %s role, say which: %s", hub_role_name(role),
                    names->str);
    return NULL;
}

GPtrArray *
app_list_targets(App *app)
{
    return copy_list(app->targets);
}

Target *
app_find_target(App *app, const char *name)
{
    for (guint i = 0; i < app->targets->len; i++)
        if (g_strcmp0(target_name(app->targets->pdata[i]), name) == 0)
            return app->targets->pdata[i];
    return NULL;
}

AcceptPolicy *
app_policy(App *app)
{
    return app->policy;
}

Consents *
app_consents(App *app)
{
    return app->consents;
}

Consent *
app_find_consent(App *app, guint64 id)
{
    return consents_find(app->consents, id);
}

GPtrArray *
app_list_consents(App *app)
{
    return consents_list(app->consents);
}

Handlers *
app_handlers(App *app)
{
    return app->handlers;
}

Stream *
app_find_stream(App *app, guint64 id)
{
    return stream_table_find(app->streams, id);
}

TrafficCount
app_hub_traffic(App *app, const Hub *hub, TrafficSees sees, gpointer data)
{
    return stream_table_traffic(app->streams, hub_name(hub), sees, data);
}

GPtrArray *
app_list_streams(App *app)
{
    return stream_table_list(app->streams);
}

GPtrArray *
app_list_tunnels(App *app)
{
    return copy_list(app->tunnels);
}

Tunnel *
app_find_tunnel(App *app, guint64 id)
{
    for (guint i = 0; i < app->tunnels->len; i++)
        if (tunnel_id(app->tunnels->pdata[i]) == id)
            return app->tunnels->pdata[i];
    return NULL;
}

gboolean
app_knows_closed(const App *app)
{
    return app->knows_closed;
}

guint64
app_next_stream(App *app)
{
    return ++app->last_stream;
}

ReactorPool *
app_reactors(App *app)
{
    return app->runtime->pool;
}
