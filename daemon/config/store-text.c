/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-text.h"

#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "daemon/config/reader.h"
#include "daemon/config/store-rule.h"
#include "daemon/config/store-secrets.h"
#include "daemon/config/store-upgrade.h"

#include <string.h>

#define NO_KEY "SharedAccessKey=AAAA" /* in place of a missing key */

static const char *const verdicts[] = {"reject", "accept", NULL};
static const char *const transports[] = {"wss", "mqtts", NULL};

void
store_key_clear(StoreKey *key)
{
    g_clear_pointer(&key->connection_string, secret_free);
    g_clear_pointer(&key->proxy_credentials, secret_free);
    g_clear_pointer(&key->invitation, secret_free);
    g_clear_pointer(&key->why, g_free);
}

/* NULL when it is missing: an older version did not write it. */
static char *
store_read_identity(SettingsReader *reader)
{
    g_autofree char *host = settings_reader_text(reader, "host", FALSE);
    g_autofree char *device = settings_reader_text(reader, "device", FALSE);
    g_autofree char *module = settings_reader_text(reader, "module", FALSE);
    g_autofree char *policy = settings_reader_text(reader, "policy", FALSE);

    if (host && policy)
        return g_strdup_printf("HostName=%s;SharedAccessKeyName=%s", host, policy);
    if (host && device)
        return g_strdup_printf("HostName=%s;DeviceId=%s%s%s", host, device,
                               module ? ";ModuleId=" : "", module ? module : "");
    return NULL;
}

static void
set_text(GKeyFile *file, const char *group, const char *key, const char *value)
{
    if (value && *value)
        g_key_file_set_string(file, group, key, value);
}

/* What the hub's authority has told. The texts are the caller's to free. */
static void
store_read_pending(SettingsReader *reader, HubPending *ret)
{
    ret->next_ca = settings_reader_text(reader, "next-ca", FALSE);
    ret->next_host = settings_reader_text(reader, "next-host", FALSE);
    ret->next_port = (guint16)settings_reader_number(reader, "next-port", 1, 65535, 443);
    ret->next_since = settings_reader_number(reader, "next-ca-since", 0, G_MAXINT64, 0);
    ret->next_proved = settings_reader_boolean(reader, "next-ca-proved", FALSE);
    ret->authority_serial =
        (guint64)settings_reader_number(reader, "authority-serial", 0, G_MAXINT64, 0);
    ret->address_serial =
        (guint64)settings_reader_number(reader, "address-serial", 0, G_MAXINT64, 0);
}

static void
store_put_pending(GKeyFile *file, const char *group, const HubPending *pending)
{
    if (pending->authority_serial > 0)
        g_key_file_set_uint64(file, group, "authority-serial", pending->authority_serial);
    set_text(file, group, "next-ca", pending->next_ca);
    if (pending->next_ca) {
        g_key_file_set_int64(file, group, "next-ca-since", pending->next_since);
        g_key_file_set_boolean(file, group, "next-ca-proved", pending->next_proved);
    }
    if (pending->address_serial > 0)
        g_key_file_set_uint64(file, group, "address-serial", pending->address_serial);
    set_text(file, group, "next-host", pending->next_host);
    if (pending->next_host)
        g_key_file_set_integer(file, group, "next-port", pending->next_port);
}

