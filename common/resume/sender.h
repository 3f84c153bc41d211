/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeSender: the direction of a stream that survives its legs in which this end sends
 * (docs/wire-protocol.md, section 8a): what is kept until the other end has consumed it, how far it
 * was sent on this leg, and how far it may be. Part of ResumeStream; times are monotonic µs. One
 * thread at a time. */
#pragma once

#include "common/resume/message.h"
#include "common/resume/ring.h"

#define RESUME_FIRST (32 * 1024)              /* may be sent on the first leg before `r` */
#define RESUME_IDLE (10 * G_TIME_SPAN_SECOND) /* a sender that sent nothing gives back */
/* While so much waits to be sent, no more is read: neither in many small parts while the leg takes
 * nothing, nor all that an application has while the other end reads nothing. */
#define RESUME_AHEAD (32 * 1024)

typedef struct {
    ResumeRing *ring;    /* what is kept */
    guint64 sent;        /* on this leg: the offset that comes next */
    guint64 top;         /* the highest that was ever sent */
    guint64 acked;       /* what the other end has consumed; one past the end: that, too */
    guint64 limit;       /* the last one told; RESUME_FIRST before any was */
    guint64 blocked_for; /* the limit of the last `b` on this leg; G_MAXUINT64: none */
    gint64 idle_since;   /* when data or a `g` were sent last */
    gboolean resumable;  /* the other end's `r` has come, ever */
    gboolean talking;    /* it has come on this leg */
    gboolean ended;      /* there are no more data than those in the ring */
    gboolean end_said;   /* `e`, on this leg */
    gboolean end_known;  /* `e` was sent ever */
} ResumeSender;

void resume_sender_init(ResumeSender *sender, ResumeBudget *budget);
/* LEN bytes at KEPT from the offset FROM on were read by a former process. */
void resume_sender_restore(ResumeSender *sender, ResumeBudget *budget, guint64 from,
                           const void *kept, gsize len);
void resume_sender_clear(ResumeSender *sender);

void resume_sender_attach(ResumeSender *sender);
void resume_sender_detach(ResumeSender *sender);

/* As resume_stream_room. */
uint8_t *resume_sender_room(ResumeSender *sender, gsize *ret_len);

/* `r` and `w`. FALSE: it breaks the protocol. */
gboolean resume_sender_begin(ResumeSender *sender, guint64 consumed, guint64 limit, gint64 now);
gboolean resume_sender_told(ResumeSender *sender, guint64 consumed, guint64 limit);

/* `b` or `g`, when one of them is to be said now. It counts as said. */
gboolean resume_sender_word(ResumeSender *sender, gint64 now, ResumeMessage *ret);
gint64 resume_sender_due(const ResumeSender *sender); /* when there will be one by time alone */

/* The data that may be sent now, contiguous; NULL: none. */
const uint8_t *resume_sender_data(const ResumeSender *sender, gsize most, gsize *ret_len);
void resume_sender_sent(ResumeSender *sender, gsize len, gint64 now);
/* `e`, when it is to be said now. It counts as said. */
gboolean resume_sender_end(ResumeSender *sender, ResumeMessage *ret);

gboolean resume_sender_is_done(const ResumeSender *sender); /* consumed to the end */
