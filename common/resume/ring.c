/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/ring.h"

#include <string.h>

struct ResumeRing {
    ResumeBudget *budget;
    guint64 base;       /* the offset of the first byte of the first chunk */
    guint64 begin, end; /* what is held */
    GPtrArray *chunks;  /* RESUME_CHUNK bytes each; NULL: none */
    gboolean counts;
};

static guint
ring_count(const ResumeRing *ring)
{
    return ring->chunks ? ring->chunks->len : 0;
}

ResumeRing *
resume_ring_new(ResumeBudget *budget, gboolean counts, guint64 offset)
{
    ResumeRing *ring = g_new0(ResumeRing, 1);

    ring->budget = resume_budget_ref(budget);
    ring->counts = counts;
    ring->base = ring->begin = ring->end = offset;
    return ring;
}

/* Lets go of COUNT chunks from the one at INDEX on. */
static void
drop_chunks(ResumeRing *ring, guint index, guint count)
{
    if (count == 0)
        return;
    for (guint i = index; i < index + count; i++)
        resume_budget_free_chunk(ring->budget, g_ptr_array_index(ring->chunks, i));
    if (ring->counts)
        resume_budget_give_ring(ring->budget, (gsize)count * RESUME_CHUNK);
    g_ptr_array_remove_range(ring->chunks, index, count);
    if (ring->chunks->len == 0)
        g_clear_pointer(&ring->chunks, g_ptr_array_unref);
}

void
resume_ring_free(ResumeRing *ring)
{
    if (!ring)
        return;
    drop_chunks(ring, 0, ring_count(ring));
    resume_budget_unref(ring->budget);
    g_free(ring);
}

guint64
resume_ring_begin(const ResumeRing *ring)
{
    return ring->begin;
}

guint64
resume_ring_end(const ResumeRing *ring)
{
    return ring->end;
}

/* The offset of the first byte for which there is no memory. */
static guint64
ring_capacity(const ResumeRing *ring)
{
    return ring->base + (guint64)ring_count(ring) * RESUME_CHUNK;
}

/* OWED: whatever the budget says. */
static gboolean
ring_grow(ResumeRing *ring, gboolean owed)
{
    gsize held = (gsize)ring_count(ring) * RESUME_CHUNK;

    if (ring->counts && owed)
        resume_budget_owe_ring(ring->budget, RESUME_CHUNK);
    else if (ring->counts && !resume_budget_take_ring(ring->budget, held, RESUME_CHUNK))
        return FALSE;
    if (!ring->chunks)
        ring->chunks = g_ptr_array_new();
    g_ptr_array_add(ring->chunks, resume_budget_new_chunk(ring->budget));
    return TRUE;
}

static uint8_t *
ring_at(const ResumeRing *ring, guint64 offset)
{
    uint8_t *chunk = g_ptr_array_index(ring->chunks, (offset - ring->base) / RESUME_CHUNK);

    return chunk + (offset - ring->base) % RESUME_CHUNK;
}

/* From OFFSET to the border of its chunk. */
static gsize
chunk_rest(const ResumeRing *ring, guint64 offset)
{
    return RESUME_CHUNK - (gsize)((offset - ring->base) % RESUME_CHUNK);
}

uint8_t *
resume_ring_room(ResumeRing *ring, gsize *ret_len)
{
    guint64 held = ring->end - ring->begin;

    if (held >= RESUME_RING_MAX)
        return NULL;
    if (ring->end == ring_capacity(ring) && !ring_grow(ring, FALSE))
        return NULL;
    *ret_len = MIN(chunk_rest(ring, ring->end), (gsize)(RESUME_RING_MAX - held));
    return ring_at(ring, ring->end);
}

void
resume_ring_filled(ResumeRing *ring, gsize len)
{
    g_return_if_fail(len <= ring_capacity(ring) - ring->end);
    ring->end += len;
}

static void
ring_copy(ResumeRing *ring, const uint8_t *data, gsize len)
{
    while (len > 0) {
        gsize part = MIN(len, chunk_rest(ring, ring->end));

        memcpy(ring_at(ring, ring->end), data, part);
        ring->end += part;
        data += part;
        len -= part;
    }
}

static gboolean
ring_append(ResumeRing *ring, const void *data, gsize len, gboolean owed)
{
    if (len > RESUME_RING_MAX - (ring->end - ring->begin))
        return FALSE;
    while (ring_capacity(ring) - ring->end < len)
        if (!ring_grow(ring, owed)) {
            resume_ring_trim(ring);
            return FALSE;
        }
    ring_copy(ring, data, len);
    return TRUE;
}

gboolean
resume_ring_append(ResumeRing *ring, const void *data, gsize len)
{
    return ring_append(ring, data, len, FALSE);
}

ResumeRing *
resume_ring_restore(ResumeBudget *budget, guint64 offset, const void *data, gsize len)
{
    ResumeRing *ring = resume_ring_new(budget, TRUE, offset);

    g_warn_if_fail(ring_append(ring, data, len, TRUE));
    return ring;
}

const uint8_t *
resume_ring_look(const ResumeRing *ring, guint64 offset, gsize *ret_len)
{
    g_return_val_if_fail(offset >= ring->begin && offset < ring->end, NULL);
    *ret_len = (gsize)MIN(chunk_rest(ring, offset), ring->end - offset);
    return ring_at(ring, offset);
}

void
resume_ring_drop(ResumeRing *ring, guint64 offset)
{
    guint whole;

    g_return_if_fail(offset >= ring->begin && offset <= ring->end);
    if (offset == ring->end) {
        resume_ring_clear(ring, offset);
        return;
    }
    ring->begin = offset;
    whole = (guint)((offset - ring->base) / RESUME_CHUNK);
    drop_chunks(ring, 0, whole);
    ring->base += (guint64)whole * RESUME_CHUNK;
}

void
resume_ring_clear(ResumeRing *ring, guint64 offset)
{
    drop_chunks(ring, 0, ring_count(ring));
    ring->base = ring->begin = ring->end = offset;
}

void
resume_ring_trim(ResumeRing *ring)
{
    guint64 held = ring->begin == ring->end ? 0 : ring->end - ring->base;
    guint used = (guint)((held + RESUME_CHUNK - 1) / RESUME_CHUNK);

    if (held == 0)
        ring->base = ring->begin;
    drop_chunks(ring, used, ring_count(ring) - used);
}
