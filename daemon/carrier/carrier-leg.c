/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/budget.h"
#include "daemon/carrier/carrier-private.h"

#include <errno.h>
#include <string.h>

G_STATIC_ASSERT(RESUME_CHUNK == WS_FULL_MASKED);

static void
leg_ready(Connection *connection G_GNUC_UNUSED, void *data)
{
    carrier_pump(data);
}

static void
leg_rest(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;

    leg->out_len = 0;
    leg->begun = FALSE;
    reactor_buffer_give(carrier->reactor, g_steal_pointer(&leg->buffer));
}

void
leg_drop(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;
    Connection *connection = g_steal_pointer(&leg->connection);

    leg_rest(carrier);
    leg->deaf = FALSE;
    /* A silent peer may only be unable to reach us. A reset reaches it at once. */
    if (connection && leg->silent)
        connection_reset(connection);
    else
        connection_free(connection);
}

/* Words and signs of life, between two frames only. */
void
leg_say(Carrier *carrier, WsOpcode opcode, const void *payload, size_t len)
{
    CarrierLeg *leg = &carrier->leg;
    uint8_t frame[WS_MAX_CONTROL_FRAME], key[WS_MASK_KEY_LEN];

    ws_mask_pool_next(leg->masks, key);
    leg->said = reactor_now(carrier->reactor);
    /* When the queue is full, the peer sends pings and does not read the answers. */
    (void)connection_queue(leg->connection, frame,
                           ws_control_write(frame, opcode, payload, len, key));
}

gboolean
leg_is_free(const Carrier *carrier)
{
    const CarrierLeg *leg = &carrier->leg;

    return leg->connection && !leg->deaf && leg->out_len == 0 && !leg->begun;
}

guint64
leg_waiting(const Carrier *carrier)
{
    const ResumeFigures figures = resume_stream_figures(carrier->stream);

    if (!carrier->leg.connection)
        return figures.kept_to - figures.kept_from;
    return carrier->leg.out_len + (figures.kept_to - figures.sent);
}

static void
leg_say_word(Carrier *carrier, const ResumePiece *piece)
{
    leg_say(carrier, WS_OP_TEXT, piece->text, piece->len);
    resume_stream_sent(carrier->stream, piece, reactor_now(carrier->reactor));
}

/* Makes one frame of the data that may be sent, however they lie in memory. */
static size_t
leg_frame(Carrier *carrier, ResumePiece *piece)
{
    CarrierLeg *leg = &carrier->leg;
    gint64 now = reactor_now(carrier->reactor);
    uint8_t key[WS_MASK_KEY_LEN], *payload;
    size_t len = 0, header;

    if (!leg->buffer)
        leg->buffer = reactor_buffer_take(carrier->reactor);
    payload = leg->buffer + BUFFER_HEADROOM;
    ws_mask_pool_next(leg->masks, key);
    do {
        ws_mask(payload + len, piece->data, piece->len, ws_key_load(key), len);
        len += piece->len;
        resume_stream_sent(carrier->stream, piece, now);
    } while (len < WS_FULL_MASKED && resume_stream_next(carrier->stream, WS_FULL_MASKED - len, now,
                                                        piece) == RESUME_SENDS_DATA);
    header = ws_header_prepend(payload, WS_OP_BINARY, len, key);
    leg->out = payload - header;
    leg->out_len = header + len;
    leg->moved = now;
    return len;
}

/* Whether anything new may still be sent. */
static gboolean
leg_may_say(const Carrier *carrier)
{
    return leg_is_free(carrier) &&
           (carrier->reason == REASON_NONE ||
            ((carrier->last & CARRIER_SENDS) && !carrier->leg.given_up)) &&
           connection_queued(carrier->leg.connection) < CARRIER_WORDS_WAIT;
}

/* The next word or frame. Returns what it costs of the turn; 0: there is none. */
static size_t
leg_next(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;
    ResumePiece piece;

    if (leg->pong_wanted && leg_is_free(carrier)) {
        leg->pong_wanted = FALSE;
        leg_say(carrier, WS_OP_PONG, leg->pong, leg->pong_len);
    }
    if (!leg_may_say(carrier))
        return 0;
    switch (resume_stream_next(carrier->stream, WS_FULL_MASKED, reactor_now(carrier->reactor),
                               &piece)) {
    case RESUME_SENDS_TEXT:
        leg_say_word(carrier, &piece);
        return 1;
    case RESUME_SENDS_DATA:
        return leg_frame(carrier, &piece);
    default:
        return 0;
    }
}

/* What a peer that resets our bytes sent before it went is still read: its close frame says better
 * how the leg ended. */
static void
leg_failed(Carrier *carrier, int error)
{
    CarrierLeg *leg = &carrier->leg;

    leg->deaf = TRUE;
    leg_rest(carrier);
    if (error == -EPIPE || error == -ECONNRESET)
        carrier_run_again(carrier);
    else
        carrier_lost(carrier, REASON_CUT);
}

