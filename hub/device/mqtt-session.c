/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/mqtt-session-private.h"

#include "common/codec/mqtt-writer.h"
#include "common/topic/stream-topic.h"
#include "common/codec/ws-frame.h"
#include "common/log/events.h"
#include "hub/device/reconnects.h"
#include "hub/device/twin.h"
#include "hub/edge/certificate.h"

#include <errno.h>

/* A client may send more before CONNACK (MQTT-3.1.4). So many bytes are kept until then. */
#define EARLY_MAX (16 * 1024)
#define PUBLISH_QOS_MAX 1

static void mqtt_session_packet(PacketLink *link, const guint8 *packet, gsize len, void *data);
static void mqtt_session_closed(PacketLink *link, int error, const char *text, void *data);

static const PacketLinkEvents link_events = {.packet = mqtt_session_packet,
                                             .closed = mqtt_session_closed};

static void
mqtt_session_free(MqttSession *session)
{
    MqttService *service = session->service;

    if (session->state == SESSION_UP)
        packet_shares_end(service->shares, session->base.client_id, &session->share, clock_now());
    auth_check_cancel(session->check);
    clock_clear(service->clock, &session->expiry);
    clock_clear(service->clock, &session->due);
    g_queue_unlink(&service->sessions, &session->node);
    packet_link_unref(session->packets);
    slot_unref(session->slot);
    mqtt_user_clear(&session->user);
    if (session->early)
        g_byte_array_unref(session->early);
    g_free(session->claimed);
    g_free(session->base.client_id);
    g_free(session->base.policy);
    tls_client_unref(session->base.client);
    g_free(session->peer);
    g_free(session);
}

static void
mqtt_session_tell(const MqttSession *session, EventKind kind, const char *why)
{
    event_log(kind,
              &(EventData){.device = session->base.client_id, .peer = session->peer, .detail = why});
}

/* Connected until now. */
static void
mqtt_session_note_end(MqttSession *session)
{
    if (session->state == SESSION_UP)
        sightings_seen(session->service->sightings, session->base.client_id);
}

/* Somebody without a session: scans must not flood the log. */
static void
mqtt_session_tell_refused(const MqttSession *session, const char *why)
{
    refusal_log_note(session->service->refusals, &(Refused){.kind = EVENT_DEVICE_REFUSED,
                                                            .peer = session->peer,
                                                            .claimed = session->claimed,
                                                            .why = why});
}

/* Whoever leaves without a session is not logged. */
void
mqtt_session_close(MqttSession *session, const char *why)
{
    if (session->state == SESSION_UP)
        mqtt_session_tell(session, EVENT_DEVICE_LOST, why);
    else
        g_debug("mqtt %s: %s", session->peer, why);
    mqtt_session_note_end(session);
    if (session->state == SESSION_UP || session->state == SESSION_WAITING)
        devices_disconnect(session->service->devices, &session->base);
    if (session->state == SESSION_UP)
        rekeys_lost(session->service->rekeys, &session->base);
    mqtt_session_free(session);
}

gboolean
mqtt_session_close_taken_over(MqttSession *session)
{
    const gboolean told = session->framed;

    packet_link_close_as(session->packets, WS_CLOSE_POLICY, TAKEN_OVER);
    mqtt_session_close(session, "taken over by another machine with the same identity");
    return told;
}

/* Refused without an answer: nobody knows what the peer would understand. */
static void
mqtt_session_drop(MqttSession *session, const char *why)
{
    mqtt_session_tell_refused(session, why);
    mqtt_session_close(session, why);
}

static void
mqtt_session_closed(PacketLink *link G_GNUC_UNUSED, int error, const char *text, void *data)
{
    MqttSession *session = data;

    if (session->state == SESSION_NEW && (error == -EPROTO || error == -EMSGSIZE))
        mqtt_session_drop(session, text);
    else
        mqtt_session_close(session, text);
}

/* CODE is 5 for every fault of the credentials, 3 for a fault of ours and for wrong credentials
 * that come too soon. After 1, 2 and 4 the C client never comes back. */
