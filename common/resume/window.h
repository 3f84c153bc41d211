/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeWindow: what the receiver of one direction allows its sender (docs/wire-protocol.md,
 * section 8a, "Credit"). Pure but for the budget; times are monotonic µs. One thread at a time.
 *
 * It doubles when the sender says that it is blocked (`b`), the local reader is not what holds the
 * stream up, memory is left, and the last doubling made the stream faster (by a quarter), or is a
 * second old; after each that did not, it waits four times as long, up to 64 s. It doubles, too,
 * while parts of less than RESUME_TELL_MOST are consumed so fast that a `w` would be due each
 * RESUME_TELL_OFTEN: each of them is a record of TLS, twice. When the sender gives credit back, it
 * shrinks to RESUME_SURE, and with the next `b` it goes to what it was before at once, or to
 * RESUME_WINDOW_START. */
#pragma once

#include "common/resume/budget.h"

#define RESUME_TELL_DELAY (200 * G_TIME_SPAN_MILLISECOND)
#define RESUME_TELL_SHARE 4           /* a `w` for each such part of the window, */
#define RESUME_TELL_MOST (512 * 1024) /* and for so much: until then the other end keeps it */
#define RESUME_TELL_OFTEN (10 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    ResumeBudget *budget;
    guint64 size;          /* of the window: what is told is consumed plus this */
    guint64 former;        /* what it was when the sender gave credit back; 0: it did not */
    guint64 taken;         /* of the budget: enough for the size, and for what is promised */
    guint64 consumed;      /* the end of data counts as one byte */
    guint64 told_consumed; /* what the other end knows */
    guint64 told_limit;    /* RESUME_SURE before it was told any: so much it may send unasked */
    gint64 told_at;        /* 0: never */
    gint64 untold_since;   /* the oldest consumption not told; 0: none */
    guint64 mark_consumed; /* at the last doubling */
    guint64 mark_limit;
    gint64 mark_at;     /* 0: never, or it was given back since */
    gint64 patience;    /* µs until it may grow again when it has not become faster */
    guint64 rate;       /* bytes a second before it */
    gboolean is_urgent; /* it is to be told at once */
    gboolean is_over;   /* the end was consumed */
} ResumeWindow;

void resume_window_init(ResumeWindow *window, ResumeBudget *budget);
/* As a former process has left it, whatever the budget says. ENDED: the end was consumed. */
void resume_window_restore(ResumeWindow *window, ResumeBudget *budget, guint64 consumed,
                           guint64 limit, gboolean ended);
void resume_window_clear(ResumeWindow *window); /* gives back what it took */

void resume_window_consume(ResumeWindow *window, guint64 bytes, gint64 now);
/* The end of data: nothing more will come. It is to be told at once. */
void resume_window_end(ResumeWindow *window, gint64 now);

/* Whether a `w` is to be told now; otherwise RET_DUE is when, G_MAXINT64: nothing to tell. */
gboolean resume_window_wants_to_tell(const ResumeWindow *window, gint64 now, gint64 *ret_due);
/* What an `r` or `w` says from now on; LIMIT is raised to what the window allows. RECEIVED bytes
 * have come. */
void resume_window_told(ResumeWindow *window, guint64 received, gint64 now, guint64 *ret_consumed,
                        guint64 *ret_limit);

/* `b LIMIT` came while RECEIVED bytes have come: TRUE when the window grew, and so is to be told.
 * Where the way is long, other limits were told since: that the sender had to wait for them says
 * that the window is too small. One for a limit from before the last growth means nothing. */
gboolean resume_window_blocked(ResumeWindow *window, guint64 limit, guint64 received, gint64 now);

/* `g SEEN NEW`. FALSE: it breaks the protocol (NEW above SEEN or below RECEIVED, SEEN above what
 * was told). */
gboolean
resume_window_give_back(ResumeWindow *window, guint64 seen, guint64 fresh, guint64 received);
