/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/hub-struct.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "daemon/link/hub-notice.h"
#include "daemon/link/hub-pending.h"
#include "daemon/net/keep-alive.h"
#include "daemon/policy/user-list.h"

#include <string.h>

void
hub_set_state(Hub *hub, HubState state, const char *error)
{
    if (hub->state == state && strcmp(hub->last_error, error ? error : "") == 0)
        return;
    if (hub->state != state) {
        hub->since = (guint64)g_get_real_time();
        hub->connects += state == HUB_CONNECTED;
    }
    hub->state = state;
    /* The last error stays until an attempt succeeds. */
    if (error || state != HUB_CONNECTING) {
        g_free(hub->last_error);
        hub->last_error = g_strdup(error ? error : "");
    }
    hub->context.changed(hub, hub->context.data);
}

static const char *
hub_connect_host(const Hub *hub)
{
    if (hub->elsewhere)
        return hub->pending.next_host;
    return hub->parts->gateway ? hub->parts->gateway : hub->parts->host;
}

static guint16
hub_connect_port(const Hub *hub)
{
    if (hub->elsewhere)
        return hub->pending.next_port;
    return hub->parts->gateway ? hub->parts->gateway_port : hub->parts->port;
}

static void
hub_link_state(DeviceLink *link, HubState state, const char *error, void *data)
{
    Hub *hub = data;

    hub_set_state(hub, state, error);
    if (state == HUB_DISCONNECTED && error)
        hub_try_elsewhere(hub);
    if (state != HUB_CONNECTED)
        return;
    device_streams_link_ready(hub->streams);
    hub_look_at_pending(hub);
}

static void
hub_link_request(DeviceLink *link, const StreamRequest *request, void *data)
{
    Hub *hub = data;

    device_streams_request(hub->streams, request);
}

static void
hub_link_notice(DeviceLink *link G_GNUC_UNUSED, const Notice *notice, void *data)
{
    hub_take_notice(data, notice);
}

static void
hub_link_key(DeviceLink *link, const KeyOffer *offer, void *data)
{
    Hub *hub = data;

    hub->context.key(hub, offer, hub->context.data);
}

static void
hub_link_taken_over(DeviceLink *link G_GNUC_UNUSED, void *data)
{
    hub_note_taken_over(data);
}

static gboolean
hub_link_awaited(DeviceLink *link G_GNUC_UNUSED, void *data)
{
    Hub *hub = data;

    return hub->context.awaited(hub, hub->context.data);
}

static const DeviceLinkEvents link_events = {
    .state = hub_link_state,
    .request = hub_link_request,
    .notice = hub_link_notice,
    .key = hub_link_key,
    .taken_over = hub_link_taken_over,
    .awaited = hub_link_awaited,
};

static guint64
hub_next_id(void *data)
{
    Hub *hub = data;

    return hub->context.next_id(hub->context.data);
}

static Target *
hub_find_target(const char *name, void *data)
{
    Hub *hub = data;

    return hub->context.find_target(name, hub->context.data);
}

static gboolean
hub_publish(const char *topic, void *data)
{
    Hub *hub = data;

    return device_link_publish(hub->link, topic);
}

static RelayTimes
hub_leg_times(const Hub *hub)
{
    return (RelayTimes){
        .quiet = RELAY_QUIET,
        .ping = hub->leg_ping * G_TIME_SPAN_SECOND,
        .dead = hub->leg_dead * G_TIME_SPAN_SECOND,
        .wait = hub->end_wait * G_TIME_SPAN_SECOND,
    };
}

DeviceSessionOptions
hub_session_options(const Hub *hub)
{
    const gboolean framed = hub->transport == HUB_TRANSPORT_WSS;

    return (DeviceSessionOptions){
        .host = hub_connect_host(hub),
        .port = framed ? hub_connect_port(hub) : hub->mqtts_port,
        .framed = framed,
        .tls = hub->own ? own_certificate_tls(hub->own)
               : framed ? hub->tls
                        : hub->mqtt_tls,
        .own = hub->own,
        .proxy = hub->proxy,
        .identity = hub->parts,
        .instance = hub->instance,
        .token_life = hub->token_life,
        .keep_alive = hub->keep_alive,
        .resume = hub_resume_time(hub) > 0,
    };
}

