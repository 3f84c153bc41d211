/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/packet-link-private.h"

#include "common/codec/mqtt-packet.h"

#include <errno.h>
#include <string.h>

#define PACKET_LINK_PIECE 4096

/* How many packets are handed over at once: enough that many small ones do not each cost two thread
 * switches, few enough that the owner returns soon. */
#define PACKET_LINK_BATCH 64

/* Bytes that a link may read in one turn of the reactor without completing a packet (pings,
 * fragments of one byte). Then the others get their turn. */
#define PACKET_LINK_BUDGET (64 * 1024)

static PacketLink *
packet_link_ref(PacketLink *link)
{
    atomic_fetch_add(&link->references, 1);
    return link;
}

static void
packet_link_release(PacketLink *link)
{
    if (atomic_fetch_sub(&link->references, 1) != 1)
        return;
    g_byte_array_unref(link->in);
    g_clear_pointer(&link->out, g_byte_array_unref);
    g_free(link->masks);
    g_free(link->text);
    pthread_mutex_destroy(&link->lock);
    g_free(link);
}

/* ---- on the reactor ---- */

static const uint8_t *
packet_link_key(PacketLink *link, uint8_t key[WS_MASK_KEY_LEN])
{
    if (!link->options.client)
        return NULL;
    ws_mask_pool_next(link->masks, key);
    return key;
}

void
packet_link_control(PacketLink *link, WsOpcode opcode, const void *payload, size_t len)
{
    uint8_t frame[WS_MAX_CONTROL_FRAME], room[WS_MASK_KEY_LEN];

    (void)connection_queue(
        link->connection, frame,
        ws_control_write(frame, opcode, payload, len, packet_link_key(link, room)));
}

static void
packet_link_say(PacketLink *link, uint16_t code, const char *text)
{
    uint8_t frame[WS_MAX_CONTROL_FRAME], room[WS_MASK_KEY_LEN];

    if (link->options.framed)
        (void)connection_queue(link->connection, frame,
                               ws_close_write(frame, code, text, packet_link_key(link, room)));
}

static void
packet_link_say_close(PacketLink *link, uint16_t code)
{
    packet_link_say(link, code, NULL);
}

/* Ends the link, once. What is queued is still sent. */
void
packet_link_end(PacketLink *link, int error, const char *text)
{
    if (!link->connection)
        return;
    reactor_clear_timer(link->reactor, &link->idle);
    reactor_clear_timer(link->reactor, &link->probe);
    reactor_clear_timer(link->reactor, &link->rest);
    reactor_cancel(link->reactor, &link->again);
    link->error = error;
    link->text = g_strdup(text);
    connection_finish(g_steal_pointer(&link->connection));
    (void)queue_post(link->owner, &link->over);
}

void
packet_link_flush(PacketLink *link)
{
    int r = link->connection ? connection_flush(link->connection) : 0;

    if (r < 0 && r != -EAGAIN)
        packet_link_end(link, r, "the connection was lost");
}

/* The peer's last frame. */
static void
packet_link_ws_end(PacketLink *link)
{
    gboolean closed = link->last.type == WS_EVENT_CLOSE;

    if (closed) {
        link->said_code = link->last.code;
        memcpy(link->said, link->last.payload, MIN(link->last.payload_len, sizeof link->said - 1));
    }
    packet_link_say_close(link, link->last.code ? link->last.code : WS_CLOSE_NORMAL);
    packet_link_end(link, closed ? 0 : -EPROTO,
                    closed ? "the peer closed the WebSocket" : link->last.text);
}

/* Adds the payload of what was read to IN. */
static void
packet_link_take_in(PacketLink *link, uint8_t *data, size_t len)
{
    if (!link->options.framed)
        g_byte_array_append(link->in, data, (guint)len);
    while (link->options.framed && len > 0 && link->last.type == WS_EVENT_NONE) {
        WsEvent event;
        size_t used;

        ws_decoder_run(&link->decoder, data, len, &used, &event);
        g_byte_array_append(link->in, data, (guint)event.data_len);
        if (event.type == WS_EVENT_PING) {
            packet_link_control(link, WS_OP_PONG, event.payload, event.payload_len);
            link->pings++;
        } else if (event.type == WS_EVENT_CLOSE || event.type == WS_EVENT_ERROR) {
            link->last = event;
        }
        data += used;
        len -= used;
    }
}

