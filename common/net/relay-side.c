/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-private.h"

#include <errno.h>
#include <string.h>

/* What a plain client is told, whatever happened, as Azure does (docs/wire-protocol.md, section 4).
 */
#define PLAIN_CLOSE_TEXT "WS disconnected"

void
side_init(Side *side, const RelaySide *spec, gint64 now)
{
    side->connection = spec->connection;
    side->framed = spec->framed;
    side->client = spec->client;
    side->caps = spec->caps;
    side->closed = spec->closed;
    side->greet = spec->greet;
    side->heard = side->pinged = side->said = now;
    if (!side->framed)
        return;
    ws_decoder_init(&side->decoder, side->client ? WS_ROLE_CLIENT : WS_ROLE_SERVER, 0);
    if (side->client)
        side->masks = g_new0(WsMaskPool, 1);
}

void
side_clear(Side *side)
{
    g_clear_pointer(&side->masks, g_free);
}

/* The mask key of the next frame, or NULL where we do not mask. */
static const uint8_t *
side_key(Side *side, uint8_t key[WS_MASK_KEY_LEN])
{
    if (!side->client)
        return NULL;
    ws_mask_pool_next(side->masks, key);
    return key;
}

uint8_t *
side_frame(Side *side, uint8_t *payload, size_t *len)
{
    uint8_t room[WS_MASK_KEY_LEN];
    const uint8_t *key = side_key(side, room);
    size_t header;

    if (key)
        ws_mask(payload, payload, *len, ws_key_load(key), 0);
    header = ws_header_prepend(payload, WS_OP_BINARY, *len, key);
    *len += header;
    return payload - header;
}

size_t
side_word(Side *side, const uint8_t *text, size_t len, uint8_t out[WS_MAX_CONTROL_FRAME])
{
    uint8_t room[WS_MASK_KEY_LEN];

    return ws_control_write(out, WS_OP_TEXT, text, len, side_key(side, room));
}

/* Call this between two frames only. */
static void
side_send_control(Side *side, WsOpcode opcode, const void *payload, size_t len)
{
    uint8_t frame[WS_MAX_CONTROL_FRAME], room[WS_MASK_KEY_LEN];
    size_t size = ws_control_write(frame, opcode, payload, len, side_key(side, room));

    /* When the queue is full, the peer sends pings and does not read the answers: drop this one. */
    (void)connection_queue(side->connection, frame, size);
}

void
side_greet(Side *side)
{
    if (side->greet && !side->lost)
        side_send_control(side, WS_OP_PING, NULL, 0);
}

static gboolean
side_is_between_frames(Relay *relay, int index)
{
    const Flow *flow = &relay->flows[1 - index];

    return flow->out_len == 0 && !flow->begun;
}

void
side_control(Relay *relay, int index)
{
    Side *side = &relay->sides[index];

    if (!side->pong_wanted || !side_is_between_frames(relay, index))
        return;
    side->pong_wanted = FALSE;
    side->said = reactor_now(relay->reactor);
    side_send_control(side, WS_OP_PONG, side->pong, side->pong_len);
}

static void
side_shut_down(Relay *relay, int index)
{
    int r = connection_shutdown_write(relay->sides[index].connection);

    /* It was reset while we neither read from it nor wrote to it. */
    if (r < 0)
        side_lost(relay, index, r);
}

gboolean
side_tell_end(Relay *relay, int index)
{
    Side *side = &relay->sides[index];
    uint8_t frame[WS_MAX_HEADER], room[WS_MASK_KEY_LEN];

    if (!side->framed) {
        side_shut_down(relay, index);
        return TRUE;
    }
    if (!(side->caps & CAP_HALF_CLOSE))
        return FALSE;
    return connection_queue(side->connection, frame,
                            ws_header_write(frame, WS_OP_BINARY, 0, side_key(side, room)));
}

