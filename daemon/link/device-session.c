/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/device-session.h"

#include "common/base/secret.h"
#include "common/codec/mqtt-writer.h"
#include "common/codec/percent.h"
#include "common/codec/sas-token.h"
#include "common/codec/ws-frame.h"
#include "common/net/packet-link.h"
#include "daemon/net/dial.h"
#include "daemon/net/ws-dial.h"

#include <string.h>

#define SUBSCRIBE_ID 1

typedef enum {
    SESSION_DIALING,
    SESSION_CONNECTING,  /* CONNECT sent */
    SESSION_SUBSCRIBING, /* SUBSCRIBE sent */
    SESSION_READY,
    SESSION_CLOSED,
} SessionState;

struct DeviceSession {
    Runtime *runtime;
    Reactor *reactor;
    const ConnectionString *identity;
    OwnCertificate *own; /* NULL: a token is sent */
    gboolean asked;      /* the hub asked for a certificate in TLS, or earlier */
    const char *blame;   /* as device_session_blame */
    const char *instance;
    guint token_life;
    guint keep_alive, pause; /* s */
    SessionState state;
    gboolean accepted; /* CONNACK accepted us */
    gboolean framed;
    gboolean rekey; /* as in the options */
    gboolean resume;
    Dial *dial;
    WsDial *ws_dial;
    PacketLink *link;
    guint ping;      /* at the end of the pause */
    guint probe;     /* ends when the peer sends anything */
    gint64 probe_at; /* when it fires */
    gboolean idle;   /* the probe came after a full pause */
    gboolean died_idle;
    gboolean taken_over;
    const DeviceSessionEvents *events;
    void *data;
};

char *
device_client_id(const ConnectionString *identity)
{
    return identity->module_id ? g_strdup_printf("%s/%s", identity->device_id, identity->module_id)
                               : g_strdup(identity->device_id);
}

char *
device_user_name(const ConnectionString *identity, Caps caps, const char *instance)
{
    g_autofree char *client_id = device_client_id(identity);
    g_autofree char *type = client_type_format(STREAMD_VERSION, caps, instance);
    g_autofree char *encoded = percent_encode(PERCENT_SEGMENT, type, -1);

    return g_strdup_printf("%s/%s/?api-version=" DEVICE_API_VERSION "&DeviceClientType=%s",
                           identity->host, client_id, encoded);
}

/* The device's password; NULL when key or names are not valid in a token. Caller: secret_free. */
static char *
device_password(const ConnectionString *identity, guint life)
{
    g_auto(SasKey) key = {0};
    g_autofree char *resource =
        identity->module_id ? g_strdup_printf("%s/devices/%s/modules/%s", identity->host,
                                              identity->device_id, identity->module_id)
                            : g_strdup_printf("%s/devices/%s", identity->host, identity->device_id);
    guint64 expiry = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + life;

    if (!identity->key || !sas_key_decode(&key, identity->key, strlen(identity->key)))
        return NULL;
    return sas_token_build(resource, key.data, key.len, expiry, NULL);
}

static void
device_session_close(DeviceSession *session, StreamdError code, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(STREAMD_ERROR, (int)code, text);

    if (session->state == SESSION_CLOSED)
        return;
    session->state = SESSION_CLOSED;
    session->events->closed(session, error, session->data);
}

static gboolean device_session_pause_over(gpointer data);

static void
device_session_send(DeviceSession *session, GByteArray *packet)
{
    packet_link_send(session->link, packet->data, packet->len);
    if (session->state != SESSION_READY)
        return;
    if (session->ping)
        g_source_remove(session->ping);
    session->ping = g_timeout_add_seconds(session->pause, device_session_pause_over, session);
}

static void
device_session_send_connect(DeviceSession *session)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_autofree char *client_id = device_client_id(session->identity);
    const Caps caps =
        CAPS_ALL | (session->rekey ? CAP_REKEY : 0) | (session->resume ? CAP_RESUME : 0);
    g_autofree char *user_name = device_user_name(session->identity, caps, session->instance);
    g_auto(SecretText) password =
        session->own ? NULL : device_password(session->identity, session->token_life);
    MqttConnect connect = {
        .client_id = slice_of(client_id),
        .keep_alive = (guint16)session->keep_alive,
        .has_user_name = TRUE,
        .has_password = !session->own,
        .user_name = slice_of(user_name),
        .password = slice_of(password ? password : ""),
    };

    session->state = SESSION_CONNECTING;
    if ((!password && !session->own) || !mqtt_write_connect(packet, &connect)) {
        device_session_close(session, STREAMD_ERROR_INVALID,
                             "cannot make a token from this identity");
        return;
    }
    device_session_send(session, packet);
    explicit_bzero(packet->data, packet->len);
}

