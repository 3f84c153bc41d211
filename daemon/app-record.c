/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-record.h"

#include "common/bus/names.h"
#include "daemon/app-private.h"
#include "daemon/policy/accept-text.h"

#include <string.h>

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

/* "; WHAT" to both, where they differ. NONE stands for NULL and "". */
static void
add_difference(GString *texts[2], const char *what, const char *const values[2], const char *none)
{
    const char *const shown[2] = {values[0] && *values[0] ? values[0] : none,
                                  values[1] && *values[1] ? values[1] : none};

    for (guint i = 0; strcmp(shown[0], shown[1]) != 0 && i < 2; i++)
        g_string_append_printf(texts[i], "%s%s %s", texts[i]->len > 0 ? ", " : "", what, shown[i]);
}

/* Of what is secret only that it differs. */
static void
add_secret(GString *texts[2], const char *what, gboolean same)
{
    for (guint i = 0; !same && i < 2; i++)
        g_string_append_printf(texts[i], "%s%s %s", texts[i]->len > 0 ? ", " : "",
                               i == 0 ? "the former" : "another", what);
}

static const char *
trust_of(const HubSettings *settings)
{
    return settings->ca_file ? settings->ca_file
           : settings->ca    ? "of the invitation"
                             : "of the system";
}

/* How long a stream without a leg waits for another one; caller frees. */
static char *
resume_text(const Hub *hub)
{
    return hub_resume_time(hub) > 0
               ? g_strdup_printf("%gs", (double)hub_resume_time(hub) / G_USEC_PER_SEC)
               : g_strdup("no");
}

static void
add_differences(GString *texts[2], const Hub *before, const Hub *after)
{
    const HubSettings a = hub_settings(before), b = hub_settings(after);
    g_autofree char *was = app_hub_text(before), *is = app_hub_text(after);
    g_autofree char *resumed = resume_text(before), *resumes = resume_text(after);
    const char *const who[2] = {was, is}, *const resume[2] = {resumed, resumes};
    const char *const trust[2] = {trust_of(&a), trust_of(&b)};
    const char *const own[2] = {a.own.certificate, b.own.certificate};
    const char *const own_key[2] = {a.own.key, b.own.key};
    const char *const proxy[2] = {a.proxy.url, b.proxy.url};
    const char *const exceptions[2] = {a.proxy.exceptions, b.proxy.exceptions};
    const char *const users[2] = {a.allowed_users, b.allowed_users};
    const char *const hosts[2] = {a.stream_hosts, b.stream_hosts};
    const char *const transports[2] = {hub_transport_name(a.transport),
                                       hub_transport_name(b.transport)};

    add_difference(texts, "it is", who, "");
    add_secret(texts, "key", hub_has_same_key(before, after));
    add_difference(texts, "certificates", trust, "");
    add_difference(texts, "certificate", own, "none");
    add_difference(texts, "key file", own_key, "none");
    add_difference(texts, "transport", transports, "");
    add_difference(texts, "proxy", proxy, "as for all hubs");
    add_difference(texts, "no-proxy", exceptions, "none");
    add_secret(texts, "credentials for the proxy",
               g_strcmp0(a.proxy.credentials, b.proxy.credentials) == 0);
    add_difference(texts, "users", users, "all");
    add_difference(texts, "stream-hosts", hosts, "its own");
    add_difference(texts, "resume", resume, "");
}

void
app_record_hub_changed(App *app, const AppChange *change, const Hub *before, const Hub *after)
{
    g_autoptr(GString) was = g_string_new(NULL);
    g_autoptr(GString) is = g_string_new(NULL);
    GString *texts[2] = {was, is};

    add_differences(texts, before, after);
    app_record(app, change, EVENT_HUB_CHANGED,
               &(EventData){.hub = hub_name(after),
                            .device = hub_identity(after),
                            .before = was->len > 0 ? was->str : "the same settings",
                            .after = is->len > 0 ? is->str : "the same settings, read anew"});
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