/* Hands over the first packet and the complete ones behind it in one message. A later packet that
 * is malformed is reported when it is the first. */
static void
packet_link_take_more(PacketLink *link)
{
    gsize total = 0;

    for (guint i = 1; i < PACKET_LINK_BATCH; i++) {
        gsize left = link->in->len - link->packet_len;

        if (mqtt_packet_size(link->in->data + link->packet_len, left, link->options.max_packet,
                             &total) != MQTT_SIZE_OK ||
            total > left)
            return;
        link->packet_len += total;
    }
}

/* TRUE when packets were handed over or the link ended: do not read more now. */
static gboolean
packet_link_hand_over(PacketLink *link)
{
    gsize max = link->first && link->options.first_max > 0 ? link->options.first_max
                                                           : link->options.max_packet;

    switch (mqtt_packet_size(link->in->data, link->in->len, max, &link->packet_len)) {
    case MQTT_SIZE_MORE:
        return FALSE;
    case MQTT_SIZE_OK:
        if (link->packet_len > link->in->len)
            return FALSE;
        if (!link->first)
            packet_link_take_more(link);
        link->first = FALSE;
        link->handed = TRUE;
        link->heard = reactor_now(link->reactor);
        packet_link_ref(link);
        (void)queue_post(link->owner, &link->delivered);
        return TRUE;
    case MQTT_SIZE_TOO_LARGE:
        packet_link_say_close(link, WS_CLOSE_TOO_BIG);
        packet_link_end(link, -EMSGSIZE, "the peer announced a packet that is too large");
        return TRUE;
    default:
        packet_link_say_close(link, WS_CLOSE_PROTOCOL);
        packet_link_end(link, -EPROTO, "the peer sent a malformed packet header");
        return TRUE;
    }
}

static void
packet_link_read_failed(PacketLink *link, int error)
{
    if (error == 0 || error == -ESHUTDOWN)
        packet_link_end(link, 0, "the peer closed the connection");
    else if (error == -EACCES) /* it has refused our certificate, and said so in an alert */
        packet_link_end(link, error, tls_session_error(connection_tls(link->connection)));
    else
        packet_link_end(link, error, "the connection was lost");
}

/* Reads the next piece. FALSE: there is nothing more to read now. */
static gboolean
packet_link_read_piece(PacketLink *link, gsize *spent)
{
    uint8_t piece[PACKET_LINK_PIECE];
    ssize_t n;

    if (*spent >= PACKET_LINK_BUDGET) {
        reactor_defer(link->reactor, &link->again);
        return FALSE;
    }
    n = connection_read(link->connection, piece, sizeof piece);
    if (n == -EAGAIN)
        return FALSE;
    if (n <= 0) {
        packet_link_read_failed(link, (int)n);
        return FALSE;
    }
    link->read_at = reactor_now(link->reactor);
    packet_link_take_in(link, piece, (size_t)n);
    packet_link_bound_pings(link);
    *spent += PACKET_LINK_PIECE; /* also for less: a peer may send single bytes */
    return TRUE;
}

static void
packet_link_read(PacketLink *link)
{
    gsize spent = 0;

    while (link->connection && !link->handed && !link->resting && !packet_link_hand_over(link)) {
        if (link->last.type != WS_EVENT_NONE)
            packet_link_ws_end(link);
        else if (!packet_link_read_piece(link, &spent))
            break;
    }
}

void
packet_link_pump(PacketLink *link)
{
    /* Once the link has ended, the owner may release it at any moment. */
    packet_link_ref(link);
    packet_link_read(link);
    packet_link_flush(link);
    packet_link_release(link);
}

static void
packet_link_again(Task *task)
{
    packet_link_pump(CONTAINER_OF(task, PacketLink, again));
}

static void
packet_link_ready(Connection *connection G_GNUC_UNUSED, void *data)
{
    packet_link_pump(data);
}