static void
device_session_send_subscribe(DeviceSession *session)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    const MqttFilter filters[] = {
        {slice_of(STREAM_FILTER_REQUESTS), 0},
        {slice_of(STREAM_FILTER_ANSWERS), 0},
    };

    session->state = SESSION_SUBSCRIBING;
    if (mqtt_write_subscribe(packet, SUBSCRIBE_ID, filters, G_N_ELEMENTS(filters)))
        device_session_send(session, packet);
}

/* The hub does not want our certificate. SAID: the alert by which it told so in TLS, or NULL: it
 * has only refused the CONNECT. */
static void
device_session_blame_own(DeviceSession *session, const char *said)
{
    g_autofree char *client_id = device_client_id(session->identity);
    g_autofree char *why =
        own_certificate_blame(session->own, client_id, session->asked || said, &session->blame);
    g_autofree char *text = said ? g_strdup_printf("%s (%s)", why, said) : NULL;

    own_certificate_refused(session->own);
    device_session_close(session, STREAMD_ERROR_UNAUTHORIZED, text ? text : why);
}

/* docs/wire-protocol.md, section 1.2: 5 means any failure of the credentials; 3 does not mean that
 * the key is wrong. */
static void
device_session_take_connack(DeviceSession *session, const MqttPacket *packet)
{
    MqttConnack connack;

    if (session->state != SESSION_CONNECTING || !mqtt_read_connack(packet, &connack)) {
        device_session_close(session, STREAMD_ERROR_PROTOCOL, "the hub sent a bad CONNACK");
        return;
    }
    switch (connack.code) {
    case MQTT_ACCEPTED:
        session->accepted = TRUE;
        device_session_send_subscribe(session);
        break;
    case MQTT_BAD_CREDENTIALS:
    case MQTT_NOT_AUTHORIZED:
        if (session->own)
            device_session_blame_own(session, NULL);
        else
            device_session_close(
                session, STREAMD_ERROR_UNAUTHORIZED,
                "the hub refused the identity: unknown or disabled device, wrong key, or a "
                "clock that is wrong by minutes");
        break;
    case MQTT_UNAVAILABLE:
        device_session_close(session, STREAMD_ERROR_BUSY,
                             "the hub asks to wait: it is busy, or wrong credentials came from "
                             "this address recently");
        break;
    default:
        device_session_close(session, STREAMD_ERROR_UNAUTHORIZED,
                             "the hub refused the connection: it rejects this client");
    }
}

static gboolean
device_session_is_dead(gpointer data)
{
    DeviceSession *session = data;

    session->probe = 0;
    session->died_idle = session->idle;
    device_session_close(session, STREAMD_ERROR_UNREACHABLE, "the hub no longer answers");
    return G_SOURCE_REMOVE;
}

static void
device_session_stop_probe(DeviceSession *session)
{
    if (session->probe)
        g_source_remove(session->probe);
    session->probe = 0;
    session->idle = FALSE;
}

static gboolean
device_session_pause_over(gpointer data)
{
    DeviceSession *session = data;

    session->ping = 0;
    if (!session->probe)
        session->idle = TRUE;
    device_session_probe(session, DEVICE_PROBE);
    return G_SOURCE_REMOVE;
}

static void
device_session_take_suback(DeviceSession *session, const MqttPacket *packet)
{
    MqttSuback suback;

    if (session->state != SESSION_SUBSCRIBING || !mqtt_read_suback(packet, &suback) ||
        suback.packet_id != SUBSCRIBE_ID || suback.codes.len != 2) {
        device_session_close(session, STREAMD_ERROR_PROTOCOL, "the hub sent a bad SUBACK");
        return;
    }
    if ((guint8)suback.codes.ptr[0] == MQTT_SUBACK_REFUSED) {
        device_session_close(session, STREAMD_ERROR_FAILED, "the hub offers no device streams");
        return;
    }
    session->state = SESSION_READY;
    /* The probes detect a dead peer sooner. */
    packet_link_set_idle_limit(session->link,
                               session->keep_alive * G_TIME_SPAN_SECOND + 2 * DEVICE_PROBE);
    device_session_set_pause(session, session->pause);
    session->events->ready(session, session->data);
}

