/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app-update.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/sas-token.h"
#include "daemon/app-private.h"

#include <string.h>

struct AppUpdate {
    App *app;
    Hub *hub;         /* as it would be; NULL: the change has it */
    StoreState *seen; /* the present one, as it was changed */
};

void
app_update_free(AppUpdate *update)
{
    if (!update)
        return;
    if (update->hub)
        g_hash_table_remove(update->app->outages, update->hub);
    hub_free(update->hub);
    store_state_free(update->seen);
    g_free(update);
}

Hub *
app_update_hub(const AppUpdate *update)
{
    return update->hub;
}

static gboolean
update_refuse(GError **error, const char *text)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return FALSE;
}

/* The parts of the present identity; what has lost its key gets a placeholder for it. */
static ConnectionString *
update_parts(const HubSettings *settings, GError **error)
{
    g_autofree char *public = NULL;

    if (settings->connection_string)
        return connection_string_parse(settings->connection_string, -1, error);
    if (!settings->identity) {
        update_refuse(error, "of this hub not even the identity is kept: give its whole connection "
                             "string");
        return NULL;
    }
    public = g_strconcat(settings->identity, ";SharedAccessKey=AAAA", NULL);
    return connection_string_parse(public, -1, error);
}

/* A stream that is open, and a rule about the hub, are about this device. */
static gboolean
update_is_same(const ConnectionString *present, const ConnectionString *next, GError **error)
{
    if (!present->device_id != !next->device_id)
        return update_refuse(error, present->device_id
                                        ? "this hub has the device role, and the connection string "
                                          "is a service's: add another hub with it"
                                        : "this hub has the service role, and the connection "
                                          "string is a device's: add another hub with it");
    if (g_strcmp0(present->device_id, next->device_id) == 0 &&
        g_strcmp0(present->module_id, next->module_id) == 0)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the connection string is for the device %s, and at this hub we are %s: add "
                "another hub with it",
                next->device_id, present->device_id);
    return FALSE;
}

/* HOST[:PORT] as a connection string has it. */
static ConnectionString *
update_host(const char *host, GError **error)
{
    g_autofree char *text = g_strconcat("HostName=", host, ";DeviceId=d;x509=true", NULL);

    if (strpbrk(host, ";=")) {
        update_refuse(error, "the host is given as HOST or HOST:PORT");
        return NULL;
    }
    return connection_string_parse(text, -1, error);
}

/* Nothing but a key: with a ";" it would say more than that in a connection string. */
static gboolean
update_check_key(const char *text, GError **error)
{
    g_auto(SasKey) key = {0};

    if (sas_key_decode(&key, text, strlen(text)))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the key is base64 of 1 to %d bytes, and nothing else", SAS_KEY_MAX);
    return FALSE;
}

/* PARTS with the key and the host of CHANGE, as text, which is checked by whoever makes a hub of
 * it. */
static char *
update_text(const ConnectionString *parts, const HubChange *change, GError **error)
{
    ConnectionString next = *parts;
    g_autoptr(ConnectionString) host =
        change->host && *change->host ? update_host(change->host, error) : NULL;

    if (change->host && !*change->host)
        update_refuse(error, "the host is given as HOST or HOST:PORT, and not empty");
    if (change->host && !host)
        return NULL;
    if (change->key && !update_check_key(change->key, error))
        return NULL;
    if (change->key && parts->x509) {
        update_refuse(error, "the device has a certificate and no key: give a connection string "
                             "to change that");
        return NULL;
    }
    if (host) {
        next.host = host->host;
        next.port = host->port;
    }
    if (change->key)
        next.key = (char *)(guintptr)change->key;
    return connection_string_format(&next);
}

/* NULL without an error: it stays. */
static char *
update_identity(const HubSettings *settings, const HubChange *change, GError **error)
{
    g_autoptr(ConnectionString) given = NULL;
    g_autoptr(ConnectionString) present = NULL;

    if (!change->connection_string && !change->key && !change->host)
        return NULL;
    if (change->connection_string) {
        given = connection_string_parse(change->connection_string, -1, error);
        present = given && settings->identity && !settings->connection_string
                      ? update_parts(settings, NULL)
                      : NULL;
        if (given && settings->connection_string)
            present = update_parts(settings, error);
        if (!given || (present && !update_is_same(present, given, error)))
            return NULL;
        return update_text(given, change, error);
    }
    if (!settings->connection_string && !change->key) {
        update_refuse(error, "the key of this hub is missing: give it, too");
        return NULL;
    }
    present = update_parts(settings, error);
    return present ? update_text(present, change, error) : NULL;
}

/* What the authority has told goes with the authority; what it told of the host, with the host. */
static void
update_pending(HubSettings *settings, const HubChange *change)
{
    HubPending *pending = &settings->pending;

    if (change->ca_file || change->ca)
        *pending = (HubPending){0};
    if (change->connection_string || change->host) {
        pending->next_host = NULL;
        pending->next_port = 0;
    }
}