static void
packet_link_start(Message *message)
{
    PacketLink *link = CONTAINER_OF(message, PacketLink, start);
    int r = 0;

    link->heard = reactor_now(link->reactor);
    if (connection_reactor(link->connection))
        connection_set_handler(link->connection, packet_link_ready, link);
    else
        r = connection_attach(link->connection, link->reactor, packet_link_ready, link);
    if (r < 0)
        packet_link_end(link, r, "the connection could not be watched");
    else
        packet_link_set_timer(link);
}

/* Frees a large buffer after a large packet: there may be thousands of idle links. */
static void
packet_link_drop_packet(PacketLink *link)
{
    gsize rest = link->in->len - link->packet_len;

    if (link->packet_len > PACKET_LINK_PIECE && rest <= PACKET_LINK_PIECE) {
        GByteArray *in = g_byte_array_sized_new((guint)rest);

        g_byte_array_append(in, link->in->data + link->packet_len, (guint)rest);
        g_byte_array_unref(link->in);
        link->in = in;
    } else {
        g_byte_array_remove_range(link->in, 0, (guint)link->packet_len);
    }
}

static void
packet_link_taken(Message *message)
{
    PacketLink *link = CONTAINER_OF(message, PacketLink, taken);

    packet_link_drop_packet(link);
    link->handed = FALSE;
    link->heard = reactor_now(link->reactor); /* nothing was read until now */
    if (link->connection) {
        packet_link_start_rest(link);
        packet_link_read(link);
        packet_link_flush(link);
    }
    packet_link_release(link); /* the delivery's reference */
}

/* One frame per packet: known peers expect that, although the protocol does not require it. */
static gboolean
packet_link_queue_frame(PacketLink *link, GByteArray *out)
{
    uint8_t header[WS_MAX_HEADER], room[WS_MASK_KEY_LEN];
    const uint8_t *key;
    size_t len;

    if (!link->options.framed)
        return connection_queue(link->connection, out->data, out->len);
    for (gsize at = 0; at < out->len; at += len) {
        len = MIN(out->len - at, WS_FULL_MASKED);
        key = packet_link_key(link, room);
        if (key)
            ws_mask(out->data + at, out->data + at, len, ws_key_load(key), 0);
        if (!connection_queue(link->connection, header,
                              ws_header_write(header, WS_OP_BINARY, len, key)) ||
            !connection_queue(link->connection, out->data + at, len))
            return FALSE;
    }
    return TRUE;
}

static void
packet_link_kicked(Message *message)
{
    PacketLink *link = CONTAINER_OF(message, PacketLink, kick);
    g_autoptr(GByteArray) out = NULL;
    gboolean full, close_wanted;
    guint16 code;
    const char *text;

    pthread_mutex_lock(&link->lock);
    out = g_steal_pointer(&link->out);
    full = link->out_full;
    close_wanted = link->close_wanted;
    code = link->close_code;
    text = link->close_text;
    pthread_mutex_unlock(&link->lock);
    if (link->connection && ((out && !packet_link_queue_frame(link, out)) || full)) {
        packet_link_end(link, -ENOBUFS, "the peer does not read what it is sent");
    } else if (link->connection && close_wanted) {
        packet_link_say(link, code, text);
        packet_link_end(link, 0, "closed");
    } else if (link->connection) {
        packet_link_set_timer(link);
        packet_link_start_probe(link);
        packet_link_flush(link);
    }
    packet_link_release(link); /* the message's reference */
}

/* ---- on the owner's thread ---- */

static gboolean
packet_link_is_to_rest(PacketLink *link)
{
    gboolean rest;

    pthread_mutex_lock(&link->lock);
    rest = link->rest_wanted > 0;
    pthread_mutex_unlock(&link->lock);
    return rest;
}

/* The packets behind the one at which the owner asked for a rest are delivered after the rest. */
static void
packet_link_deliver(PacketLink *link)
{
    gsize end = link->packet_len, at = 0, total = 0;

    while (!link->muted && at < end &&
           mqtt_packet_size(link->in->data + at, end - at, end - at, &total) == MQTT_SIZE_OK) {
        link->events->packet(link, link->in->data + at, total, link->data);
        at += total;
        if (packet_link_is_to_rest(link))
            break;
    }
    link->packet_len = at;
}