/* A notice that is wrong is dropped, like a request that is. */
static void
device_session_take_notice(DeviceSession *session, Slice payload)
{
    g_auto(Notice) notice = {0};
    const char *fault = NULL;

    if (!session->accepted)
        g_debug("a notice came before the hub had accepted us; it was dropped");
    else if (notice_parse(payload, &notice, &fault))
        session->events->notice(session, &notice, session->data);
    else
        g_debug("a notice of the hub was dropped: %s", fault);
}

/* TRUE: the topic is that of a new key. From a hub that was not told of them it is dropped. */
static gboolean
device_session_take_key(DeviceSession *session, const MqttPublish *publish)
{
    g_auto(KeyOffer) offer = {0};
    KeyOfferResult result = key_offer_parse(publish->topic, publish->payload, &offer);

    if (result == KEY_OFFER_OK && session->rekey && session->accepted)
        session->events->key(session, &offer, session->data);
    else if (result != KEY_OFFER_OTHER)
        g_debug("a new key was dropped: %s",
                session->rekey ? "it is malformed" : "this link takes none");
    return result != KEY_OFFER_OTHER;
}

static void
device_session_take_publish(DeviceSession *session, const MqttPacket *packet)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    g_auto(StreamRequest) request = {0};
    MqttPublish publish;
    StreamTopicResult result;

    if (!mqtt_read_publish(packet, &publish)) {
        device_session_close(session, STREAMD_ERROR_PROTOCOL, "the hub sent a bad PUBLISH");
        return;
    }
    if (publish.qos == 1) {
        mqtt_write_id(answer, MQTT_PUBACK, publish.packet_id);
        device_session_send(session, answer);
    }
    if (slice_equal(publish.topic, NOTICE_TOPIC)) {
        device_session_take_notice(session, publish.payload);
        return;
    }
    if (device_session_take_key(session, &publish))
        return;
    result = stream_request_parse(publish.topic, &request);
    if (result == STREAM_TOPIC_OK)
        session->events->request(session, &request, session->data);
    else if (result != STREAM_TOPIC_OTHER)
        g_debug("a stream request was dropped: %s", stream_topic_result_text(result));
}

/* Anything that the peer sends is a sign of life. */
static void
device_session_is_alive(DeviceSession *session)
{
    gboolean idle = session->idle;

    device_session_stop_probe(session);
    if (idle)
        session->events->survived(session, session->data);
}

static void
device_session_packet(PacketLink *link, const guint8 *bytes, gsize len, void *data)
{
    DeviceSession *session = data;
    MqttPacket packet;

    if (session->state == SESSION_CLOSED)
        return;
    device_session_is_alive(session);
    if (!mqtt_packet_open(bytes, len, MQTT_FROM_SERVER, &packet)) {
        device_session_close(session, STREAMD_ERROR_PROTOCOL,
                             "the hub sent a malformed MQTT packet");
        return;
    }
    switch (packet.type) {
    case MQTT_CONNACK:
        device_session_take_connack(session, &packet);
        break;
    case MQTT_SUBACK:
        device_session_take_suback(session, &packet);
        break;
    case MQTT_PUBLISH:
        device_session_take_publish(session, &packet);
        break;
    default: /* PINGRESP: nothing more to do */
        break;
    }
}

/* The close frame may say that another machine took over. */
static const char *
device_session_reason(DeviceSession *session, PacketLink *link, const char *text)
{
    guint16 code;
    const char *said = packet_link_said(link, &code);

    session->taken_over = code == WS_CLOSE_POLICY && strcmp(said, TAKEN_OVER) == 0;
    return session->taken_over ? "another machine with the same identity has taken over" : text;
}

static void
device_session_lost(PacketLink *link, int error, const char *text, void *data)
{
    DeviceSession *session = data;

    /* In TLS 1.3 the hub judges a certificate after our side of the handshake is over. */
    if (session->own && error == -EACCES && session->state != SESSION_CLOSED)
        device_session_blame_own(session, text);
    else if (session->own && session->state == SESSION_CONNECTING)
        device_session_close(session, STREAMD_ERROR_UNREACHABLE,
                             "the connection was cut after the certificate was shown: the hub may "
                             "have refused it");
    else
        device_session_close(session, STREAMD_ERROR_UNREACHABLE,
                             device_session_reason(session, link, text));
}