/* TRUE when no frame is on its way. */
static gboolean
leg_push(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;

    if (leg->deaf)
        return FALSE;
    while (leg->out_len > 0) {
        ssize_t n = connection_write(leg->connection, leg->out, leg->out_len);

        if (n == -EAGAIN)
            return FALSE;
        if (n < 0) {
            leg_failed(carrier, (int)n);
            return FALSE;
        }
        leg->begun = TRUE;
        leg->said = leg->moved = reactor_now(carrier->reactor);
        leg->out += n;
        leg->out_len -= (size_t)n;
    }
    leg->begun = FALSE;
    return TRUE;
}

gboolean
leg_write(Carrier *carrier)
{
    size_t spent = 0;

    while (spent < CARRIER_BUDGET && leg_push(carrier)) {
        size_t used = leg_next(carrier);

        if (used == 0)
            used = local_read(carrier);
        if (used == 0)
            break;
        spent += MAX(used, CARRIER_STEP);
    }
    if (carrier->leg.out_len == 0)
        leg_rest(carrier);
    return spent >= CARRIER_BUDGET;
}

void
leg_flush(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;
    int r = leg->connection && !leg->deaf ? connection_flush(leg->connection) : 0;

    if (r < 0 && r != -EAGAIN)
        leg_failed(carrier, r);
}

static void
leg_text(Carrier *carrier, const WsEvent *event)
{
    gint64 now = reactor_now(carrier->reactor);
    Reason reason = REASON_NONE;

    switch (resume_stream_text(carrier->stream, event->payload, event->payload_len, now, &reason)) {
    case RESUME_PROTOCOL:
        carrier_broken(carrier);
        break;
    case RESUME_CLOSED:
        carrier_told(carrier, reason);
        break;
    default:
        carrier_heard(carrier);
    }
}

static void
leg_event(Carrier *carrier, const WsEvent *event)
{
    CarrierLeg *leg = &carrier->leg;

    switch (event->type) {
    case WS_EVENT_NONE:
        break;
    case WS_EVENT_PONG:
        if (leg->asking)
            leg->probed = 0;
        break;
    case WS_EVENT_PING:
        /* Answering the latest one is enough (RFC 6455, section 5.5.3): a flood costs nothing. */
        leg->pong_len = event->payload_len;
        memcpy(leg->pong, event->payload, event->payload_len);
        leg->pong_wanted = TRUE;
        break;
    case WS_EVENT_TEXT:
        leg_text(carrier, event);
        break;
    case WS_EVENT_EMPTY:
        carrier_broken(carrier);
        break;
    case WS_EVENT_CLOSE:
        leg->close_received = TRUE;
        leg->close_code = event->code ? event->code : WS_CLOSE_NORMAL;
        carrier_closed(carrier, event);
        break;
    case WS_EVENT_ERROR:
        leg->close_code = event->code;
        carrier_broken(carrier);
        break;
    }
}

/* FALSE: nothing more is to be read. */
static gboolean
leg_decode(Carrier *carrier, uint8_t *bytes, size_t len)
{
    CarrierLeg *leg = &carrier->leg;

    while (len > 0) {
        WsEvent event;
        size_t used;

        ws_decoder_run(&leg->decoder, bytes, len, &used, &event);
        if (event.data_len > 0)
            local_arrived(carrier, bytes, event.data_len);
        if (!leg->connection)
            return FALSE;
        leg_event(carrier, &event);
        if (!leg->connection || event.type == WS_EVENT_CLOSE || event.type == WS_EVENT_ERROR)
            return FALSE;
        bytes += used;
        len -= used;
    }
    return TRUE;
}

/* TRUE: there may be more. */
static gboolean
leg_read_piece(Carrier *carrier, uint8_t *bytes, size_t *spent)
{
    CarrierLeg *leg = &carrier->leg;
    ssize_t n = connection_read(leg->connection, bytes, BUFFER_DATA);

    if (n == -EAGAIN)
        return FALSE;
    if (n <= 0) {
        leg->deaf = TRUE;
        carrier_lost(carrier, REASON_CUT);
        return FALSE;
    }
    leg->heard = reactor_now(carrier->reactor);
    leg->spoke = TRUE;
    *spent += MAX((size_t)n, CARRIER_STEP);
    return leg_decode(carrier, bytes, (size_t)n);
}

gboolean
leg_read(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;
    size_t spent = 0;
    uint8_t *buffer;

    if (!leg->connection || leg->close_received)
        return FALSE;
    buffer = reactor_buffer_take(carrier->reactor);
    while (spent < CARRIER_BUDGET && leg_read_piece(carrier, buffer + BUFFER_HEADROOM, &spent)) {
        /* each one has taken a part of the budget */
    }
    reactor_buffer_give(carrier->reactor, buffer);
    local_write(carrier); /* the end may have come */
    return spent >= CARRIER_BUDGET;
}