static void
packet_link_delivered(Message *message)
{
    PacketLink *link = CONTAINER_OF(message, PacketLink, delivered);

    packet_link_deliver(link);
    /* A link that was given up reads no more, and its reactor may be gone at the end of the
     * program. */
    if (link->muted)
        packet_link_release(link);
    else
        reactor_post(link->reactor, &link->taken); /* hands over the reference */
}

static void
packet_link_over(Message *message)
{
    PacketLink *link = CONTAINER_OF(message, PacketLink, over);

    if (!link->muted) {
        link->muted = TRUE;
        link->events->closed(link, link->error, link->text, link->data);
    }
    packet_link_release(link); /* the reactor's reference */
}

static void
packet_link_kick(PacketLink *link)
{
    packet_link_ref(link);
    if (!queue_post(reactor_queue(link->reactor), &link->kick))
        packet_link_release(link);
}

PacketLink *
packet_link_new(Connection *connection, Reactor *reactor, const PacketLinkOptions *options,
                Queue *owner, const PacketLinkEvents *events, void *data)
{
    PacketLink *link = g_new0(PacketLink, 1);

    link->references = 2; /* the caller's and the reactor's */
    link->connection = connection;
    link->reactor = reactor;
    link->owner = owner;
    link->options = *options;
    link->events = events;
    link->data = data;
    link->in = g_byte_array_new();
    link->first = TRUE;
    link->idle_limit = options->idle_limit;
    pthread_mutex_init(&link->lock, NULL);
    g_strlcpy(link->peer, connection_peer(connection), sizeof link->peer);
    ws_decoder_init(&link->decoder, options->client ? WS_ROLE_CLIENT : WS_ROLE_SERVER,
                    options->max_packet);
    if (options->client && options->framed)
        link->masks = g_new0(WsMaskPool, 1);
    link->start.func = packet_link_start;
    link->delivered.func = packet_link_delivered;
    link->taken.func = packet_link_taken;
    link->kick.func = packet_link_kicked;
    link->over.func = packet_link_over;
    packet_link_init_life(link);
    link->again.func = packet_link_again;
    if (reactor_is_current(reactor))
        packet_link_start(&link->start);
    else
        reactor_post(reactor, &link->start);
    return link;
}

void
packet_link_send(PacketLink *link, const guint8 *packet, gsize len)
{
    pthread_mutex_lock(&link->lock);
    if (!link->out)
        link->out = g_byte_array_new();
    if (len > CONNECTION_QUEUE_MAX - MIN(link->out->len, CONNECTION_QUEUE_MAX))
        link->out_full = TRUE;
    else
        g_byte_array_append(link->out, packet, (guint)len);
    pthread_mutex_unlock(&link->lock);
    packet_link_kick(link);
}

void
packet_link_set_idle_limit(PacketLink *link, gint64 idle_limit)
{
    pthread_mutex_lock(&link->lock);
    link->idle_limit = idle_limit;
    pthread_mutex_unlock(&link->lock);
    packet_link_kick(link);
}

void
packet_link_probe(PacketLink *link, gint64 limit, gboolean ping)
{
    pthread_mutex_lock(&link->lock);
    link->probe_wanted = limit;
    link->ping_wanted = ping;
    pthread_mutex_unlock(&link->lock);
    packet_link_kick(link);
}

void
packet_link_rest(PacketLink *link, gint64 pause)
{
    pthread_mutex_lock(&link->lock);
    link->rest_wanted = pause;
    pthread_mutex_unlock(&link->lock);
}

const char *
packet_link_said(PacketLink *link, guint16 *ret_code)
{
    *ret_code = link->said_code;
    return link->said;
}

void
packet_link_close(PacketLink *link)
{
    packet_link_close_as(link, WS_CLOSE_NORMAL, NULL);
}

void
packet_link_close_as(PacketLink *link, guint16 code, const char *text)
{
    if (link->muted)
        return;
    link->muted = TRUE;
    pthread_mutex_lock(&link->lock);
    link->close_wanted = TRUE;
    link->close_code = code;
    link->close_text = text;
    pthread_mutex_unlock(&link->lock);
    packet_link_kick(link);
}

const char *
packet_link_peer(PacketLink *link)
{
    return link->peer;
}

void
packet_link_unref(PacketLink *link)
{
    if (!link)
        return;
    packet_link_close(link);
    packet_link_release(link);
}
