/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applies a new configuration. First it makes all new objects beside those that run. Only if all of
 * them could be made does it exchange any. */
#include "daemon/app-private.h"

#include "common/base/error.h"

#include <string.h>

struct ConfigPlan {
    StoreState *config;
    GPtrArray *hubs;    /* Hub: new or changed */
    GPtrArray *targets; /* Target */
    AcceptPolicy *policy;
    Proxy *proxy;           /* of hubs without their own proxy; NULL: none */
    gboolean proxy_changed; /* hubs without their own proxy have to be made again */
    HubResume resume;       /* of all hubs */
    gboolean resume_changed;
    GString *problems;
};

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

static ConfigPlan *
plan_new(StoreState *config)
{
    ConfigPlan *plan = g_new0(ConfigPlan, 1);

    plan->config = config;
    plan->hubs = g_ptr_array_new_with_free_func(free_hub);
    plan->targets = g_ptr_array_new_with_free_func(free_target);
    plan->policy = accept_policy_new();
    plan->problems = g_string_new(NULL);
    return plan;
}

void
config_plan_free(ConfigPlan *plan)
{
    if (!plan)
        return;
    store_state_free(plan->config);
    g_ptr_array_unref(plan->hubs);
    g_ptr_array_unref(plan->targets);
    accept_policy_free(plan->policy);
    proxy_unref(plan->proxy);
    g_string_free(plan->problems, TRUE);
    g_free(plan);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfigPlan, config_plan_free)

static void
plan_problem(ConfigPlan *plan, const char *source, const char *what, const char *name,
             const char *text)
{
    g_string_append_printf(plan->problems, "%s%s: [%s %s]: %s", plan->problems->len > 0 ? "\n" : "",
                           source, what, name, text);
}

static void
plan_proxy(ConfigPlan *plan, App *app, const ProxySettings *settings)
{
    g_autoptr(GError) error = NULL;

    plan->proxy_changed = !proxy_settings_equal(settings, &app->proxy_settings);
    if (!plan->proxy_changed)
        plan->proxy = app->proxy ? proxy_ref(app->proxy) : NULL;
    else if (proxy_is_set(settings))
        plan->proxy = proxy_new(settings, &error);
    else if (app->user)
        plan->proxy = proxy_new_session();
    if (error) /* cannot happen: the configuration was checked */
        g_string_append_printf(plan->problems, "[network]: %s", error->message);
}

static gboolean
plan_reroutes(const ConfigPlan *plan, const HubSettings *settings)
{
    return (plan->proxy_changed && !proxy_is_set(&settings->proxy)) || plan->resume_changed;
}

static void
plan_hub(ConfigPlan *plan, App *app, const HubSettings *settings)
{
    const Hub *present = app_find_hub(app, settings->name);
    g_autoptr(GError) error = NULL;
    Hub *hub;

    if (present && !hub_source(present)) {
        plan_problem(plan, settings->source, "hub", settings->name,
                     "a hub of that name was added over D-Bus: remove that one first");
        return;
    }
    if (present && hub_has_settings(present, settings) && !plan_reroutes(plan, settings))
        return;
    hub = app_make_hub(app, settings, plan->proxy, &plan->resume, &error);
    if (hub)
        g_ptr_array_add(plan->hubs, hub);
    else
        plan_problem(plan, settings->source, "hub", settings->name, error->message);
}

/* A hub that was added over D-Bus, when the proxy changes, or what holds for the streams of all. */
static void
plan_kept_hub(ConfigPlan *plan, App *app, const HubSettings *settings)
{
    g_autoptr(GError) error = NULL;
    Hub *hub = app_make_hub(app, settings, plan->proxy, &plan->resume, &error);

    if (hub)
        g_ptr_array_add(plan->hubs, hub);
    else
        plan_problem(plan, "set over D-Bus", "hub", settings->name, error->message);
}

static void
plan_hubs(ConfigPlan *plan, App *app, const StoreState *config)
{
    guint kept = 0;

    for (guint i = 0; i < app->hubs->len; i++)
        kept += hub_source(app->hubs->pdata[i]) == NULL;
    if (kept + store_state_hubs(config) > APP_HUBS_MAX)
        g_string_append_printf(plan->problems, "there would be %u hubs, and %d is the limit",
                               kept + store_state_hubs(config), APP_HUBS_MAX);
    for (guint i = 0; i < store_state_hubs(config); i++) {
        const HubSettings settings = store_state_hub(config, i);

        plan_hub(plan, app, &settings);
    }
    for (guint i = 0; i < app->hubs->len; i++) {
        const HubSettings settings = hub_settings(app->hubs->pdata[i]);

        if (!settings.source && plan_reroutes(plan, &settings))
            plan_kept_hub(plan, app, &settings);
    }
}