Reason
side_lost_reason(const Side *side, int error)
{
    gboolean fin = error == 0 || error == -ESHUTDOWN;

    if (!side->framed)
        return REASON_LOCAL_CUT;
    if (side->told != REASON_NONE)
        return side->told;
    /* The C client ends with a bare FIN, and a plain peer has no better way. But a FIN in the
     * middle of a frame or message is a cut. */
    if (fin && !side->lost && !(side->caps & CAP_REASON) && ws_decoder_is_idle(&side->decoder))
        return side->closed;
    return REASON_CUT;
}

void
side_gone(Relay *relay, int index, Reason reason)
{
    gboolean first = relay->reason == REASON_NONE;

    relay->sides[index].lost = TRUE;
    relay_end(relay, reason, index);
    /* What it sent will come again on its next leg, and the sooner the other end knows, the sooner
     * that is there (section 8a). */
    if (relay->worded && first && !reason_is_orderly(reason))
        relay_close_frames(relay, MIN(RELAY_HASTE, relay->times.wait));
}

void
side_lost(Relay *relay, int index, int error)
{
    side_gone(relay, index, side_lost_reason(&relay->sides[index], error));
}

/* What a peer sent before it went can still be read. */
static gboolean
side_may_have_more(const Side *side, int error)
{
    if (!side->framed)
        return connection_has_left(side->connection);
    return error == -EPIPE || error == -ECONNRESET;
}

void
side_unwritable(Relay *relay, int index, int error)
{
    Side *side = &relay->sides[index];

    if (relay->reason != REASON_NONE || relay->sides[1 - index].lost ||
        !side_may_have_more(side, error)) {
        side_lost(relay, index, error);
        return;
    }
    /* A framed peer that has gone resets what we write to it. Its close frame, if it sent one, says
     * better how it ended. */
    side->lost = TRUE;
    flow_drop(relay, &relay->flows[1 - index]);
    reactor_defer(relay->reactor, &relay->again);
}

void
side_check_left(Relay *relay, int index)
{
    const Side *side = &relay->sides[index];
    const Flow *flow = &relay->flows[index];
    Side *other = &relay->sides[1 - index];

    if (side->framed || !side->connection || !flow->ended || flow->out_len > 0 ||
        !connection_has_left(side->connection))
        return;
    if (!other->framed || other->spoke || other->lost) {
        relay_end(relay, side->closed, index);
    } else if (!other->asked) {
        other->asked = TRUE;
        side_send_control(other, WS_OP_PING, NULL, 0);
        reactor_defer(relay->reactor, &relay->again);
    }
}

Reason
side_close_reason(const Side *side, const WsEvent *event)
{
    Reason told;

    if (!(side->caps & CAP_REASON))
        return side->closed;
    told = reason_from_code((const char *)event->payload, (gssize)event->payload_len);
    if (told != REASON_NONE && reason_close_code(told) == event->code)
        return told;
    switch (event->code) {
    case WS_CLOSE_NONE:
    case WS_CLOSE_NORMAL:
        return side->closed;
    case WS_CLOSE_GOING_AWAY:
        return side->client ? REASON_HUB_STOPPING : REASON_STOPPING;
    case WS_CLOSE_POLICY:
        return REASON_REVOKED;
    default:
        return REASON_CUT;
    }
}

/* An empty message can be the end of data. From a plain peer it counts only after data, and only if
 * no more data follows, since some send an empty message for every empty write. The C# client sends
 * them without end after its end: so a second one counts at once, and the rest are dropped
 * (docs/wire-protocol.md, section 4). One that follows, in the same piece, data that a limit cut
 * short is dropped too: that data is not whole. */
static void
side_empty(Relay *relay, int index)
{
    Side *side = &relay->sides[index];
    Flow *flow = &relay->flows[index];

    if (relay->reason != REASON_NONE || flow->ended)
        return;
    if (relay->worded) {
        side_broke_words(relay, index);
        return;
    }
    if ((side->caps & CAP_HALF_CLOSE) || side->empty > 0) {
        flow->ended = TRUE;
        side->empty = 0;
    } else if (side->had_data) {
        side->empty = reactor_now(relay->reactor);
        relay_wake_by(relay, relay->times.empty);
    }
}