static void
hub_init_device(Hub *hub)
{
    DeviceSessionOptions options = hub_session_options(hub);
    const DeviceStreamsContext streams = {
        .runtime = hub->context.runtime,
        .table = hub->context.table,
        .policy = hub->context.policy,
        .consents = hub->context.consents,
        .handlers = hub->context.handlers,
        .tls = hub->tls,
        .proxy = hub->proxy,
        .hub = hub->name,
        .device = hub->identity,
        .stream_hosts = hub->stream_hosts,
        .times = hub_leg_times(hub),
        .tombstones = hub->context.tombstones,
        .resume_time = hub_resume_time(hub),
        .next_id = hub_next_id,
        .find_target = hub_find_target,
        .decided = hub->context.decided,
        .publish = hub_publish,
        .data = hub,
    };

    options.rekey = hub->context.key != NULL;
    instance_make(hub->instance);
    hub->link = device_link_new(hub->context.runtime, &options, &link_events, hub);
    hub->streams = device_streams_new(&streams);
}

/* A certificate goes with a connection string that says so, and with no other. */
static gboolean
hub_check_own(const Hub *hub, GError **error)
{
    const OwnFiles files = {hub->own_certificate, hub->own_key, hub->own_pin};

    if (!own_files_check(&files, error))
        return FALSE;
    if (hub->parts->x509 == (files.certificate != NULL) || hub->refused)
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        hub->parts->x509
                            ? "a device with a certificate (x509=true) needs the files of its "
                              "certificate and key (CertificateFile and KeyFile, or --certificate "
                              "and --key)"
                            : "the connection string has a key, and the certificate would not be "
                              "used: for a device with a certificate it ends with x509=true");
    return FALSE;
}

static gboolean
hub_check(const Hub *hub, GError **error)
{
    if (!hub_name_is_valid(hub->name)) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "a hub's name is 1 to 64 of the characters A-Z a-z 0-9 . _ -");
        return FALSE;
    }
    if (hub->ca_file && !g_path_is_absolute(hub->ca_file)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "the path of the CA file, \"%s\", must be absolute", hub->ca_file);
        return FALSE;
    }
    if (!user_list_check(hub->allowed_users, error)) {
        g_prefix_error(error, "the users allowed to use the hub: ");
        return FALSE;
    }
    if (!stream_hosts_check(hub->stream_globs, error)) {
        g_prefix_error(error, "the hosts of the hub's streams: ");
        return FALSE;
    }
    return hub_check_own(hub, error);
}

TlsContext *
hub_new_tls(const Hub *hub, const char *alpn, GError **error)
{
    TlsContext *tls = hub->ca ? tls_context_new_client_pem(hub->ca, alpn, error)
                              : tls_context_new_client(hub->ca_file, alpn, error);

    if (tls && hub->next)
        tls_context_set_next(tls, hub->next);
    return tls;
}

static void
hub_own_changed(void *data)
{
    Hub *hub = data;

    if (hub->link && !*own_certificate_fault(hub->own))
        device_link_certificate_changed(hub->link);
    hub->context.changed(hub, hub->context.data);
}

/* The control link shows the certificate. Legs have tokens: they do not, so that no key in a token
 * is asked for each stream, and no other host sees it. */
static gboolean
hub_init_own(Hub *hub, GError **error)
{
    const OwnFiles files = {hub->own_certificate, hub->own_key, hub->own_pin};
    const char *alpn = hub->transport == HUB_TRANSPORT_MQTTS ? "mqtt" : "http/1.1";

    hub->own = own_certificate_new(&files, hub->ca, hub->ca_file, alpn, error);
    if (hub->own)
        own_certificate_watch(hub->own, hub_own_changed, hub);
    return hub->own != NULL;
}

static gboolean
hub_init_tls(Hub *hub, GError **error)
{
    hub->tls = hub_new_tls(hub, "http/1.1", error);
    if (!hub->tls)
        return FALSE;
    if (hub->parts->x509)
        return hub_init_own(hub, error);
    if (hub->transport == HUB_TRANSPORT_MQTTS && hub_role(hub) == HUB_ROLE_DEVICE)
        hub->mqtt_tls = hub_new_tls(hub, "mqtt", error);
    return hub->transport != HUB_TRANSPORT_MQTTS || hub_role(hub) != HUB_ROLE_DEVICE ||
           hub->mqtt_tls;
}

static gboolean
hub_init_proxy(Hub *hub, const ProxySettings *settings, GError **error)
{
    Proxy *shared = hub->context.proxy;

    hub->proxy_settings = proxy_settings_copy(settings);
    if (!proxy_is_set(settings)) {
        hub->proxy = shared ? proxy_ref(shared) : NULL;
        return TRUE;
    }
    hub->proxy = proxy_new(settings, error);
    return hub->proxy != NULL;
}