static void
mqtt_session_refuse(MqttSession *session, guint8 code, const char *why)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();

    mqtt_write_connack(packet, FALSE, code);
    mqtt_session_send(session, packet);
    mqtt_session_tell_refused(session, why);
    if (session->base.client_id)
        sightings_refused(session->service->sightings, session->base.client_id, why);
    mqtt_session_close(session, why);
}

static void
mqtt_session_expired(Timer *timer)
{
    MqttSession *session = CONTAINER_OF(timer, MqttSession, expiry);

    mqtt_session_close(session,
                       session->base.client ? "the certificate has expired" : "the token has expired");
}

/* The link ends after one and a half times the keep-alive without a packet (MQTT-3.1.2-24). While
 * it waited for its CONNACK a device had nothing to send. */
static void
mqtt_session_set_idle_limit(MqttSession *session)
{
    const Settings *settings = session->service->settings;
    gint64 keep_alive = session->keep_alive * G_TIME_SPAN_SECOND * 3 / 2;

    packet_link_set_idle_limit(session->packets,
                               (keep_alive > 0 ? keep_alive : settings->mqtt_keep_alive_max) +
                                   session->waited);
}

static void
mqtt_session_set_expiry(MqttSession *session, gint64 expiry)
{
    const Settings *settings = session->service->settings;
    gint64 left = expiry * G_TIME_SPAN_SECOND - g_get_real_time() + settings->token_skew;

    clock_set(session->service->clock, &session->expiry, left);
}

/* Handles the packets that came early, one by one; the session may end at any of them. */
static void
mqtt_session_run_early(MqttSession *session)
{
    g_autoptr(GByteArray) early = g_steal_pointer(&session->early);
    MqttService *service = session->service;
    gsize at = 0, total = 0;

    while (early && at < early->len &&
           mqtt_packet_size(early->data + at, early->len - at, EARLY_MAX, &total) == MQTT_SIZE_OK) {
        mqtt_session_packet(session->packets, early->data + at, total, session);
        at += total;
        if (!g_queue_find(&service->sessions, session))
            return;
    }
}

/* The authorities were read again after its handshake: what they said then is old. */
static void
mqtt_session_look_again(MqttSession *session)
{
    TlsTrust *trust = session->service->trust;
    TlsClient *client = session->base.client;

    if (!client || client->trust == trust)
        return;
    session->base.client = tls_client_new(g_ptr_array_ref(client->chain), trust);
    tls_client_unref(client);
}

/* They may also change during the check. FALSE: it was refused. */
static gboolean
mqtt_session_is_still_trusted(MqttSession *session)
{
    const char *why;

    mqtt_session_look_again(session);
    why = certificate_standing_text(session->base.client->standing);
    if (why)
        mqtt_session_refuse(session, MQTT_NOT_AUTHORIZED, why);
    return !why;
}

/* The time has come for its CONNACK. */
static void
mqtt_session_admit(MqttSession *session)
{
    MqttService *service = session->service;
    DeviceLink *link = &session->base;
    g_autoptr(GByteArray) packet = g_byte_array_new();
    gboolean again = devices_is_connected(service->devices, link->client_id);
    gboolean present = FALSE;

    if (!devices_connect(service->devices, link, session->clean, &present)) {
        mqtt_session_refuse(session, MQTT_UNAVAILABLE,
                            "too soon after another machine with the same identity");
        return;
    }
    session->state = SESSION_UP;
    sightings_connected(service->sightings, link->client_id, session->peer,
                        session->user.type.name);
    session->share = packet_shares_begin(service->shares, link->client_id, clock_now());
    mqtt_session_tell(session, again ? EVENT_DEVICE_TAKEN_OVER : EVENT_DEVICE_CONNECTED, NULL);
    mqtt_session_set_idle_limit(session);
    mqtt_write_connack(packet, present, MQTT_ACCEPTED);
    mqtt_session_send(session, packet);
    devices_connected(service->devices, link);
    mqtt_session_run_early(session);
}

static void
mqtt_session_due(Timer *timer)
{
    mqtt_session_admit(CONTAINER_OF(timer, MqttSession, due));
}

