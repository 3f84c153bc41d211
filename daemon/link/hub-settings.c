/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of a hub and its key, its state as others see it, and the names of both. */
#include "daemon/link/hub-struct.h"

#include "common/base/secret.h"
#include "daemon/net/keep-alive.h"

#include <string.h>

static const char *const role_names[] = {"device", "service"};
static const char *const transport_names[] = {"wss", "mqtts"};
static const char *const state_names[] = {"disconnected", "connecting", "connected", "refused"};

const char *
hub_role_name(HubRole role)
{
    return role_names[role];
}

const char *
hub_state_name(HubState state)
{
    return state_names[state];
}

const char *
hub_transport_name(HubTransport transport)
{
    return transport_names[transport];
}

gboolean
hub_transport_from_name(const char *name, HubTransport *ret)
{
    for (guint i = 0; i < G_N_ELEMENTS(transport_names); i++) {
        if (g_strcmp0(name, transport_names[i]) != 0)
            continue;
        *ret = (HubTransport)i;
        return TRUE;
    }
    return FALSE;
}

gboolean
hub_name_is_valid(const char *name)
{
    gsize len = strlen(name);

    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("._-", name[i]))
            return FALSE;
    return len >= 1 && len <= HUB_NAME_MAX;
}

HubSettings
hub_settings(const Hub *hub)
{
    return (HubSettings){
        .name = hub->name,
        .connection_string = hub->connection_string,
        .invitation = hub->invitation,
        .identity = hub->public_string,
        .refused = hub->refused,
        .ca_file = hub->ca_file,
        .ca = hub->saving_ca ? hub->saving_ca : hub->ca,
        .allowed_users = hub->allowed_users,
        .stream_hosts = hub->stream_globs,
        .transport = hub->transport,
        .mqtts_port = hub->mqtts_port,
        .ca_digest = hub->ca_digest,
        .own = {hub->own_certificate, hub->own_key, hub->own_pin},
        .proxy = hub->proxy_settings,
        .source = hub->source,
        .token_life = hub->token_life,
        .keep_alive = hub->keep_alive,
        .leg_ping = hub->leg_ping,
        .leg_dead = hub->leg_dead,
        .end_wait = hub->end_wait,
        .no_resume = hub->no_resume,
        .resume_time = hub->resume_time,
        .pending = hub->saving ? *hub->saving : hub->pending,
    };
}

static gboolean
is_default_or(guint setting, guint fallback, guint value)
{
    return (setting ? setting : fallback) == value;
}

static gboolean
hub_has_times(const Hub *hub, const HubSettings *settings)
{
    return is_default_or(settings->token_life, HUB_TOKEN_LIFE, hub->token_life) &&
           is_default_or(settings->keep_alive, KEEP_ALIVE_MOST, hub->keep_alive) &&
           is_default_or(settings->leg_ping, HUB_LEG_PING, hub->leg_ping) &&
           is_default_or(settings->leg_dead, HUB_LEG_DEAD, hub->leg_dead) &&
           is_default_or(settings->end_wait, HUB_END_WAIT, hub->end_wait);
}

gboolean
hub_has_other_settings(const Hub *hub, const HubSettings *settings)
{
    guint16 port = settings->mqtts_port ? settings->mqtts_port : HUB_MQTTS_PORT;

    return hub_has_times(hub, settings) && hub->no_resume == settings->no_resume &&
           hub->resume_time == settings->resume_time &&
           g_strcmp0(hub->ca_file, settings->ca_file) == 0 &&
           g_strcmp0(hub->ca, settings->ca_file ? NULL : settings->ca) == 0 &&
           g_strcmp0(hub->ca_digest, settings->ca_digest) == 0 &&
           g_strcmp0(hub->own_certificate, settings->own.certificate) == 0 &&
           g_strcmp0(hub->own_key, settings->own.key) == 0 &&
           g_strcmp0(hub->own_pin, settings->own.pin_file) == 0 &&
           hub->transport == settings->transport && hub->mqtts_port == port &&
           proxy_settings_equal(&hub->proxy_settings, &settings->proxy) &&
           g_strcmp0(hub->allowed_users, settings->allowed_users ? settings->allowed_users : "") ==
               0 &&
           g_strcmp0(hub->stream_globs, settings->stream_hosts ? settings->stream_hosts : "") == 0;
}