/* What is known of a hub whose key is missing, with a placeholder for the key. */
static ConnectionString *
hub_parse_public(const HubSettings *settings)
{
    const char *known = settings->identity ? settings->identity : "";
    g_autofree char *text = g_strconcat(known, ";SharedAccessKey=AAAA", NULL);
    ConnectionString *parts = connection_string_parse(text, -1, NULL);

    return parts ? parts
                 : connection_string_parse(
                       "HostName=unknown.invalid;DeviceId=unknown;SharedAccessKey=AAAA", -1, NULL);
}

static gboolean
hub_parse(Hub *hub, const HubSettings *settings, GError **error)
{
    hub->refused = g_strdup(settings->refused);
    if (settings->connection_string) {
        hub->connection_string = g_strstrip(g_strdup(settings->connection_string));
        hub->invitation = g_strdup(settings->invitation);
        hub->parts = connection_string_parse(settings->connection_string, -1, error);
        return hub->parts != NULL;
    }
    hub->public_string = g_strdup(settings->identity);
    hub->parts = hub_parse_public(settings);
    if (!hub->refused)
        hub->refused = g_strdup("its key is missing");
    return TRUE;
}

static gboolean
hub_init_way(Hub *hub, const HubSettings *settings, GError **error)
{
    if (!hub->refused)
        return hub_init_tls(hub, error) && hub_init_proxy(hub, &settings->proxy, error);
    hub->proxy_settings = proxy_settings_copy(&settings->proxy);
    hub->state = HUB_REFUSED;
    g_free(hub->last_error);
    hub->last_error = g_strdup(hub->refused);
    return TRUE;
}

Hub *
hub_new(const HubContext *context, const HubSettings *settings, GError **error)
{
    g_autoptr(Hub) hub = g_new0(Hub, 1);

    hub->context = *context;
    hub->name = g_strdup(settings->name);
    hub->ca_file = g_strdup(settings->ca_file);
    hub->ca = g_strdup(settings->ca_file ? NULL : settings->ca);
    hub->allowed_users = g_strdup(settings->allowed_users ? settings->allowed_users : "");
    hub->stream_globs = g_strdup(settings->stream_hosts ? settings->stream_hosts : "");
    hub->transport = settings->transport;
    hub->mqtts_port = settings->mqtts_port ? settings->mqtts_port : HUB_MQTTS_PORT;
    hub->source = g_strdup(settings->source);
    hub->ca_digest = g_strdup(settings->ca_digest);
    hub->own_certificate = g_strdup(settings->own.certificate);
    hub->own_key = g_strdup(settings->own.key);
    hub->own_pin = g_strdup(settings->own.pin_file);
    hub->token_life = settings->token_life ? settings->token_life : HUB_TOKEN_LIFE;
    hub->keep_alive = settings->keep_alive ? settings->keep_alive : KEEP_ALIVE_MOST;
    hub->leg_ping = settings->leg_ping ? settings->leg_ping : HUB_LEG_PING;
    hub->leg_dead = settings->leg_dead ? settings->leg_dead : HUB_LEG_DEAD;
    hub->end_wait = settings->end_wait ? settings->end_wait : HUB_END_WAIT;
    hub->no_resume = settings->no_resume;
    hub->resume_time = settings->resume_time;
    hub->last_error = g_strdup("");
    hub->since = (guint64)g_get_real_time();
    hub->endpoints = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(hub->endpoints, NULL);
    if (!hub_parse(hub, settings, error) || !hub_check(hub, error) ||
        !hub_init_way(hub, settings, error))
        return NULL;
    if (!hub_init_pending(hub, &settings->pending, error))
        return NULL;
    if (hub_role(hub) == HUB_ROLE_DEVICE) {
        hub->identity = device_client_id(hub->parts);
        if (!hub->refused)
            hub_init_device(hub);
    } else {
        hub->identity = g_strdup(hub->parts->policy);
    }
    return g_steal_pointer(&hub);
}

void
hub_follow(Hub *hub, const Hub *old)
{
    if (hub_role(hub) != HUB_ROLE_DEVICE || g_strcmp0(hub->identity, old->identity) != 0)
        return;
    if (*old->instance)
        memcpy(hub->instance, old->instance, sizeof hub->instance);
    hub->taken_over = old->taken_over;
    hub->takeovers = old->takeovers;
}

