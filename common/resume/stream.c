/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/stream.h"

#include "common/resume/sender.h"
#include "common/resume/window.h"

#include <string.h>

struct ResumeStream {
    gboolean attached;
    gboolean first; /* on a leg on which the other end may send before it has our `r` */
    gboolean begun; /* our `r` was made on this leg */
    ResumeSender sender;
    ResumeWindow window; /* its `consumed` has the end, too, once that was consumed */
    ResumeRing *held;    /* what came, and the local socket has not taken */
    guint64 received;    /* bytes of data */
    gboolean peer_ended, fin_given;
    guint64 peer_end;
    char pending[RESUME_TEXT_MAX]; /* a word that was made, and is not sent yet */
    gsize pending_len;
};

ResumeStream *
resume_stream_new(ResumeBudget *budget)
{
    ResumeStream *stream = g_new0(ResumeStream, 1);

    resume_sender_init(&stream->sender, budget);
    resume_window_init(&stream->window, budget);
    stream->held = resume_ring_new(budget, FALSE, 0);
    return stream;
}

void
resume_stream_free(ResumeStream *stream)
{
    if (!stream)
        return;
    resume_sender_clear(&stream->sender);
    resume_window_clear(&stream->window);
    resume_ring_free(stream->held);
    g_free(stream);
}

/* How many bytes of data the local socket has taken. */
static guint64
stream_taken(const ResumeStream *stream)
{
    return stream->window.consumed - (stream->fin_given ? 1 : 0);
}

void
resume_stream_attach(ResumeStream *stream, gint64 now)
{
    if (stream->attached)
        resume_stream_detach(stream, now);
    stream->attached = TRUE;
    stream->first = !stream->sender.resumable;
    resume_sender_attach(&stream->sender);
}

void
resume_stream_detach(ResumeStream *stream, gint64 now)
{
    stream->attached = FALSE;
    stream->begun = FALSE;
    stream->pending_len = 0;
    stream->received = stream_taken(stream);
    resume_ring_clear(stream->held, stream->received);
    resume_sender_detach(&stream->sender);
}

gboolean
resume_stream_is_attached(const ResumeStream *stream)
{
    return stream->attached;
}

gboolean
resume_stream_is_resumable(const ResumeStream *stream)
{
    return stream->sender.resumable;
}

gboolean
resume_stream_is_talking(const ResumeStream *stream)
{
    return stream->sender.talking;
}

uint8_t *
resume_stream_room(ResumeStream *stream, gsize *ret_len)
{
    return resume_sender_room(&stream->sender, ret_len);
}

void
resume_stream_filled(ResumeStream *stream, gsize len, gint64 now)
{
    resume_ring_filled(stream->sender.ring, len);
}

void
resume_stream_rest(ResumeStream *stream)
{
    resume_ring_trim(stream->sender.ring);
}

void
resume_stream_local_ended(ResumeStream *stream)
{
    stream->sender.ended = TRUE;
    resume_ring_trim(stream->sender.ring);
}

static void
stream_say(ResumeStream *stream, const ResumeMessage *message)
{
    stream->pending_len = resume_message_write(stream->pending, message);
}

/* Our `r`, or a `w`. */
static void
stream_tell(ResumeStream *stream, gint64 now)
{
    ResumeMessage message = {.word = stream->begun ? RESUME_TOLD : RESUME_BEGIN};

    resume_window_told(&stream->window, stream->received, now, &message.first, &message.second);
    stream->begun = TRUE;
    stream_say(stream, &message);
}

/* The word that goes ahead of data, if there is one. */
static void
stream_make_word(ResumeStream *stream, gint64 now)
{
    ResumeMessage message;
    gint64 due;

    if (!stream->begun || resume_window_wants_to_tell(&stream->window, now, &due))
        stream_tell(stream, now);
    else if (resume_sender_word(&stream->sender, now, &message))
        stream_say(stream, &message);
}