gboolean
hub_has_settings(const Hub *hub, const HubSettings *settings)
{
    g_auto(SecretText) secret = g_strstrip(g_strdup(settings->connection_string));

    return hub->connection_string && secret_equals(hub->connection_string, secret) &&
           hub_has_other_settings(hub, settings);
}

gboolean
hub_follows_proxy(const Hub *hub, const Proxy *shared)
{
    return hub->refused || proxy_is_set(&hub->proxy_settings) || hub->proxy == shared;
}

void
hub_set_source(Hub *hub, const char *source)
{
    char *copy = g_strdup(source);

    g_free(hub->source);
    hub->source = copy;
}

const char *
hub_name(const Hub *hub)
{
    return hub->name;
}

const char *
hub_host_name(const Hub *hub)
{
    return hub->parts->host;
}

guint16
hub_port(const Hub *hub)
{
    return hub->parts->port;
}

HubRole
hub_role(const Hub *hub)
{
    return hub->parts->device_id ? HUB_ROLE_DEVICE : HUB_ROLE_SERVICE;
}

const char *
hub_identity(const Hub *hub)
{
    return hub->identity;
}

HubTransport
hub_transport(const Hub *hub)
{
    return hub->transport;
}

guint16
hub_mqtts_port(const Hub *hub)
{
    return hub->mqtts_port;
}

const char *
hub_proxy_url(const Hub *hub)
{
    return hub->proxy ? proxy_url(hub->proxy) : "";
}

gboolean
hub_is_wanted(const Hub *hub)
{
    return hub->wanted;
}

const char *
hub_allowed_users(const Hub *hub)
{
    return hub->allowed_users;
}

const char *
hub_stream_hosts(const Hub *hub)
{
    return hub->stream_globs;
}

const char *
hub_source(const Hub *hub)
{
    return hub->source;
}

const char *
hub_ca_file(const Hub *hub)
{
    return hub->ca_file ? hub->ca_file : "";
}

const char *
hub_certificate_file(const Hub *hub)
{
    return hub->own_certificate ? hub->own_certificate : "";
}

const char *
hub_key_file(const Hub *hub)
{
    return hub->own_key ? hub->own_key : "";
}

guint64
hub_certificate_expires(const Hub *hub)
{
    return hub->own ? (guint64)MAX(own_certificate_end(hub->own), 0) * G_TIME_SPAN_SECOND : 0;
}

const char *
hub_certificate_error(const Hub *hub)
{
    return hub->own ? own_certificate_fault(hub->own) : "";
}

gint64
hub_resume_time(const Hub *hub)
{
    const HubResume *all = &hub->context.resume;
    guint time = hub->resume_time ? hub->resume_time : all->resume_time;

    if (hub->no_resume || (all->no_resume && hub->resume_time == 0))
        return 0;
    return (time ? time : HUB_RESUME_TIME) * G_TIME_SPAN_SECOND;
}

HubState
hub_state(const Hub *hub)
{
    return hub->state;
}

const char *
hub_unjoined(const Hub *hub)
{
    if (!hub->invitation)
        return NULL;
    return *hub->last_error ? hub->last_error : "it is being asked";
}

const char *
hub_refused(const Hub *hub)
{
    return hub->refused;
}

const char *
hub_last_error(const Hub *hub)
{
    return hub->last_error;
}

guint64
hub_reconnects(const Hub *hub)
{
    return hub->connects > 0 ? hub->connects - 1 : 0;
}

guint64
hub_taken_over(const Hub *hub)
{
    return hub->taken_over;
}

guint64
hub_takeovers(const Hub *hub)
{
    return hub->takeovers;
}

