/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/relay-private.h"

#include <errno.h>

static void
flow_release(Relay *relay, Flow *flow)
{
    reactor_buffer_give(relay->reactor, flow->buffer);
    flow->buffer = flow->out = flow->raw = NULL;
}

void
flow_drop(Relay *relay, Flow *flow)
{
    flow->out_len = flow->raw_len = 0;
    flow->word_len = 0;
    flow_release(relay, flow);
}

/* Data are counted as moving, words are not: they end no idleness (section 8a). */
static void
flow_went(Relay *relay, Flow *flow)
{
    gint64 now = reactor_now(relay->reactor);

    if (flow->out_is_word)
        flow->worded = now;
    else
        flow->moved = now;
}

/* The word that waits is the next that is ready. */
static gboolean
flow_take_word(Flow *flow)
{
    if (flow->word_len == 0)
        return FALSE;
    flow->out = flow->word;
    flow->out_len = flow->word_len;
    flow->word_len = 0;
    flow->out_is_word = TRUE;
    return TRUE;
}

/* TRUE when the destination has taken what was ready. */
static gboolean
flow_write_ready(Relay *relay, Flow *flow, int to)
{
    Side *side = &relay->sides[to];

    while (flow->out_len > 0) {
        ssize_t n = connection_write(side->connection, flow->out, flow->out_len);

        if (n == -EAGAIN)
            return FALSE;
        if (n < 0) {
            side_unwritable(relay, to, (int)n);
            return FALSE;
        }
        flow->begun = TRUE;
        side->said = reactor_now(relay->reactor);
        flow_went(relay, flow);
        flow->out += n;
        flow->out_len -= (size_t)n;
    }
    if (!flow->stuck)
        flow->begun = FALSE;
    return TRUE;
}

/* TRUE when the destination has taken everything. */
static gboolean
flow_write(Relay *relay, Flow *flow, int to)
{
    do
        if (!flow_write_ready(relay, flow, to))
            return FALSE;
    while (flow_take_word(flow));
    flow->out_is_word = FALSE;
    return TRUE;
}

/* Gives N bytes at OUT, taken from the source, to the destination. */
static void
flow_accept(Relay *relay, int from, uint8_t *out, size_t len)
{
    Flow *flow = &relay->flows[from];
    Side *to = &relay->sides[1 - from];

    if (flow->stuck)
        return;
    flow->moved = reactor_now(relay->reactor);
    len = relay_limit_take(relay, len);
    if (len == 0)
        return;
    flow->out = out;
    flow->out_len = len;
    atomic_fetch_add_explicit(&relay->meter->bytes[from], len, memory_order_relaxed);
    if (to->framed)
        flow->out = side_frame(to, out, &flow->out_len);
}

void
flow_word(Relay *relay, int from, const uint8_t *text, size_t len)
{
    Flow *flow = &relay->flows[from];
    ResumeMessage message;

    if (relay->reason != REASON_NONE || flow->stuck)
        return;
    if (!resume_message_parse(text, len, &message)) {
        side_broke_words(relay, from);
        return;
    }
    flow->worded = reactor_now(relay->reactor);
    if (!relay_limit_word(relay, from, len))
        return;
    flow->word_len = (uint8_t)side_word(&relay->sides[1 - from], text, len, flow->word);
    if (flow->out_len == 0)
        (void)flow_take_word(flow);
}

/* The most to read at once: the frame made of it then fills whole TLS records. */
static size_t
flow_piece(const Side *from, const Side *to)
{
    if (from->framed || !to->framed)
        return BUFFER_DATA;
    return to->client ? WS_FULL_MASKED : WS_FULL_UNMASKED;
}

/* Reads into the empty buffer. > 0: bytes at the buffer's data; 0: none now, or the end. */
static size_t
flow_read(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    Side *side = &relay->sides[from];
    ssize_t n;

    if (!flow->buffer)
        flow->buffer = reactor_buffer_take(relay->reactor);
    n = connection_read(side->connection, flow->buffer + BUFFER_HEADROOM,
                        flow_piece(side, &relay->sides[1 - from]));
    if (n > 0) {
        side->heard = reactor_now(relay->reactor);
        side->spoke = TRUE;
        return (size_t)n;
    }
    if (n == 0 && !side->framed)
        flow->ended = TRUE;
    else if (n != -EAGAIN)
        side_lost(relay, from, (int)n);
    return 0;
}

/* For a plain peer the end of data was a guess. Until the other side is told, it can be undone. */
static gboolean
flow_end_holds(const Side *from, const Flow *flow)
{
    return flow->told || (from->caps & CAP_HALF_CLOSE);
}

/* Decodes what was read from a leg, up to the first event. Returns how many bytes that used. */
static size_t
flow_decode(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    Side *side = &relay->sides[from];
    uint8_t *data = flow->raw;
    WsEvent event;
    size_t used;

    ws_decoder_run(&side->decoder, data, flow->raw_len, &used, &event);
    flow->raw += used;
    flow->raw_len -= used;
    if (event.data_len > 0 && flow->ended && flow_end_holds(side, flow)) {
        /* Data after the end of data has no meaning. */
        side->close_code = WS_CLOSE_PROTOCOL;
        relay_end(relay, REASON_PROTOCOL, from);
        return used;
    }
    if (event.data_len > 0) {
        side->had_data = TRUE;
        side->empty = 0;
        flow->ended = FALSE;
        flow_accept(relay, from, data, event.data_len);
    }
    side_event(relay, from, &event);
    return used;
}

/* Takes the next piece from the source. Returns how many bytes that used; 0: there are none. */
static size_t
flow_fill(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    Side *side = &relay->sides[from];
    size_t n;

    if (flow->raw_len > 0)
        return flow_decode(relay, from);
    if (!side->framed && flow->ended)
        return 0;
    n = flow_read(relay, from);
    if (n == 0)
        return 0;
    if (!side->framed) {
        flow_accept(relay, from, flow->buffer + BUFFER_HEADROOM, n);
        return n;
    }
    flow->raw = flow->buffer + BUFFER_HEADROOM;
    flow->raw_len = n;
    return flow_decode(relay, from);
}

/* When the relay has a reason to end, what is held is still delivered but nothing more is read. */
static gboolean
flow_may_read(const Relay *relay)
{
    return relay->reason == REASON_NONE;
}

/* Everything that came was delivered, and nothing was dropped. */
static gboolean
flow_is_whole(const Relay *relay, int from)
{
    const Flow *flow = &relay->flows[from];

    return flow->out_len == 0 && !flow->stuck && relay->closing != RELAY_CLOSES_FRAMES;
}

gboolean
flow_pump(Relay *relay, int from)
{
    Flow *flow = &relay->flows[from];
    size_t spent = 0;

    if (relay->sides[1 - from].lost)
        return FALSE;
    while (spent < RELAY_BUDGET && flow_write(relay, flow, 1 - from)) {
        side_control(relay, 1 - from);
        if (!flow_may_read(relay))
            break;
        size_t used = flow_fill(relay, from);
        if (used == 0)
            break;
        spent += MAX(used, RELAY_STEP);
    }
    if (flow->ended && !flow->told && flow_is_whole(relay, from) && !relay->sides[1 - from].lost)
        flow->told = side_tell_end(relay, 1 - from);
    if (flow->out_len == 0 && flow->raw_len == 0)
        flow_release(relay, flow);
    return spent >= RELAY_BUDGET;
}