gboolean
side_check_empty(Relay *relay, int index, gint64 now)
{
    Side *side = &relay->sides[index];
    Flow *flow = &relay->flows[index];

    if (side->empty == 0 || relay->reason != REASON_NONE)
        return FALSE;
    /* More may follow that was not read yet. */
    if (flow->out_len > 0 || flow->raw_len > 0)
        side->empty = now;
    if (now - side->empty < relay->times.empty)
        return FALSE;
    flow->ended = TRUE;
    side->empty = 0;
    return TRUE;
}

void
side_broke_words(Relay *relay, int index)
{
    relay->sides[index].close_code = WS_CLOSE_POLICY;
    relay_end(relay, REASON_PROTOCOL, index);
}

static void
side_keep_pong(Side *side, const WsEvent *event)
{
    /* Answering the latest ping is enough (RFC 6455, section 5.5.3), so a flood costs nothing. */
    side->pong_len = event->payload_len;
    memcpy(side->pong, event->payload, event->payload_len);
    side->pong_wanted = TRUE;
}

void
side_event(Relay *relay, int index, const WsEvent *event)
{
    Side *side = &relay->sides[index];

    switch (event->type) {
    case WS_EVENT_NONE:
    case WS_EVENT_PONG:
        break;
    case WS_EVENT_TEXT:
        flow_word(relay, index, event->payload, event->payload_len);
        break;
    case WS_EVENT_PING:
        side_keep_pong(side, event);
        break;
    case WS_EVENT_EMPTY:
        side_empty(relay, index);
        break;
    case WS_EVENT_CLOSE:
        side->close_received = TRUE;
        side->close_code = event->code ? event->code : WS_CLOSE_NORMAL;
        relay_end(relay, side_close_reason(side, event), index);
        break;
    case WS_EVENT_ERROR:
        side->close_code = event->code;
        relay_end(relay, REASON_PROTOCOL, index);
        break;
    }
}

static size_t
side_close_frame(Side *side, Reason reason, uint8_t frame[WS_MAX_CONTROL_FRAME])
{
    uint8_t room[WS_MASK_KEY_LEN];
    const uint8_t *key = side_key(side, room);

    if (side->close_code == WS_CLOSE_POLICY && !side->close_received)
        return ws_close_write(frame, side->close_code, reason_code(reason), key);
    if (side->close_code != 0)
        return ws_close_write(frame, side->close_code, NULL, key);
    if (side->caps & CAP_REASON)
        return ws_close_write(frame, reason_close_code(reason), reason_code(reason), key);
    if (side->client)
        return ws_close_write(frame, WS_CLOSE_NORMAL, NULL, key);
    /* docs/wire-protocol.md, section 4a: every peer is told these two. */
    if (reason == REASON_REVOKED || reason == REASON_HUB_STOPPING)
        return ws_close_write(frame, reason_close_code(reason), PLAIN_CLOSE_TEXT, key);
    return ws_close_write(frame, WS_CLOSE_ERROR, PLAIN_CLOSE_TEXT, key);
}

/* Queues the close frame. In the middle of another frame that is not possible, and the peer sees a
 * cut. TRUE: the peer gets the frame, unless it stops reading. */
static gboolean
side_say_close(Relay *relay, int index, Connection *connection)
{
    Side *side = &relay->sides[index];
    uint8_t frame[WS_MAX_CONTROL_FRAME];

    if (relay->flows[1 - index].begun)
        return FALSE;
    (void)connection_queue(connection, frame, side_close_frame(side, relay->reason, frame));
    return connection_flush(connection) == 0 && !connection_has_backlog(connection);
}

static void
side_finish(Relay *relay, int index, Connection *connection)
{
    const Side *side = &relay->sides[index];
    gboolean said = !side->framed || side_say_close(relay, index, connection);

    if (reason_is_orderly(relay->reason)) {
        connection_finish_patiently(connection, RELAY_PATIENCE);
        return;
    }
    relay->unsaid |= !said && !side->close_received;
    if (relay->flows[1 - index].begun)
        connection_reset(connection);
    else /* bytes that the peer still sends must not destroy the close frame */
        connection_finish_hard(connection, relay->times.wait,
                               side->close_received || !(side->caps & CAP_REASON));
}