ResumeSends
resume_stream_next(ResumeStream *stream, gsize most, gint64 now, ResumePiece *ret)
{
    ResumeMessage message;

    ret->kind = RESUME_SENDS_NOTHING;
    if (!stream->attached)
        return ret->kind;
    if (stream->pending_len == 0)
        stream_make_word(stream, now);
    if (stream->pending_len == 0) {
        ret->data = resume_sender_data(&stream->sender, most, &ret->len);
        if (ret->data)
            return ret->kind = RESUME_SENDS_DATA;
        if (!resume_sender_end(&stream->sender, &message))
            return ret->kind;
        stream_say(stream, &message);
    }
    memcpy(ret->text, stream->pending, stream->pending_len);
    ret->len = stream->pending_len;
    return ret->kind = RESUME_SENDS_TEXT;
}

void
resume_stream_sent(ResumeStream *stream, const ResumePiece *piece, gint64 now)
{
    if (piece->kind == RESUME_SENDS_TEXT)
        stream->pending_len = 0;
    else if (piece->kind == RESUME_SENDS_DATA)
        resume_sender_sent(&stream->sender, piece->len, now);
}

gint64
resume_stream_due(const ResumeStream *stream, gint64 now)
{
    gint64 tell = now, give = resume_sender_due(&stream->sender);

    if (!stream->attached || !stream->begun)
        return G_MAXINT64;
    if (resume_window_wants_to_tell(&stream->window, now, &tell))
        return 0;
    tell = MIN(tell, give);
    if (tell == G_MAXINT64)
        return tell;
    return MAX(tell - now, 0);
}

/* The other end may send data, and their end: it has said `r`, and has heard ours, but on the first
 * leg. */
static gboolean
stream_may_receive(const ResumeStream *stream)
{
    return stream->attached && stream->sender.talking && (stream->first || stream->begun);
}

ResumeResult
resume_stream_arrived(ResumeStream *stream, gsize len)
{
    guint64 limit = stream->window.told_limit;

    if (stream->peer_ended)
        limit = MIN(limit, stream->peer_end);
    if (!stream_may_receive(stream) || len == 0 || stream->received > limit ||
        len > limit - stream->received)
        return RESUME_PROTOCOL;
    stream->received += len;
    return RESUME_GOES_ON;
}

void
resume_stream_keep(ResumeStream *stream, const uint8_t *data, gsize len)
{
    guint64 end = resume_ring_end(stream->held);

    if (resume_ring_begin(stream->held) == end)
        resume_ring_clear(stream->held, stream->received - len);
    g_return_if_fail(resume_ring_end(stream->held) == stream->received - len);
    /* It cannot be more than was allowed. */
    g_warn_if_fail(resume_ring_append(stream->held, data, len));
}

/* `e OFFSET`. */
static gboolean
stream_end(ResumeStream *stream, guint64 offset)
{
    if (!stream_may_receive(stream) || offset != stream->received || offset >= RESUME_OFFSET_MAX ||
        (stream->peer_ended && offset != stream->peer_end))
        return FALSE;
    stream->peer_ended = TRUE;
    stream->peer_end = offset;
    return TRUE;
}

/* FALSE: it breaks the protocol. */
static gboolean
stream_hear(ResumeStream *stream, const ResumeMessage *message, gint64 now)
{
    if (message->word == RESUME_BEGIN)
        return resume_sender_begin(&stream->sender, message->first, message->second, now);
    if (!stream->sender.talking)
        return FALSE;
    switch (message->word) {
    case RESUME_TOLD:
        return resume_sender_told(&stream->sender, message->first, message->second);
    case RESUME_END:
        return stream_end(stream, message->first);
    case RESUME_BLOCKED:
        (void)resume_window_blocked(&stream->window, message->first, stream->received, now);
        return TRUE;
    case RESUME_GIVE:
        return resume_window_give_back(&stream->window, message->first, message->second,
                                       stream->received);
    default:
        return TRUE;
    }
}

ResumeResult
resume_stream_text(ResumeStream *stream, const uint8_t *text, gsize len, gint64 now,
                   Reason *ret_reason)
{
    ResumeMessage message;

    if (!stream->attached || !resume_message_parse(text, len, &message) ||
        !stream_hear(stream, &message, now))
        return RESUME_PROTOCOL;
    if (message.word != RESUME_CLOSE)
        return RESUME_GOES_ON;
    *ret_reason = message.reason;
    return RESUME_CLOSED;
}

const uint8_t *
resume_stream_held(const ResumeStream *stream, gsize *ret_len)
{
    guint64 begin = resume_ring_begin(stream->held);

    if (begin == resume_ring_end(stream->held))
        return NULL;
    return resume_ring_look(stream->held, begin, ret_len);
}