static gboolean
target_has_settings(const Target *target, const TargetSettings *settings)
{
    return strcmp(target_address(target), settings->address) == 0 &&
           limits_equal(target_limits(target), &settings->limits);
}

static void
plan_target(ConfigPlan *plan, App *app, const TargetSettings *settings)
{
    const Target *present = app_find_target(app, settings->name);
    g_autoptr(GError) error = NULL;
    Target *target;

    if (present && !target_source(present)) {
        plan_problem(plan, settings->source, "target", settings->name,
                     "a target of that name was added over D-Bus: remove that one first");
        return;
    }
    if (present && target_has_settings(present, settings))
        return;
    target = target_new(settings, &error);
    if (target)
        g_ptr_array_add(plan->targets, target);
    else
        plan_problem(plan, settings->source, "target", settings->name, error->message);
}

static void
plan_targets(ConfigPlan *plan, App *app, const StoreState *config)
{
    guint kept = 0;

    for (guint i = 0; i < app->targets->len; i++)
        kept += target_source(app->targets->pdata[i]) == NULL;
    if (kept + store_state_targets(config) > APP_TARGETS_MAX)
        g_string_append_printf(plan->problems, "%sthere would be %u targets, and %d is the limit",
                               plan->problems->len > 0 ? "\n" : "",
                               kept + store_state_targets(config), APP_TARGETS_MAX);
    for (guint i = 0; i < store_state_targets(config); i++) {
        const TargetSettings settings = store_state_target(config, i);

        plan_target(plan, app, &settings);
    }
}

static void
plan_rule(ConfigPlan *plan, const AcceptRule *rule)
{
    g_autofree char *id = g_strdup_printf("%u", rule->id);
    g_autoptr(GError) error = NULL;

    if (!accept_policy_add(plan->policy, rule, -1, NULL, &error))
        plan_problem(plan, rule->source ? rule->source : "set over D-Bus", "rule", id,
                     error->message);
}

/* The rules of the configuration come first, then those of D-Bus in their order. A default that was
 * set over D-Bus overrides that of the configuration. */
static void
plan_policy(ConfigPlan *plan, const App *app, const StoreState *config)
{
    const char *text = NULL;
    gboolean accept = FALSE;

    for (guint i = 0; i < store_state_rules(config); i++) {
        const AcceptRule rule = store_state_rule(config, i);

        plan_rule(plan, &rule);
    }
    for (guint i = 0; i < accept_policy_size(app->policy); i++)
        if (!accept_policy_get(app->policy, i)->source)
            plan_rule(plan, accept_policy_get(app->policy, i));
    accept_policy_set_next_id(plan->policy, accept_policy_next_id(app->policy));
    if (app->default_kept)
        accept = accept_policy_default(app->policy, &text);
    else if (!store_state_default(config, &accept, &text))
        return; /* reject */
    (void)accept_policy_set_default(plan->policy, accept, text, NULL);
}

static gboolean
config_has_hub(const StoreState *config, const char *name, const char **ret_source)
{
    for (guint i = 0; i < store_state_hubs(config); i++) {
        const HubSettings settings = store_state_hub(config, i);

        if (strcmp(settings.name, name) != 0)
            continue;
        *ret_source = settings.source;
        return TRUE;
    }
    return FALSE;
}

static gboolean
config_has_target(const StoreState *config, const char *name, const char **ret_source)
{
    for (guint i = 0; i < store_state_targets(config); i++) {
        const TargetSettings settings = store_state_target(config, i);

        if (strcmp(settings.name, name) != 0)
            continue;
        *ret_source = settings.source;
        return TRUE;
    }
    return FALSE;
}

