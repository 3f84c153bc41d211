/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-record.h"

#include "common/bus/names.h"
#include "daemon/app-private.h"
#include "daemon/policy/accept-text.h"

void
app_change_by(AppChange *change, Author *author)
{
    author_free(change->author);
    change->author = author;
}

void
app_record(App *app, const AppChange *change, EventKind kind, const EventData *data)
{
    if (change->author)
        changes_add(app->changes, kind, change->author, data);
}

void
app_record_by(App *app, EventKind kind, const Author *author, const EventData *data)
{
    changes_add(app->changes, kind, author, data);
}

void
app_expect_record(App *app, guint32 uid)
{
    changes_expect(app->changes, uid);
}

char *
app_hub_text(const Hub *hub)
{
    return g_strdup_printf("%s %s at %s port %u", hub_role_name(hub_role(hub)), hub_identity(hub),
                           hub_host_name(hub), hub_port(hub));
}

char *
app_target_text(const Target *target)
{
    g_autofree char *limits = limits_text(target_limits(target));

    return g_strconcat(target_address(target), limits, NULL);
}

char *
app_tunnel_text(const Tunnel *tunnel)
{
    return g_strdup_printf("tunnel of user %u on %s for %s of %s at hub %s%s",
                           tunnel_owner_uid(tunnel), tunnel_listen_address(tunnel),
                           tunnel_stream(tunnel), tunnel_device(tunnel), tunnel_hub(tunnel),
                           tunnel_shared(tunnel) ? ", shared" : "");
}

static void
record_hub(App *app, const AppChange *change, EventKind kind, Hub *hub)
{
    g_autofree char *text = app_hub_text(hub);
    gboolean added = kind == EVENT_HUB_ADDED;

    app_record(app, change, kind,
               &(EventData){.hub = hub_name(hub),
                            .device = hub_identity(hub),
                            .before = added ? "none" : text,
                            .after = added ? text : "none"});
}

void
app_record_hub_added(App *app, const AppChange *change, Hub *hub)
{
    record_hub(app, change, EVENT_HUB_ADDED, hub);
}

void
app_record_hub_removed(App *app, const AppChange *change, Hub *hub)
{
    record_hub(app, change, EVENT_HUB_REMOVED, hub);
}

static void
record_target(App *app, const AppChange *change, EventKind kind, Target *target)
{
    g_autofree char *text = app_target_text(target);
    gboolean added = kind == EVENT_TARGET_ADDED;

    app_record(app, change, kind,
               &(EventData){.target = target_name(target),
                            .address = target_address(target),
                            .before = added ? "none" : text,
                            .after = added ? text : "none"});
}

void
app_record_target_added(App *app, const AppChange *change, Target *target)
{
    record_target(app, change, EVENT_TARGET_ADDED, target);
}

void
app_record_target_removed(App *app, const AppChange *change, Target *target)
{
    record_target(app, change, EVENT_TARGET_REMOVED, target);
}

void
app_record_tunnel(App *app, const AppChange *change, EventKind kind, const Tunnel *tunnel)
{
    g_autofree char *text = app_tunnel_text(tunnel);
    g_autofree char *path =
        g_strdup_printf(BUS_PATH_TUNNEL "/%" G_GUINT64_FORMAT, tunnel_id(tunnel));
    gboolean kept = kind == EVENT_TUNNEL_KEPT;

    app_record(app, change, kind,
               &(EventData){.hub = tunnel_hub(tunnel),
                            .device = tunnel_device(tunnel),
                            .stream = tunnel_stream(tunnel),
                            .address = tunnel_listen_address(tunnel),
                            .tunnel = tunnel_id(tunnel),
                            .object = path,
                            .before = kept ? "none" : text,
                            .after = kept ? text : "closed"});
}

void
app_record_policy(App *app, const AppChange *change, const char *before, const char *after)
{
    app_record(app, change, EVENT_POLICY_CHANGED, &(EventData){.before = before, .after = after});
}

static void
add_name(GString *text, const char *name)
{
    g_string_append_c(text, ' ');
    g_string_append(text, name);
}

char *
app_settings_text(App *app)
{
    GString *text = g_string_new("hubs:");
    g_autofree char *outcome = accept_default_text(app->policy);

    for (guint i = 0; i < app->hubs->len; i++)
        add_name(text, hub_name(app->hubs->pdata[i]));
    g_string_append(text, "; targets:");
    for (guint i = 0; i < app->targets->len; i++)
        add_name(text, target_name(app->targets->pdata[i]));
    g_string_append(text, "; rules:");
    for (guint i = 0; i < accept_policy_size(app->policy); i++)
        g_string_append_printf(text, " %u", accept_policy_get(app->policy, i)->id);
    g_string_append_printf(text, "; default: %s", outcome);
    return g_string_free(text, FALSE);
}

char *
app_rules_text(App *app)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < accept_policy_size(app->policy); i++) {
        g_autofree char *rule = accept_rule_text(accept_policy_get(app->policy, i));

        g_string_append_printf(text, "%s\n", rule);
    }
    return g_string_free(text, FALSE);
}
