/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeStream: one end of a stream that survives its legs (docs/wire-protocol.md, section 8a), as
 * a machine without I/O: which bytes and words are to be sent on a leg, what those that come mean,
 * and what is kept until the other end has consumed it. Times are monotonic µs. One thread at a
 * time.
 *
 * The driver (daemon/carrier) reads the local socket into resume_stream_room, sends what
 * resume_stream_next gives, gives what comes on the leg to _arrived and _text, writes to the local
 * socket, and says what that took. */
#pragma once

#include "common/base/reason.h"
#include "common/resume/budget.h"
#include "common/resume/message.h"
#include "common/resume/sender.h"

typedef struct ResumeStream ResumeStream;

ResumeStream *resume_stream_new(ResumeBudget *budget);
void resume_stream_free(ResumeStream *stream); /* NULL is fine */

/* A leg is there; or it is gone, and with it all that had come and was not consumed. */
void resume_stream_attach(ResumeStream *stream, gint64 now);
void resume_stream_detach(ResumeStream *stream, gint64 now);
gboolean resume_stream_is_attached(const ResumeStream *stream);

/* The other end's `r` has come, ever: from then on a lost leg is no end. */
gboolean resume_stream_is_resumable(const ResumeStream *stream);
/* It has come on this leg. */
gboolean resume_stream_is_talking(const ResumeStream *stream);

/* From the local socket. Room to read into; NULL: nothing may be read now (enough waits to be
 * sent, too much is kept, or the data have ended). While nothing is read the driver calls
 * _rest, so that no memory is held. */
uint8_t *resume_stream_room(ResumeStream *stream, gsize *ret_len);
void resume_stream_filled(ResumeStream *stream, gsize len, gint64 now);
void resume_stream_rest(ResumeStream *stream);
void resume_stream_local_ended(ResumeStream *stream); /* FIN: no more data in this direction */

/* To the leg. */
typedef enum { RESUME_SENDS_NOTHING, RESUME_SENDS_TEXT, RESUME_SENDS_DATA } ResumeSends;

typedef struct {
    ResumeSends kind;
    const uint8_t *data; /* of RESUME_SENDS_DATA, inside the ring: good until it is sent */
    gsize len;           /* of data or text */
    char text[RESUME_TEXT_MAX];
} ResumePiece;

/* What is to be sent next, at most MOST bytes of data. The same again until _sent, unless something
 * came meanwhile. Words come before data, but for `e`, which comes behind them. */
ResumeSends resume_stream_next(ResumeStream *stream, gsize most, gint64 now, ResumePiece *ret);
void resume_stream_sent(ResumeStream *stream, const ResumePiece *piece, gint64 now);

/* µs until _next has something new to say because of time alone; G_MAXINT64: never. */
gint64 resume_stream_due(const ResumeStream *stream, gint64 now);

/* From the leg. */
typedef enum {
    RESUME_GOES_ON,
    RESUME_PROTOCOL, /* the other end broke the protocol */
    RESUME_CLOSED,   /* `c`: the stream ends; RET_REASON says why */
} ResumeResult;

/* LEN bytes of data have come, in order. They are the driver's until it gives them to _keep. */
ResumeResult resume_stream_arrived(ResumeStream *stream, gsize len);
/* The local socket does not take these, the last LEN of those that have come: kept (a copy). When
 * some of what came before is kept, all that comes is given to it. */
void resume_stream_keep(ResumeStream *stream, const uint8_t *data, gsize len);
ResumeResult resume_stream_text(ResumeStream *stream, const uint8_t *text, gsize len, gint64 now,
                                Reason *ret_reason);

/* To the local socket: what is kept of what came; NULL: nothing. */
const uint8_t *resume_stream_held(const ResumeStream *stream, gsize *ret_len);
/* It has taken LEN bytes: of those that are kept, or straight of what came when none are. */
void resume_stream_consumed(ResumeStream *stream, gsize len, gint64 now);

/* The other end has no more data, and the local socket has taken all: it is to get FIN. */
gboolean resume_stream_wants_fin(const ResumeStream *stream);
void resume_stream_fin_given(ResumeStream *stream, gint64 now); /* consumes the end */
gboolean resume_stream_fin_was_given(const ResumeStream *stream);

/* Both directions are consumed to their ends: here, and at the other end as far as that told.
 * Before a leg is closed for that, all that _next has is to be sent: the other end has to learn it,
 * too. */
gboolean resume_stream_is_completed(const ResumeStream *stream);

/* How it stands, for whoever looks. */
typedef struct {
    guint64 kept_from, kept_to;          /* offsets that are kept for the other end */
    guint64 sent;                        /* on this leg */
    guint64 limit;                       /* that the other end has told */
    gboolean ended, end_told, end_acked; /* the local data */
    guint64 received, consumed, told_limit;
    guint64 window;
    gboolean peer_ended;
    guint64 peer_end; /* where peer_ended */
    gboolean fin_given;
} ResumeFigures;
ResumeFigures resume_stream_figures(const ResumeStream *stream);

/* Over a restart of the program: all that is needed to go on, of one that
 * is detached, resumable and not completed. The bytes that are kept are read by _kept. That the
 * other end has consumed the end is not said: it says so again in its `r`. */
typedef struct {
    guint64 kept_from, kept_to; /* what of the local data was read and is not consumed there */
    guint64 limit;
    gboolean ended;
    guint64 consumed, told_limit; /* consumed: with the end, when that was consumed */
    gboolean peer_ended;          /* TRUE only when its end was consumed, too: fin_given */
} ResumeSaved;
void resume_stream_save(const ResumeStream *stream, ResumeSaved *ret);
/* From OFFSET (kept_from <= OFFSET < kept_to) on, as many as are contiguous. */
const uint8_t *resume_stream_kept(const ResumeStream *stream, guint64 offset, gsize *ret_len);
gboolean resume_saved_is_sound(const ResumeSaved *saved); /* it does not contradict itself */
/* NULL: SAVED contradicts itself. KEPT has kept_to - kept_from bytes. What it keeps and has
 * promised counts, also beyond BUDGET's bounds. */
ResumeStream *
resume_stream_restore(ResumeBudget *budget, const ResumeSaved *saved, const void *kept);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResumeStream, resume_stream_free)