gboolean
hub_is_shared(const Hub *hub)
{
    return hub->taken_over > 0 &&
           (guint64)g_get_real_time() < hub->taken_over + (guint64)HUB_SHARED_TIME;
}

const char *const *
hub_endpoints(const Hub *hub)
{
    return (const char *const *)hub->endpoints->pdata;
}

guint64
hub_since(const Hub *hub)
{
    return hub->since;
}

/* The key of its identity, when the hub changes it. */
void
hub_answer_key(Hub *hub, const KeyAnswer *answer)
{
    g_autoptr(GString) topic = g_string_new(NULL);

    key_answer_build(topic, answer);
    if (hub->link && !device_link_publish(hub->link, topic->str))
        g_debug("the answer to a new key was not sent; the hub will send the key again");
}

char *
hub_string_with_key(const Hub *hub, const char *key)
{
    ConnectionString parts = *hub->parts;

    parts.key = (char *)(guintptr)key;
    return connection_string_format(&parts);
}

gboolean
hub_is_keyed(const Hub *hub)
{
    return hub->connection_string && hub->parts->key && !hub->parts->x509;
}

gboolean
hub_has_key(const Hub *hub, const char *key)
{
    return hub->connection_string && hub->parts->key && secret_equals(hub->parts->key, key);
}

gboolean
hub_has_same_key(const Hub *hub, const Hub *other)
{
    const char *key = hub->connection_string ? hub->parts->key : NULL;
    const char *others = other->connection_string ? other->parts->key : NULL;

    return key && others ? secret_equals(key, others) : key == others;
}

gboolean
hub_differs_here_alone(const Hub *hub, const Hub *other)
{
    HubSettings settings = hub_settings(other);

    settings.allowed_users = hub->allowed_users;
    settings.stream_hosts = hub->stream_globs;
    return hub->state != HUB_REFUSED && other->state == HUB_CONNECTED &&
           hub_has_settings(hub, &settings);
}

gboolean
hub_has_same_login(const Hub *hub, const Hub *other)
{
    return hub->state != HUB_REFUSED && other->state == HUB_CONNECTED &&
           g_strcmp0(hub->identity, other->identity) == 0 && hub_has_same_key(hub, other) &&
           g_strcmp0(hub->parts->host, other->parts->host) == 0 &&
           hub->parts->port == other->parts->port &&
           g_strcmp0(hub->parts->gateway, other->parts->gateway) == 0 &&
           hub->parts->gateway_port == other->parts->gateway_port && !hub->own && !other->own &&
           hub->transport == HUB_TRANSPORT_WSS && other->transport == HUB_TRANSPORT_WSS;
}

void
hub_set_key(Hub *hub, const char *connection_string)
{
    g_autoptr(ConnectionString) parts = connection_string_parse(connection_string, -1, NULL);

    if (!parts)
        return;
    secret_free(hub->parts->key);
    hub->parts->key = g_steal_pointer(&parts->key);
    secret_free(hub->connection_string);
    hub->connection_string = g_strdup(connection_string);
    if (hub->link)
        device_link_use_key(hub->link);
}

void
hub_set_key_busy(Hub *hub, gboolean busy)
{
    hub->key_busy = busy;
}

gboolean
hub_key_is_busy(const Hub *hub)
{
    return hub->key_busy;
}

gboolean
hub_take_key_turn(Hub *hub, gint64 now)
{
    gint64 forgiven = MAX(now - hub->keys_counted, 0) / HUB_KEYS_PAUSE;

    if (hub->keys_taken == 0 || forgiven >= hub->keys_taken) {
        hub->keys_taken = 0;
        hub->keys_counted = now;
    } else {
        hub->keys_taken -= (guint)forgiven;
        hub->keys_counted += forgiven * HUB_KEYS_PAUSE;
    }
    if (hub->keys_taken >= HUB_KEYS_BURST)
        return FALSE;
    hub->keys_taken++;
    return TRUE;
}