static void
store_read_hub(SettingsReader *reader, const char *name, const StoreKeys *keys, StoreState *state)
{
    g_auto(StoreKey) key = {0};
    g_autofree char *file = settings_reader_text(reader, "secret", FALSE);
    g_autofree char *identity = store_read_identity(reader);
    g_autofree char *ca_file = settings_reader_text(reader, "ca-file", FALSE);
    g_autofree char *ca = settings_reader_text(reader, "ca", FALSE);
    g_autofree char *certificate = settings_reader_text(reader, "certificate-file", FALSE);
    g_autofree char *own_key = settings_reader_text(reader, "key-file", FALSE);
    g_autofree char *pin_file = settings_reader_text(reader, "key-pin-file", FALSE);
    g_autofree char *users = settings_reader_text(reader, "allowed-users", FALSE);
    g_autofree char *hosts = settings_reader_text(reader, "stream-hosts", FALSE);
    g_autofree char *proxy = settings_reader_text(reader, "proxy", FALSE);
    g_autofree char *exceptions = settings_reader_text(reader, "no-proxy", FALSE);
    HubSettings hub = {
        .name = name,
        .identity = identity,
        .ca_file = ca_file,
        .ca = ca,
        .own = {certificate, own_key, pin_file},
        .allowed_users = users,
        .stream_hosts = hosts,
        .proxy = {.url = proxy, .exceptions = exceptions},
    };

    g_autofree char *next_ca = NULL, *next_host = NULL;

    store_read_pending(reader, &hub.pending);
    next_ca = (char *)(guintptr)hub.pending.next_ca;
    next_host = (char *)(guintptr)hub.pending.next_host;
    hub.transport = (HubTransport)settings_reader_choice(reader, "transport", transports, 0);
    hub.mqtts_port = (guint16)settings_reader_number(reader, "mqtt-port", 0, 65535, 0);
    hub.no_resume = !settings_reader_boolean(reader, "resume", TRUE);
    hub.resume_time =
        (guint)settings_reader_number(reader, "resume-time", 0, HUB_RESUME_TIME_MAX, 0);
    if (file && !store_secrets_is_of(file, name))
        settings_reader_fail(reader, "secret", "that is no name of a file with this hub's key");
    if (reader->error)
        return;
    keys->find(name, file, &key, keys->data);
    hub.connection_string = key.connection_string;
    hub.invitation = key.invitation;
    hub.refused = key.connection_string ? NULL : key.why;
    hub.proxy.credentials = proxy ? key.proxy_credentials : NULL;
    store_state_add_hub(state, &hub);
}

static void
store_read_tunnel(SettingsReader *reader, StoreState *state)
{
    g_autofree char *hub = settings_reader_text(reader, "hub", TRUE);
    g_autofree char *device = settings_reader_text(reader, "device", TRUE);
    g_autofree char *stream = settings_reader_text(reader, "stream", TRUE);
    g_autofree char *listen = settings_reader_text(reader, "listen", TRUE);
    const TunnelOptions tunnel = {
        .hub = hub,
        .device = device,
        .stream = stream,
        .listen = listen,
        .shared = settings_reader_boolean(reader, "shared", FALSE),
        .persistent = TRUE,
        .timeout = settings_reader_number(reader, "timeout-usec", 0, G_MAXINT64, 0),
        .wait = settings_reader_number(reader, "wait-usec", 0, G_MAXINT64, 0),
        .no_resume = !settings_reader_boolean(reader, "resume", TRUE),
        .owner_uid = (guint32)settings_reader_number(reader, "owner", 0, G_MAXUINT32, 0),
    };

    if (!reader->error)
        store_state_add_tunnel(state, &tunnel);
}

static void
store_read_policy(SettingsReader *reader, StoreState *state)
{
    g_autofree char *reason = settings_reader_text(reader, "reason", FALSE);
    int verdict = settings_reader_choice(reader, "default", verdicts, -1);

    if (verdict >= 0)
        store_state_set_default(state, verdict == 1, reason);
    store_state_set_next_rule(
        state, (guint32)settings_reader_number(reader, "next-rule", 0, G_MAXUINT32, 0));
}

static void
store_read_section(SettingsReader *reader, const char *group, const StoreKeys *keys,
                   StoreState *state)
{
    const char *name;

    settings_reader_enter(reader, group);
    if ((name = settings_section_name(group, "hub")) != NULL) {
        store_read_hub(reader, name, keys, state);
    } else if ((name = settings_section_name(group, "target")) != NULL) {
        store_read_target(reader, name, state);
    } else if ((name = settings_section_name(group, "rule")) != NULL) {
        store_read_rule(reader, name, state);
    } else if (settings_section_name(group, "tunnel")) {
        store_read_tunnel(reader, state);
    } else if (g_str_equal(group, "policy")) {
        store_read_policy(reader, state);
    }
}

StoreState *
store_text_parse(const char *path, const char *text, int version, const StoreKeys *keys,
                 GError **error)
{
    g_autoptr(StoreState) state = store_state_new();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GStrv) groups = NULL;
    SettingsReader reader = {.path = path, .file = file};

    if (*text && !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    store_upgrade(file, version);
    groups = g_key_file_get_groups(file, NULL);
    for (guint i = 0; groups[i]; i++)
        store_read_section(&reader, groups[i], keys, state);
    if (reader.error) {
        g_propagate_error(error, reader.error);
        return NULL;
    }
    return g_steal_pointer(&state);
}