/* It holds a slot of those that have authenticated; nothing is read of its keep-alive yet. The log
 * says it of the first one, whose wait is whole: later ones wait longer, or for the rest of a time. */
static void
mqtt_session_wait(MqttSession *session, gint64 wait)
{
    if (wait == RECONNECTS_WAIT)
        mqtt_session_tell(session, EVENT_LIMIT_REACHED,
                          "the device connects again and again, and waits for its CONNACK");
    session->state = SESSION_WAITING;
    session->waited = wait;
    packet_link_set_idle_limit(session->packets, 0);
    clock_set(session->service->clock, &session->due, wait);
}

static void
mqtt_session_take_result(MqttSession *session, const AuthResult *result)
{
    DeviceLink *link = &session->base;

    link->policy = g_strdup(result->policy);
    link->by_authority = result->by_authority;
    if (!result->by_certificate)
        g_clear_pointer(&link->client, tls_client_unref);
    link->keys = result->keys;
    link->caps = session->user.type.caps;
    link->instance = session->user.type.instance;
}

static void
mqtt_session_checked(const AuthResult *result, void *data)
{
    MqttSession *session = data;
    gint64 wait;

    session->check = NULL;
    if (result->verdict != AUTH_OK) {
        gboolean later = result->verdict == AUTH_BUSY || result->verdict == AUTH_TOO_SOON;

        mqtt_session_refuse(session, later ? MQTT_UNAVAILABLE : MQTT_NOT_AUTHORIZED, result->text);
        return;
    }
    if (result->by_authority && !mqtt_session_is_still_trusted(session))
        return;
    mqtt_session_take_result(session, result);
    if (result->device)
        session->rekey = rekeys_admitted(session->service->rekeys, &session->base, result->device);
    slot_authenticated(session->slot, clock_now());
    mqtt_session_set_expiry(session, result->expiry);
    wait = devices_wait(session->service->devices, &session->base);
    if (wait > 0)
        mqtt_session_wait(session, wait);
    else
        mqtt_session_admit(session);
}

static void
mqtt_session_check(MqttSession *session, const MqttConnect *connect)
{
    const MqttUser *user = &session->user;
    /* Some clients cannot leave it out, and send an empty one. */
    gboolean has = connect->has_password && connect->password.len > 0;
    const char *password = has ? connect->password.ptr : NULL;

    session->base.client_id = slice_dup(connect->client_id);
    session->clean = connect->clean_session;
    session->keep_alive = connect->keep_alive;
    session->state = SESSION_CHECKING;
    mqtt_session_look_again(session);
    session->check = auth_check_device(session->service->auth,
                                       &(AuthDevice){.source = slot_source(session->slot),
                                                     .device = user->device,
                                                     .module = user->module,
                                                     .token = password,
                                                     .len = connect->password.len,
                                                     .client = session->base.client},
                                       mqtt_session_checked, session);
}

/* In the form that a client of that version understands. */
static void
mqtt_session_refuse_version(MqttSession *session, const MqttClaim *claim)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    gboolean old = claim->level < MQTT_LEVEL_5;

    if (!slice_equal(claim->protocol, "MQTT") && !slice_equal(claim->protocol, "MQIsdp")) {
        mqtt_session_drop(session, "a protocol that is not MQTT");
        return;
    }
    if (old)
        mqtt_write_connack(packet, FALSE, MQTT_BAD_PROTOCOL);
    else
        mqtt_write_connack_5(packet, MQTT_5_UNSUPPORTED_VERSION);
    mqtt_session_send(session, packet);
    mqtt_session_drop(session, old ? "MQTT 3.1, the older version, is not spoken here"
                                   : "MQTT 5 is not spoken here");
}

