/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResumeRing: the bytes of one direction from an offset on, in chunks. A socket is read straight
 * into it, and written straight from it: there is no other buffer (so that it may later be laid
 * into memory that outlives the process). It holds no memory while it holds no bytes. One thread at
 * a time. */
#pragma once

#include "common/resume/budget.h"

#include <stdint.h>

typedef struct ResumeRing ResumeRing;

/* COUNTS: it takes its memory from BUDGET's rings, chunk by chunk; otherwise it is counted where it
 * was promised. It begins at OFFSET. */
ResumeRing *resume_ring_new(ResumeBudget *budget, gboolean counts, guint64 offset);
/* With LEN bytes of a former process, at most RESUME_RING_MAX, which count beyond the bound, too.
 */
ResumeRing *resume_ring_restore(ResumeBudget *budget, guint64 offset, const void *data, gsize len);
void resume_ring_free(ResumeRing *ring); /* NULL is fine */

guint64 resume_ring_begin(const ResumeRing *ring); /* offset of the first byte held */
guint64 resume_ring_end(const ResumeRing *ring);   /* one past the last */

/* Room for the next bytes, contiguous; NULL: RESUME_RING_MAX are held, or the budget is used up.
 * Good until the next call. The memory counts from here on. */
uint8_t *resume_ring_room(ResumeRing *ring, gsize *ret_len);
void resume_ring_filled(ResumeRing *ring, gsize len);
gboolean
resume_ring_append(ResumeRing *ring, const void *data, gsize len); /* a copy; all or none */

/* The bytes from OFFSET (begin <= OFFSET < end) on, as many as are contiguous. */
const uint8_t *resume_ring_look(const ResumeRing *ring, guint64 offset, gsize *ret_len);

/* Forgets what is before OFFSET (begin <= OFFSET <= end), and the memory of whole chunks. */
void resume_ring_drop(ResumeRing *ring, guint64 offset);
void resume_ring_clear(ResumeRing *ring, guint64 offset); /* all; it begins anew at OFFSET */

/* Gives back memory that was asked for by _room and holds no byte. */
void resume_ring_trim(ResumeRing *ring);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResumeRing, resume_ring_free)