static void
store_put_tunnel(GKeyFile *file, guint index, const TunnelOptions *tunnel)
{
    g_autofree char *group = g_strdup_printf("tunnel %u", index + 1);

    g_key_file_set_string(file, group, "hub", tunnel->hub);
    g_key_file_set_string(file, group, "device", tunnel->device);
    g_key_file_set_string(file, group, "stream", tunnel->stream);
    g_key_file_set_string(file, group, "listen", tunnel->listen);
    g_key_file_set_string(file, group, "shared", tunnel->shared ? "yes" : "no");
    g_key_file_set_int64(file, group, "timeout-usec", tunnel->timeout);
    g_key_file_set_int64(file, group, "wait-usec", tunnel->wait);
    if (tunnel->no_resume)
        g_key_file_set_string(file, group, "resume", "no");
    g_key_file_set_uint64(file, group, "owner", tunnel->owner_uid);
}

/* The connection string without its key. It still tells what the hub is if the key is lost. */
static void
store_put_identity(GKeyFile *file, const char *group, const HubSettings *hub)
{
    g_autofree char *known = hub->identity ? g_strconcat(hub->identity, ";" NO_KEY, NULL) : NULL;
    const char *text = hub->connection_string ? hub->connection_string : known;
    g_autoptr(ConnectionString) parts = text ? connection_string_parse(text, -1, NULL) : NULL;
    g_autofree char *host = parts ? g_strdup_printf("%s:%u", parts->host, parts->port) : NULL;

    if (!parts)
        return;
    set_text(file, group, "host", host);
    set_text(file, group, "device", parts->device_id);
    set_text(file, group, "module", parts->module_id);
    set_text(file, group, "policy", parts->policy);
}

static void
store_put_hub(GKeyFile *file, const HubSettings *hub, const char *secret)
{
    g_autofree char *group = g_strdup_printf("hub %s", hub->name);

    set_text(file, group, "secret", secret);
    store_put_identity(file, group, hub);
    g_key_file_set_string(file, group, "transport", transports[hub->transport]);
    g_key_file_set_integer(file, group, "mqtt-port", hub->mqtts_port);
    if (hub->no_resume)
        g_key_file_set_string(file, group, "resume", "no");
    if (hub->resume_time > 0)
        g_key_file_set_uint64(file, group, "resume-time", hub->resume_time);
    set_text(file, group, "ca-file", hub->ca_file);
    set_text(file, group, "ca", hub->ca);
    set_text(file, group, "certificate-file", hub->own.certificate);
    set_text(file, group, "key-file", hub->own.key);
    set_text(file, group, "key-pin-file", hub->own.pin_file);
    store_put_pending(file, group, &hub->pending);
    set_text(file, group, "allowed-users", hub->allowed_users);
    set_text(file, group, "stream-hosts", hub->stream_hosts);
    set_text(file, group, "proxy", hub->proxy.url);
    set_text(file, group, "no-proxy", hub->proxy.exceptions);
}

static void
store_put_policy(GKeyFile *file, const StoreState *state)
{
    const char *text = NULL;
    gboolean accept;

    g_key_file_set_uint64(file, "policy", "next-rule", store_state_next_rule(state));
    if (!store_state_default(state, &accept, &text))
        return;
    g_key_file_set_string(file, "policy", "default", verdicts[accept ? 1 : 0]);
    set_text(file, "policy", "reason", text);
}

char *
store_text_format(const StoreState *state, GHashTable *files)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    for (guint i = 0; i < store_state_hubs(state); i++) {
        const HubSettings hub = store_state_hub(state, i);

        store_put_hub(file, &hub, g_hash_table_lookup(files, hub.name));
    }
    for (guint i = 0; i < store_state_targets(state); i++) {
        const TargetSettings target = store_state_target(state, i);

        store_put_target(file, &target);
    }
    for (guint i = 0; i < store_state_rules(state); i++) {
        const AcceptRule rule = store_state_rule(state, i);

        store_put_rule(file, &rule);
    }
    for (guint i = 0; i < store_state_tunnels(state); i++) {
        const TunnelOptions tunnel = store_state_tunnel(state, i);

        store_put_tunnel(file, i, &tunnel);
    }
    store_put_policy(file, state);
    return g_key_file_to_data(file, NULL, NULL);
}