void
resume_stream_consumed(ResumeStream *stream, gsize len, gint64 now)
{
    g_return_if_fail(len <= stream->received - stream_taken(stream));
    resume_window_consume(&stream->window, len, now);
    /* Those kept are the last ones that came. */
    if (resume_ring_end(stream->held) > resume_ring_begin(stream->held) &&
        stream_taken(stream) > resume_ring_begin(stream->held))
        resume_ring_drop(stream->held, stream_taken(stream));
}

gboolean
resume_stream_wants_fin(const ResumeStream *stream)
{
    return stream->peer_ended && !stream->fin_given && stream_taken(stream) == stream->peer_end;
}

void
resume_stream_fin_given(ResumeStream *stream, gint64 now)
{
    g_return_if_fail(resume_stream_wants_fin(stream));
    stream->fin_given = TRUE;
    resume_window_end(&stream->window, now);
}

gboolean
resume_stream_fin_was_given(const ResumeStream *stream)
{
    return stream->fin_given;
}

gboolean
resume_stream_is_completed(const ResumeStream *stream)
{
    return stream->fin_given && resume_sender_is_done(&stream->sender);
}

ResumeFigures
resume_stream_figures(const ResumeStream *stream)
{
    const ResumeSender *sender = &stream->sender;

    return (ResumeFigures){
        .kept_from = resume_ring_begin(sender->ring),
        .kept_to = resume_ring_end(sender->ring),
        .sent = sender->sent,
        .limit = sender->limit,
        .ended = sender->ended,
        .end_told = sender->end_said,
        .end_acked = resume_sender_is_done(sender),
        .received = stream->received,
        .consumed = stream->window.consumed,
        .told_limit = stream->window.told_limit,
        .window = stream->window.size,
        .peer_ended = stream->peer_ended,
        .peer_end = stream->peer_end,
        .fin_given = stream->fin_given,
    };
}

void
resume_stream_save(const ResumeStream *stream, ResumeSaved *ret)
{
    *ret = (ResumeSaved){
        .kept_from = resume_ring_begin(stream->sender.ring),
        .kept_to = resume_ring_end(stream->sender.ring),
        .limit = stream->sender.limit,
        .ended = stream->sender.ended,
        .consumed = stream->window.consumed,
        .told_limit = stream->window.told_limit,
        .peer_ended = stream->fin_given,
    };
}

const uint8_t *
resume_stream_kept(const ResumeStream *stream, guint64 offset, gsize *ret_len)
{
    return resume_ring_look(stream->sender.ring, offset, ret_len);
}

gboolean
resume_saved_is_sound(const ResumeSaved *saved)
{
    guint64 end = saved->peer_ended ? 1 : 0, taken = saved->consumed - end;

    return saved->kept_from <= saved->kept_to &&
           saved->kept_to - saved->kept_from <= RESUME_RING_MAX &&
           saved->kept_to < RESUME_OFFSET_MAX && saved->kept_from <= saved->limit &&
           saved->limit >= RESUME_FIRST && saved->limit <= RESUME_OFFSET_MAX &&
           saved->consumed >= end && taken <= saved->told_limit &&
           saved->told_limit <= RESUME_OFFSET_MAX && saved->told_limit - taken <= RESUME_WINDOW_MAX;
}

ResumeStream *
resume_stream_restore(ResumeBudget *budget, const ResumeSaved *saved, const void *kept)
{
    ResumeStream *stream;

    if (!resume_saved_is_sound(saved))
        return NULL;
    stream = g_new0(ResumeStream, 1);
    resume_sender_restore(&stream->sender, budget, saved->kept_from, kept,
                          (gsize)(saved->kept_to - saved->kept_from));
    stream->sender.limit = saved->limit;
    stream->sender.ended = stream->sender.end_known = saved->ended;
    resume_window_restore(&stream->window, budget, saved->consumed, saved->told_limit,
                          saved->peer_ended);
    stream->fin_given = stream->peer_ended = saved->peer_ended;
    stream->received = stream->peer_end = stream_taken(stream);
    stream->held = resume_ring_new(budget, FALSE, stream->received);
    return stream;
}