static void
mqtt_session_connect(MqttSession *session, const MqttPacket *packet, gsize len)
{
    MqttConnectResult result = MQTT_CONNECT_MALFORMED;
    MqttClaim claim = {0};
    MqttConnect connect;

    if (len <= MQTT_CONNECT_MAX && mqtt_read_claim(packet, &claim))
        result = mqtt_read_connect(packet, &connect);
    if (claim.client_id.len > 0)
        session->claimed = slice_dup(claim.client_id);
    if (result == MQTT_CONNECT_UNSUPPORTED) {
        mqtt_session_refuse_version(session, &claim);
        return;
    }
    if (result != MQTT_CONNECT_OK) {
        mqtt_session_drop(session, "the first packet is not a valid CONNECT");
        return;
    }
    if (session->service->stopping)
        mqtt_session_refuse(session, MQTT_UNAVAILABLE, "the hub is stopping");
    else if (!connect.has_user_name ||
             !mqtt_user_parse(connect.client_id, connect.user_name, &session->user))
        mqtt_session_refuse(session, MQTT_NOT_AUTHORIZED, "bad client id or user name");
    else
        mqtt_session_check(session, &connect);
}

/* Packets beyond the device's share wait in its socket, so that the main thread has time for the
 * others. */
static void
mqtt_session_charge(MqttSession *session, MqttType type, gsize len)
{
    gint64 pause = packet_shares_take(session->service->shares, &session->share,
                                      packet_cost(type, len), session->owed > 0, clock_now());

    if (pause == 0)
        return;
    packet_link_rest(session->packets, pause);
    if (!session->slowed)
        mqtt_session_tell(session, EVENT_LIMIT_REACHED,
                          "the device sends more than its share and is read more slowly");
    session->slowed = TRUE;
}

/* Answers to requests do not count: many streams to a device must not put it over its share. */
static gboolean
publish_is_owed(MqttSession *session, const MqttPublish *publish)
{
    if (session->owed == 0 || !stream_topic_is_answer(publish->topic))
        return FALSE;
    session->owed--;
    return TRUE;
}

/* Only of a device that may be offered keys; for others the topic is like any other. */
static KeyOfferResult
publish_take_key_answer(MqttSession *session, const MqttPublish *publish)
{
    KeyAnswer answer;
    KeyOfferResult result = KEY_OFFER_OTHER;

    if (session->user.type.caps & CAP_REKEY)
        result = key_answer_parse(publish->topic, publish->payload, &answer);
    if (result == KEY_OFFER_OK)
        rekeys_answer(session->service->rekeys, &session->base, &answer);
    return result;
}

/* R16: the device's own telemetry is counted and dropped, or refused; its twin is empty; any other
 * topic ends the connection. */
static const char *
publish_take(MqttSession *session, const MqttPublish *publish)
{
    g_auto(StreamAnswer) answer = {0};
    g_autofree char *topic = NULL;
    const char *payload = NULL;
    KeyOfferResult key;
    StatementKind kind;
    guint64 serial;

    if (stream_topic_is_answer(publish->topic)) {
        if (stream_answer_parse(publish->topic, &answer) != STREAM_TOPIC_OK)
            return "bad answer to a stream request";
        devices_answer(session->service->devices, &session->base, &answer);
        return NULL;
    }
    if (statement_ack_parse(publish->topic, &kind, &serial)) {
        devices_kept(session->service->devices, &session->base, kind, serial);
        return NULL;
    }
    switch (twin_answer(publish->topic, &topic, &payload)) {
    case TWIN_ANSWER:
        mqtt_session_send_message(session, topic, payload);
        return NULL;
    case TWIN_SILENT:
        return NULL;
    case TWIN_OTHER:
        break;
    }
    key = publish_take_key_answer(session, publish);
    if (key != KEY_OFFER_OTHER)
        return key == KEY_OFFER_OK ? NULL : "bad answer to a new key";
    if (stream_topic_is_telemetry(publish->topic, session->user.device, session->user.module))
        return telemetry_take(session->service->telemetry, session->base.client_id,
                              publish->payload.len, clock_now());
    return "published to a topic that is not its own";
}

/* What its own messages end is for its operator to see, as a refusal is. */
static void
mqtt_session_close_for(MqttSession *session, const char *fault)
{
    Sightings *sightings = session->service->sightings;
    g_autofree char *client_id = g_strdup(session->base.client_id);

    mqtt_session_close(session, fault);
    sightings_refused(sightings, client_id, fault);
}