static const char *
update_none(const char *given, const char *present)
{
    return !given ? present : *given ? given : NULL;
}

static void
update_proxy(ProxySettings *present, const ProxySettings *given)
{
    if (given->url && g_strcmp0(given->url, present->url) != 0)
        *present = (ProxySettings){0}; /* credentials and exceptions are those of the other one */
    present->url = update_none(given->url, present->url);
    present->exceptions = update_none(given->exceptions, present->exceptions);
    present->credentials = update_none(given->credentials, present->credentials);
}

static void
update_settings(HubSettings *settings, const HubChange *change)
{
    if (change->ca_file || change->ca) {
        settings->ca_file = update_none(change->ca_file, NULL);
        settings->ca = change->ca;
    }
    if (change->own.certificate)
        settings->own.certificate = update_none(change->own.certificate, NULL);
    if (change->own.key)
        settings->own =
            (OwnFiles){settings->own.certificate, update_none(change->own.key, NULL), NULL};
    if (change->own.pin_file)
        settings->own.pin_file = update_none(change->own.pin_file, NULL);
    update_proxy(&settings->proxy, &change->proxy);
    settings->allowed_users = update_none(change->allowed_users, settings->allowed_users);
    settings->stream_hosts = update_none(change->stream_hosts, settings->stream_hosts);
    if (change->transport)
        settings->transport = *change->transport;
    if (change->mqtts_port)
        settings->mqtts_port = change->mqtts_port;
    if (change->no_resume)
        settings->no_resume = *change->no_resume;
    if (change->resume_time)
        settings->resume_time = change->resume_time;
    if (settings->connection_string)
        settings->refused = NULL; /* without one the reason stays what it was */
    if (change->connection_string || change->key)
        settings->invitation = NULL; /* it has joined with what was given */
    update_pending(settings, change);
}

AppUpdate *
app_update_new(App *app, const char *name, const HubChange *change, GError **error)
{
    g_autoptr(AppUpdate) update = g_new0(AppUpdate, 1);
    g_auto(SecretText) identity = NULL;
    g_autoptr(GError) failure = NULL;
    Hub *present = app_find_hub(app, name);
    HubSettings settings;

    if (!app_may_change_hub(present, name, error))
        return NULL;
    settings = hub_settings(present);
    update->app = app;
    update->seen = store_state_new();
    store_state_add_hub(update->seen, &settings);
    identity = update_identity(&settings, change, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (identity)
        settings.connection_string = identity;
    update_settings(&settings, change);
    update->hub = app_make_hub(app, &settings, app->proxy, &app->resume, error);
    if (!update->hub)
        return NULL;
    hub_follow(update->hub, present);
    return g_steal_pointer(&update);
}

/* Whether the hub of the draft is still the one that was changed, and the proxy of all hubs the one
 * with which the changed one was made. */
static gboolean
update_is_current(const App *app, const AppDraft *draft, const AppChange *change, Hub *present,
                  GError **error)
{
    const HubSettings seen = store_state_hub(change->asked, 0), now = hub_settings(present);
    gboolean same = seen.connection_string
                        ? hub_has_settings(present, &seen)
                        : !now.connection_string && hub_has_other_settings(present, &seen);

    if (same && hub_follows_proxy(change->hub, app->proxy) &&
        !g_hash_table_contains(draft->keys, present) &&
        !g_ptr_array_find(draft->joined, present, NULL) &&
        g_strcmp0(seen.invitation, now.invitation) == 0 &&
        seen.pending.authority_serial == now.pending.authority_serial &&
        seen.pending.address_serial == now.pending.address_serial)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_BUSY,
                "the hub \"%s\" was changed meanwhile: look at it and try again", change->name);
    return FALSE;
}

static gboolean
update_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    Hub *present = app_draft_find_hub(draft, change->name);

    if (!app_may_change_hub(present, change->name, error) ||
        !update_is_current(app, draft, change, present, error))
        return FALSE;
    app_draft_swap_hub(draft, present, change->hub);
    return TRUE;
}

static gpointer
update_apply(App *app, AppChange *change)
{
    Hub *present = app_find_hub(app, change->name), *next = g_steal_pointer(&change->hub);
    gboolean wanted = hub_is_wanted(present);

    app_record_hub_changed(app, change, present, next);
    app_swap_hub(app, next);
    if (wanted)
        hub_connect(next);
    return next;
}

static const ChangeKind update_kind = {update_check, update_apply};

AppChange *
app_update_submit(AppUpdate *update, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&update_kind, done, data);
    App *app = update->app;

    change->name = g_strdup(hub_name(update->hub));
    change->hub = g_steal_pointer(&update->hub);
    change->asked = g_steal_pointer(&update->seen);
    app_update_free(update);
    return app_submit(app, change, error);
}