/* Removes what is no longer in the configuration. The rest may have moved to another line of it. */
static void
commit_removals(App *app, const StoreState *config)
{
    const char *source = NULL;

    for (guint i = app->hubs->len; i > 0; i--) {
        Hub *hub = app->hubs->pdata[i - 1];

        if (hub_source(hub) && !config_has_hub(config, hub_name(hub), &source))
            app_drop_hub(app, hub);
        else if (hub_source(hub))
            hub_set_source(hub, source);
    }
    for (guint i = app->targets->len; i > 0; i--) {
        Target *target = app->targets->pdata[i - 1];

        if (target_source(target) && !config_has_target(config, target_name(target), &source))
            app_drop_target(app, target);
        else if (target_source(target))
            target_set_source(target, source);
    }
}

static void
commit_hub(App *app, Hub *hub)
{
    app_swap_hub(app, hub);
    if (app->started)
        hub_connect(hub);
}

static void
commit_target(App *app, Target *target)
{
    Target *old = app_find_target(app, target_name(target));

    if (old)
        app_drop_target(app, old);
    app_place_target(app, target);
    APP_TELL(app, target_added, target);
}

static void
commit_limits(App *app, const StoreState *config)
{
    const StoreLimits limits = store_state_limits(config);
    const StoreResume resume = store_state_resume(config);

    app->listeners_per_uid =
        limits.listeners_per_uid ? limits.listeners_per_uid : APP_LISTENERS_PER_UID;
    stream_table_set_resume(app->streams, resume.windows ? resume.windows : RESUME_BUDGET,
                            resume.rings ? resume.rings : RESUME_BUDGET);
    stream_table_set_per_uid(app->streams,
                             limits.streams_per_uid ? limits.streams_per_uid : APP_STREAMS_PER_UID);
}

static void
commit_proxy(ConfigPlan *plan, App *app, const StoreState *config)
{
    const ProxySettings settings = store_state_proxy(config);

    if (!plan->proxy_changed)
        return;
    proxy_unref(app->proxy);
    app->proxy = g_steal_pointer(&plan->proxy);
    proxy_settings_clear(&app->proxy_settings);
    app->proxy_settings = proxy_settings_copy(&settings);
}

static void
commit_enrolls(App *app, const StoreState *config)
{
    store_state_free(app->enrolls);
    app->enrolls = store_state_new();
    for (guint i = 0; i < store_state_enrolls(config); i++) {
        const StoreEnroll enroll = store_state_enroll(config, i);

        store_state_add_enroll(app->enrolls, &enroll);
    }
}

void
app_commit_config(App *app, ConfigPlan *plan)
{
    commit_proxy(plan, app, plan->config);
    app->resume = plan->resume;
    commit_removals(app, plan->config);
    while (plan->hubs->len > 0)
        commit_hub(app, g_ptr_array_steal_index(plan->hubs, 0));
    while (plan->targets->len > 0)
        commit_target(app, g_ptr_array_steal_index(plan->targets, 0));
    accept_policy_swap(app->policy, plan->policy);
    app_tell_policy(app);
    commit_limits(app, plan->config);
    commit_enrolls(app, plan->config);
    app_join_configured(app);
}

gboolean
config_plan_drops(const ConfigPlan *plan, const Hub *hub)
{
    const char *source;

    return hub_source(hub) && !config_has_hub(plan->config, hub_name(hub), &source);
}

char *
config_plan_changes(const ConfigPlan *plan, App *app)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->hubs->len; i++)
        if (app_find_hub(app, hub_name(plan->hubs->pdata[i])))
            g_string_append_printf(text, " hub %s", hub_name(plan->hubs->pdata[i]));
    for (guint i = 0; i < plan->targets->len; i++)
        if (app_find_target(app, target_name(plan->targets->pdata[i])))
            g_string_append_printf(text, " target %s", target_name(plan->targets->pdata[i]));
    return g_string_free(text, FALSE);
}

ConfigPlan *
app_plan_config(App *app, StoreState *config, GError **error)
{
    const ProxySettings proxy = store_state_proxy(config);
    g_autoptr(ConfigPlan) plan = plan_new(config);

    plan_proxy(plan, app, &proxy);
    plan->resume = store_state_resume(config).all;
    plan->resume_changed = plan->resume.no_resume != app->resume.no_resume ||
                           plan->resume.resume_time != app->resume.resume_time;
    plan_hubs(plan, app, config);
    plan_targets(plan, app, config);
    plan_policy(plan, app, config);
    if (plan->problems->len == 0)
        return g_steal_pointer(&plan);
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, plan->problems->str);
    return NULL;
}