static void
mqtt_session_published(MqttSession *session, const MqttPacket *packet, gsize len)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const char *fault = NULL;
    MqttPublish publish;

    if (!mqtt_read_publish(packet, &publish) || publish.qos > PUBLISH_QOS_MAX) {
        fault = "bad PUBLISH";
    } else {
        if (!publish_is_owed(session, &publish))
            mqtt_session_charge(session, MQTT_PUBLISH, len);
        fault = publish_take(session, &publish);
    }
    if (fault) {
        mqtt_session_close_for(session, fault);
        return;
    }
    if (publish.qos > 0) {
        mqtt_write_id(out, MQTT_PUBACK, publish.packet_id);
        mqtt_session_send(session, out);
    }
}

static void
mqtt_session_ping(MqttSession *session)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    mqtt_write_empty(out, MQTT_PINGRESP);
    mqtt_session_send(session, out);
}

static void
mqtt_session_handle(MqttSession *session, const MqttPacket *packet, gsize len)
{
    if (session->waited > 0) {
        session->waited = 0;
        mqtt_session_set_idle_limit(session);
    }
    if (packet->type != MQTT_PUBLISH)
        mqtt_session_charge(session, packet->type, len);
    switch (packet->type) {
    case MQTT_SUBSCRIBE:
        mqtt_session_subscribe(session, packet);
        break;
    case MQTT_UNSUBSCRIBE:
        mqtt_session_unsubscribe(session, packet);
        break;
    case MQTT_PUBLISH:
        mqtt_session_published(session, packet, len);
        break;
    case MQTT_PUBACK: /* not expected for a request at QoS 0, but harmless */
        break;
    case MQTT_PINGREQ:
        mqtt_session_ping(session);
        break;
    case MQTT_DISCONNECT:
        mqtt_session_close(session, "the device disconnected");
        break;
    default:
        mqtt_session_close(session, "a packet of a type that a device may not send");
    }
}

static void
mqtt_session_keep_early(MqttSession *session, const guint8 *packet, gsize len)
{
    if (!session->early)
        session->early = g_byte_array_new();
    if (len > EARLY_MAX - session->early->len)
        mqtt_session_close(session, "too much before CONNACK");
    else
        g_byte_array_append(session->early, packet, (guint)len);
}

static void
mqtt_session_packet(PacketLink *link G_GNUC_UNUSED, const guint8 *packet, gsize len, void *data)
{
    MqttSession *session = data;
    MqttPacket opened;

    if (!mqtt_packet_open(packet, len, MQTT_FROM_CLIENT, &opened))
        (session->state == SESSION_UP ? mqtt_session_close : mqtt_session_drop)(session,
                                                                                "malformed packet");
    else if (session->state == SESSION_NEW)
        mqtt_session_connect(session, &opened, len);
    else if (session->state == SESSION_WAITING && opened.type == MQTT_DISCONNECT)
        mqtt_session_close(session, "the device disconnected");
    else if (session->state != SESSION_UP)
        mqtt_session_keep_early(session, packet, len);
    else
        mqtt_session_handle(session, &opened, len);
}

void
mqtt_session_new(MqttService *service, const Handover *handover)
{
    MqttSession *session = g_new0(MqttSession, 1);
    const PacketLinkOptions options = {
        .framed = handover->framed,
        .first_max = MQTT_CONNECT_MAX,
        .max_packet = service->settings->packet_max,
        .idle_limit = service->settings->request_timeout,
    };

    session->service = service;
    session->slot = handover->slot;
    session->base.client = handover->client;
    session->framed = handover->framed;
    session->node.data = session;
    session->base.funcs = &mqtt_link_funcs;
    session->expiry.func = mqtt_session_expired;
    session->due.func = mqtt_session_due;
    session->peer = g_strdup(connection_peer(handover->connection));
    g_queue_push_tail_link(&service->sessions, &session->node);
    session->packets = packet_link_new(handover->connection, handover->reactor, &options,
                                    service->queue, &link_events, session);
}

void
mqtt_service_close_all(MqttService *service)
{
    while (service->sessions.head)
        mqtt_session_close(service->sessions.head->data, "the hub is stopping");
}