void
side_close(Relay *relay, int index)
{
    Side *side = &relay->sides[index];
    Connection *connection = g_steal_pointer(&side->connection);

    /* A silent peer may only be unable to reach us. A reset reaches it at once. */
    gboolean silent = side->lost && relay->reason == REASON_SILENT;

    if (!connection)
        return;
    if (silent || (!side->framed && !reason_is_orderly(relay->reason)))
        connection_reset(connection);
    else if (side->lost)
        connection_free(connection);
    else
        side_finish(relay, index, connection);
}

/* Whether we read what the peer sends as soon as it arrives. */
static gboolean
side_is_read(Relay *relay, int index)
{
    return relay->flows[index].out_len == 0 && !connection_hung_up(relay->sides[index].connection);
}

/* A probe that has just been sent does not count yet, only one that stays unanswered. */
static gint64
side_kernel_silence(Relay *relay, Side *side, gint64 now)
{
    gint64 unanswered =
        now - side->heard < relay->times.ping ? 0 : connection_unanswered(side->connection);

    if (unanswered == 0)
        side->owing = 0;
    else if (side->owing == 0)
        side->owing = now;
    return side->owing > 0 && now - side->owing >= relay->times.ping / 4 ? unanswered : 0;
}

/* The peer's end waits for the other leg: it does not read what we send, and does not answer. */
static gboolean
side_is_unpaired(const Relay *relay, const Side *side)
{
    return relay->times.pair > 0 && !side->spoke && (side->caps & CAP_REASON);
}

static gint64
side_silence(Relay *relay, int index, gint64 now)
{
    Side *side = &relay->sides[index];
    gint64 kernel = side_kernel_silence(relay, side, now);

    if (!side_is_read(relay, index))
        side->unheard = now;
    if (!(side->caps & CAP_REASON) || side_is_unpaired(relay, side))
        return MIN(kernel, now - side->heard);
    return MAX(MIN(kernel, now - side->heard), now - MAX(side->heard, side->unheard));
}

/* When the next ping is due: to ask a silent peer, or to show a peer that we are alive. A peer that
 * reads slowly may find a ping too late to answer it, so both ends send pings. */
static gint64
side_ping_due(const Relay *relay, const Side *side)
{
    return MIN(MAX(side->heard, side->pinged), side->said) + relay->times.ping;
}

static void
side_ping(Relay *relay, int index, gint64 now)
{
    Side *side = &relay->sides[index];

    /* Only between frames; bytes on the way already make the peer's kernel answer. A peer that has
     * ended is not asked: it would answer with a reset. */
    if (now < side_ping_due(relay, side) || !side_is_between_frames(relay, index) ||
        connection_hung_up(side->connection))
        return;
    side->pinged = side->said = now;
    side_send_control(side, WS_OP_PING, NULL, 0);
}

gint64
side_check(Relay *relay, int index, gint64 now)
{
    Side *side = &relay->sides[index];
    const RelayTimes *times = &relay->times;
    gint64 silence, next;

    if (!side->framed || side->lost || times->ping <= 0)
        return G_MAXINT64;
    silence = side_silence(relay, index, now);
    if (side_is_unpaired(relay, side) && now - relay->since >= times->pair) {
        relay_end(relay, REASON_NOT_PAIRED, index);
        return G_MAXINT64;
    }
    if (silence >= times->dead) {
        side_gone(relay, index, REASON_SILENT);
        return G_MAXINT64;
    }
    side_ping(relay, index, now);
    next = times->dead - silence;
    if (side_is_unpaired(relay, side))
        next = MIN(next, relay->since + times->pair - now);
    if (side->owing > 0)
        return MIN(times->ping / 4, next);
    return MIN(MAX(side_ping_due(relay, side) - now, times->ping / 4), next);
}