static void
leg_init(Carrier *carrier, Connection *connection)
{
    CarrierLeg *leg = &carrier->leg;
    gint64 now = reactor_now(carrier->reactor), moved = leg->moved;
    WsMaskPool *masks = leg->masks ? leg->masks : g_new0(WsMaskPool, 1);

    *leg = (CarrierLeg){.connection = connection, .masks = masks, .moved = moved};
    leg->since = leg->heard = leg->pinged = leg->said = now;
    ws_decoder_init(&leg->decoder, WS_ROLE_CLIENT, 0);
    ws_decoder_split_text(&leg->decoder);
}

void
leg_open(Carrier *carrier, Connection *connection)
{
    int r = 0;

    leg_init(carrier, connection);
    connection_retry_soon(connection);
    resume_stream_attach(carrier->stream, reactor_now(carrier->reactor));
    if (connection_reactor(connection))
        connection_set_handler(connection, leg_ready, carrier);
    else
        r = connection_attach(connection, carrier->reactor, leg_ready, carrier);
    if (r < 0)
        carrier_lost(carrier, REASON_CUT);
    else
        (void)leg_next(carrier); /* its `r` comes before anything else, a `c` for one */
    carrier_run_again(carrier);
}

/* Queues what tells the peer why. In the middle of a frame that is not possible, and the peer sees
 * a cut. TRUE: the peer gets it, unless it stops reading. */
static gboolean
leg_say_end(Carrier *carrier, Connection *connection)
{
    CarrierLeg *leg = &carrier->leg;
    const gboolean answers = leg->close_received && leg->close_code != 0;
    const Reason reason = carrier->reason;
    const ResumeMessage word = {.word = RESUME_CLOSE, .reason = reason};
    uint8_t frame[WS_MAX_CONTROL_FRAME], key[WS_MASK_KEY_LEN];
    char text[RESUME_TEXT_MAX];
    gsize len;

    if (leg->begun)
        return FALSE;
    leg->connection = connection;
    if (!(carrier->last & CARRIER_TOLD) && reason != REASON_COMPLETED) {
        len = resume_message_write(text, &word);
        leg_say(carrier, WS_OP_TEXT, text, len);
    }
    ws_mask_pool_next(leg->masks, key);
    len = leg->close_code != 0
              ? ws_close_write(frame, leg->close_code, answers ? NULL : reason_code(reason), key)
              : ws_close_write(frame, reason_close_code(reason), reason_code(reason), key);
    (void)connection_queue(connection, frame, len);
    leg->connection = NULL;
    return connection_flush(connection) == 0 && !connection_has_backlog(connection);
}

/* The service's side leads the stream back once more to tell the other end, which keeps its side
 * otherwise; the device's answers whoever comes. */
static gboolean
leg_matters(const Carrier *carrier)
{
    return !carrier->device && !(carrier->last & CARRIER_TOLD) &&
           resume_stream_is_resumable(carrier->stream);
}

/* The connection of the last word, which outlives the leg. */
typedef struct {
    Carrier *carrier;
    Connection *connection;
} LegParting;

static void
leg_parted(void *data)
{
    LegParting *parting = data;
    gboolean lost =
        connection_was_cut(parting->connection) || connection_outstanding(parting->connection) > 0;

    carrier_tell_parted(parting->carrier, lost);
    carrier_release(parting->carrier);
    g_free(parting);
}

/* A network that is away takes the last word, too, until the kernel finds that out. */
static void
leg_watch_parting(Carrier *carrier, Connection *connection)
{
    LegParting *parting;

    if (carrier->unsaid || carrier->leg.close_received || !leg_matters(carrier) ||
        !carrier->events.parted)
        return;
    parting = g_new(LegParting, 1);
    *parting = (LegParting){carrier_ref(carrier), connection};
    carrier->parts = TRUE;
    connection_on_release(connection, leg_parted, parting);
}

void
leg_close(Carrier *carrier)
{
    CarrierLeg *leg = &carrier->leg;
    Connection *connection;
    gboolean said;

    if (!leg->connection || leg->deaf || leg->silent) {
        carrier->unsaid |= leg_matters(carrier);
        leg_drop(carrier);
        return;
    }
    connection = g_steal_pointer(&leg->connection);
    carrier->unsaid |= leg->begun && !leg->close_received && leg_matters(carrier);
    leg_watch_parting(carrier, connection);
    said = leg_say_end(carrier, connection);
    if (reason_is_orderly(carrier->reason)) {
        connection_finish_patiently(connection, RELAY_PATIENCE);
    } else {
        carrier->unsaid |= !said && !leg->close_received && carrier->device;
        if (leg->begun)
            connection_reset(connection);
        else /* bytes that the peer still sends must not destroy the close frame */
            connection_finish_hard(connection, carrier->times.wait, leg->close_received);
    }
    leg_rest(carrier);
}