void
hub_free(Hub *hub)
{
    if (!hub)
        return;
    device_streams_free(hub->streams);
    device_link_free(hub->link);
    hub_enroll_stop(hub);
    secret_free(hub->invitation);
    hub_probe_stop(hub);
    hub_free_pending(hub);
    tls_context_unref(hub->tls);
    tls_context_unref(hub->mqtt_tls);
    if (hub->own)
        own_certificate_watch(hub->own, NULL, NULL);
    own_certificate_unref(hub->own);
    connection_string_free(hub->parts);
    secret_free(hub->connection_string);
    g_free(hub->public_string);
    g_free(hub->refused);
    proxy_settings_clear(&hub->proxy_settings);
    proxy_unref(hub->proxy);
    g_free(hub->name);
    g_free(hub->ca_file);
    g_free(hub->ca);
    g_free(hub->ca_digest);
    g_free(hub->own_certificate);
    g_free(hub->own_key);
    g_free(hub->own_pin);
    g_free(hub->source);
    g_free(hub->allowed_users);
    g_free(hub->stream_globs);
    stream_hosts_unref(hub->stream_hosts);
    g_free(hub->identity);
    g_free(hub->last_error);
    g_clear_pointer(&hub->endpoints, g_ptr_array_unref);
    g_free(hub);
}

void
hub_fill_open(const Hub *hub, ServiceOpenOptions *options)
{
    options->runtime = hub->context.runtime;
    options->tls = hub->tls;
    options->proxy = hub->proxy;
    options->host = hub_connect_host(hub);
    options->port = hub_connect_port(hub);
    options->reached = hub->state == HUB_CONNECTED;
    options->identity = hub->parts;
    options->stream_hosts = hub->stream_hosts;
    options->times = hub_leg_times(hub);
    options->resume_time = hub_resume_time(hub);
    options->known =
        hub->pending.authority_serial || hub->pending.address_serial ? hub->known : NULL;
}

gboolean
hub_note_endpoint(Hub *hub, const char *endpoint)
{
    GPtrArray *list = hub->endpoints;

    if (g_strv_contains(hub_endpoints(hub), endpoint))
        return FALSE;
    if (list->len > HUB_ENDPOINTS_MAX)
        g_ptr_array_remove_index(list, 0);
    g_ptr_array_insert(list, (int)list->len - 1, g_strdup(endpoint));
    return TRUE;
}

void
hub_probe_link(Hub *hub)
{
    if (hub->link)
        device_link_probe(hub->link);
}

void
hub_probe_link_soon(Hub *hub)
{
    if (hub->link)
        device_link_probe_soon(hub->link);
}

void
hub_tell_end(Hub *hub, const StreamAnswer *answer)
{
    g_autoptr(GString) topic = g_string_new(NULL);

    if (hub->link && stream_answer_build(topic, answer) == STREAM_TOPIC_OK)
        (void)device_link_publish(hub->link, topic->str);
}

void
hub_note_taken_over(Hub *hub)
{
    hub->taken_over = (guint64)g_get_real_time();
    hub->takeovers++;
    device_link_dispute(hub->link);
    if (hub->context.taken_over)
        hub->context.taken_over(hub);
}

void
hub_look_at_certificate(Hub *hub)
{
    if (hub->own && own_certificate_look(hub->own))
        hub_own_changed(hub);
}

void
hub_network_changed(Hub *hub)
{
    if (hub->invitation && hub->retry)
        hub_connect(hub);
    else if (hub->link)
        device_link_network_changed(hub->link);
    else if (hub->retry)
        hub_connect(hub);
}

void
hub_hurry(Hub *hub)
{
    if (hub->link)
        device_link_hurry(hub->link);
}

void
hub_connect(Hub *hub)
{
    hub->wanted = TRUE;
    if (hub->refused)
        return;
    if (hub->invitation) {
        hub_enroll_start(hub);
        return;
    }
    if (hub->link) {
        device_link_start(hub->link);
        return;
    }
    hub_probe_start(hub);
}

void
hub_disconnect(Hub *hub)
{
    hub->wanted = FALSE;
    if (hub->refused)
        return;
    if (hub->invitation)
        hub_enroll_stop(hub);
    if (hub->link) {
        device_link_stop(hub->link);
        return;
    }
    hub_probe_stop(hub);
    hub_set_state(hub, HUB_DISCONNECTED, NULL);
}