static const PacketLinkEvents link_events = {
    .packet = device_session_packet,
    .closed = device_session_lost,
};

static void
device_session_connected(Connection *connection, const GError *error, void *data)
{
    DeviceSession *session = data;
    const PacketLinkOptions options = {
        .framed = session->framed,
        .client = TRUE,
        .max_packet = MQTT_PACKET_MAX,
        .idle_limit = DEVICE_HELLO_TIMEOUT,
    };

    session->dial = NULL;
    session->ws_dial = NULL;
    if (error && session->own &&
        g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED)) {
        device_session_blame_own(session, error->message);
        return;
    }
    if (error) {
        device_session_close(session, (StreamdError)error->code, error->message);
        return;
    }
    session->asked = session->own && (tls_session_was_asked(connection_tls(connection)) ||
                                      tls_session_resumed(connection_tls(connection)));
    session->link = packet_link_new(connection, session->reactor, &options, session->runtime->home,
                                    &link_events, session);
    device_session_send_connect(session);
}

DeviceSession *
device_session_new(Runtime *runtime, const DeviceSessionOptions *options,
                   const DeviceSessionEvents *events, void *data)
{
    DeviceSession *session = g_new0(DeviceSession, 1);
    const WsDialTo to = {
        .host = options->host,
        .port = options->port,
        .target = "/$iothub/websocket",
        .protocol = "mqtt",
        .proxy = options->proxy,
    };

    session->runtime = runtime;
    session->reactor = runtime_pick(runtime);
    session->identity = options->identity;
    session->own = options->own ? own_certificate_ref(options->own) : NULL;
    session->instance = options->instance;
    session->token_life = options->token_life;
    session->keep_alive = session->pause = options->keep_alive;
    session->framed = options->framed;
    session->rekey = options->rekey && !options->own;
    session->resume = options->resume;
    session->events = events;
    session->data = data;
    if (options->framed)
        session->ws_dial = ws_dial_new(runtime, session->reactor, options->tls, &to, NULL,
                                       device_session_connected, session);
    else
        session->dial = dial_new(runtime, session->reactor, options->host, options->port,
                                 options->tls, options->proxy, device_session_connected, session);
    return session;
}

void
device_session_free(DeviceSession *session)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();

    if (!session)
        return;
    device_session_stop_probe(session);
    dial_cancel(session->dial);
    ws_dial_cancel(session->ws_dial);
    if (session->link && session->state == SESSION_READY) {
        mqtt_write_empty(packet, MQTT_DISCONNECT);
        device_session_send(session, packet);
    }
    if (session->ping)
        g_source_remove(session->ping);
    g_clear_pointer(&session->link, packet_link_unref);
    own_certificate_unref(session->own);
    g_free(session);
}

gboolean
device_session_is_accepted(const DeviceSession *session)
{
    return session->accepted;
}

const char *
device_session_blame(const DeviceSession *session)
{
    return session->blame;
}

gboolean
device_session_is_ready(const DeviceSession *session)
{
    return session->state == SESSION_READY;
}

void
device_session_probe(DeviceSession *session, gint64 limit)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    gint64 at = g_get_monotonic_time() + limit;

    if (session->state != SESSION_READY || (session->probe && session->probe_at <= at))
        return;
    if (session->probe)
        g_source_remove(session->probe);
    session->probe = g_timeout_add((guint)(limit / 1000), device_session_is_dead, session);
    session->probe_at = at;
    mqtt_write_empty(packet, MQTT_PINGREQ);
    device_session_send(session, packet);
}

void
device_session_set_pause(DeviceSession *session, guint pause)
{
    session->pause = MIN(pause, session->keep_alive);
    if (session->ping)
        g_source_remove(session->ping);
    session->ping = g_timeout_add_seconds(session->pause, device_session_pause_over, session);
}

gboolean
device_session_was_taken_over(const DeviceSession *session)
{
    return session->taken_over;
}

gboolean
device_session_died_idle(const DeviceSession *session)
{
    return session->died_idle;
}

gboolean
device_session_publish(DeviceSession *session, const char *topic)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    const MqttPublish publish = {.topic = slice_of(topic)};

    if (session->state != SESSION_READY || !mqtt_write_publish(packet, &publish))
        return FALSE;
    device_session_send(session, packet);
    return TRUE;
}
