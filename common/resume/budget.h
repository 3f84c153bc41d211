/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeBudget: how much memory all streams of a daemon may hold that survive their legs: bytes
 * that were promised to peers (windows), and bytes that are kept until a peer has consumed them
 * (rings). Any thread.
 *
 * Of the windows' sum RESUME_SURE for each of RESUME_STREAMS streams is set aside, so that each
 * stream has that much; growth comes from the rest, of which one stream gets at most an eighth of
 * what is left. Further streams have their sure part from what is left for growth.
 *
 * Windows are counted in bytes that were promised, and their memory is taken by the chunk: a stream
 * that holds such bytes has up to two chunks more than they need, for a first one that is consumed
 * in part and a last one that is not full. So the memory of N streams is at most the windows and
 * N * 2 * RESUME_CHUNK, 128 MiB for RESUME_STREAMS whose readers have all stopped; a stream whose
 * reader keeps up holds none. */
#pragma once

#include <glib.h>

#define RESUME_SURE (32 * 1024)
#define RESUME_STREAMS 1024
#define RESUME_WINDOW_START (256 * 1024)
#define RESUME_WINDOW_MAX (8 * 1024 * 1024)
#define RESUME_RING_MAX (8 * 1024 * 1024)
#define RESUME_BUDGET (128 * 1024 * 1024) /* the default of each of the two */

typedef struct ResumeBudget ResumeBudget;

/* Bytes; at least RESUME_SURE * RESUME_STREAMS of windows. */
ResumeBudget *resume_budget_new(guint64 windows, guint64 rings);
ResumeBudget *resume_budget_ref(ResumeBudget *budget);
void resume_budget_unref(ResumeBudget *budget);                               /* NULL is fine */
void resume_budget_set(ResumeBudget *budget, guint64 windows, guint64 rings); /* of new growth */

/* A stream comes, and goes: its RESUME_SURE. */
void resume_budget_enter(ResumeBudget *budget);
void resume_budget_leave(ResumeBudget *budget);

/* Of the WANTED bytes beyond what is sure for a stream: as many as it gets. */
guint64 resume_budget_take_window(ResumeBudget *budget, guint64 wanted);
/* All of them, also beyond the bound: a former process has promised them. */
void resume_budget_owe_window(ResumeBudget *budget, guint64 bytes);
void resume_budget_give_window(ResumeBudget *budget, guint64 bytes);

/* TRUE: a ring that holds HELD bytes of memory may have LEN more. The more a ring holds, the more
 * has to be left for others: a few streams whose readers have stopped do not stop all others. */
gboolean resume_budget_take_ring(ResumeBudget *budget, gsize held, gsize len);
/* All of them, also beyond the bound: a former process has read them. */
void resume_budget_owe_ring(ResumeBudget *budget, gsize len);
void resume_budget_give_ring(ResumeBudget *budget, gsize len);

/* The memory of a ring, by the chunk. Those that were used last come first, and a few are kept as
 * long as there are streams: else the kernel would clear pages anew that it was given a moment ago,
 * which took a quarter of the time of a stream in bulk. */
/* What a frame carries whose TLS records are full (WS_FULL_MASKED in common/codec/ws-frame.h): one
 * read fills a chunk, and one frame empties it. */
#define RESUME_CHUNK (64 * 1024 - 8)
#define RESUME_POOL 32 /* chunks */
guint8 *resume_budget_new_chunk(ResumeBudget *budget);
void resume_budget_free_chunk(ResumeBudget *budget, guint8 *chunk);

typedef struct {
    guint64 windows; /* in use now: beyond what is set aside */
    guint64 rings;
    guint64 streams;
    guint pool; /* chunks that nobody uses, for the next ones */
} ResumeUse;
ResumeUse resume_budget_use(ResumeBudget *budget);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResumeBudget, resume_budget_unref)
