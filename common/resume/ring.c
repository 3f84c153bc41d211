/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/ring.h"

#include <string.h>

/* Less than this is not worth a read of its own: the next bytes go into another chunk. */
#define LEAST_ROOM (RESUME_CHUNK / 2)

typedef struct {
    guint64 offset; /* of its first byte */
    gsize len;
    guint8 *bytes; /* RESUME_CHUNK of them */
} Chunk;

struct ResumeRing {
    ResumeBudget *budget;
    gboolean counts;
    guint64 begin, end; /* what is held */
    GArray *chunks;     /* Chunk, each beginning where the last one ends; NULL: none */
};

static guint
ring_count(const ResumeRing *ring)
{
    return ring->chunks ? ring->chunks->len : 0;
}

static Chunk *
ring_chunk(const ResumeRing *ring, guint index)
{
    return &g_array_index(ring->chunks, Chunk, index);
}

/* What is left of the last chunk. */
static gsize
ring_left(const ResumeRing *ring)
{
    guint count = ring_count(ring);

    return count > 0 ? RESUME_CHUNK - ring_chunk(ring, count - 1)->len : 0;
}

ResumeRing *
resume_ring_new(ResumeBudget *budget, gboolean counts, guint64 offset)
{
    ResumeRing *ring = g_new0(ResumeRing, 1);

    ring->budget = resume_budget_ref(budget);
    ring->counts = counts;
    ring->begin = ring->end = offset;
    return ring;
}

/* Lets go of COUNT chunks from the one at INDEX on. */
static void
drop_chunks(ResumeRing *ring, guint index, guint count)
{
    if (count == 0)
        return;
    for (guint i = index; i < index + count; i++)
        resume_budget_free_chunk(ring->budget, ring_chunk(ring, i)->bytes);
    if (ring->counts)
        resume_budget_give_ring(ring->budget, (gsize)count * RESUME_CHUNK);
    g_array_remove_range(ring->chunks, index, count);
    if (ring->chunks->len == 0)
        g_clear_pointer(&ring->chunks, g_array_unref);
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

/* Another chunk, for what begins at OFFSET. OWED: whatever the budget says. */
static gboolean
ring_grow(ResumeRing *ring, guint64 offset, gboolean owed)
{
    gsize held = (gsize)ring_count(ring) * RESUME_CHUNK;
    Chunk chunk = {.offset = offset};

    if (ring->counts && owed)
        resume_budget_owe_ring(ring->budget, RESUME_CHUNK);
    else if (ring->counts && !resume_budget_take_ring(ring->budget, held, RESUME_CHUNK))
        return FALSE;
    if (!ring->chunks)
        ring->chunks = g_array_new(FALSE, FALSE, sizeof chunk);
    chunk.bytes = resume_budget_new_chunk(ring->budget);
    g_array_append_val(ring->chunks, chunk);
    return TRUE;
}

uint8_t *
resume_ring_room(ResumeRing *ring, gsize *ret_len)
{
    guint64 held = ring->end - ring->begin;
    Chunk *last;

    if (held >= RESUME_RING_MAX)
        return NULL;
    if (ring_left(ring) < LEAST_ROOM && !ring_grow(ring, ring->end, FALSE) && ring_left(ring) == 0)
        return NULL;
    last = ring_chunk(ring, ring_count(ring) - 1);
    *ret_len = (gsize)MIN(RESUME_CHUNK - last->len, RESUME_RING_MAX - held);
    return last->bytes + last->len;
}

void
resume_ring_filled(ResumeRing *ring, gsize len)
{
    g_return_if_fail(len <= ring_left(ring));
    ring_chunk(ring, ring_count(ring) - 1)->len += len;
    ring->end += len;
}

/* Into the chunks from the one at INDEX on, which have the room. */
static void
ring_copy(ResumeRing *ring, guint index, const uint8_t *data, gsize len)
{
    for (; len > 0; index++) {
        Chunk *chunk = ring_chunk(ring, index);
        gsize part = MIN(len, RESUME_CHUNK - chunk->len);

        memcpy(chunk->bytes + chunk->len, data, part);
        chunk->len += part;
        ring->end += part;
        data += part;
        len -= part;
    }
}

static gboolean
ring_append(ResumeRing *ring, const void *data, gsize len, gboolean owed)
{
    guint last = MAX(ring_count(ring), 1) - 1;
    gsize room = ring_left(ring);

    if (len > RESUME_RING_MAX - (ring->end - ring->begin))
        return FALSE;
    for (; room < len; room += RESUME_CHUNK)
        if (!ring_grow(ring, ring->end + room, owed)) {
            resume_ring_trim(ring);
            return FALSE;
        }
    ring_copy(ring, last, data, len);
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
    const Chunk *chunk;
    guint index;

    g_return_val_if_fail(offset >= ring->begin && offset < ring->end, NULL);
    /* Most often it is the last one. */
    for (index = ring_count(ring) - 1; ring_chunk(ring, index)->offset > offset; index--)
        ;
    chunk = ring_chunk(ring, index);
    *ret_len = (gsize)(chunk->offset + chunk->len - offset);
    return chunk->bytes + (offset - chunk->offset);
}

void
resume_ring_drop(ResumeRing *ring, guint64 offset)
{
    guint whole = 0;

    g_return_if_fail(offset >= ring->begin && offset <= ring->end);
    if (offset == ring->end) {
        resume_ring_clear(ring, offset);
        return;
    }
    ring->begin = offset;
    while (ring_chunk(ring, whole)->offset + ring_chunk(ring, whole)->len <= offset)
        whole++;
    drop_chunks(ring, 0, whole);
}

void
resume_ring_clear(ResumeRing *ring, guint64 offset)
{
    drop_chunks(ring, 0, ring_count(ring));
    ring->begin = ring->end = offset;
}

void
resume_ring_trim(ResumeRing *ring)
{
    guint count = ring_count(ring);

    if (ring->begin == ring->end)
        drop_chunks(ring, 0, count);
    for (; ring->begin < ring->end && ring_chunk(ring, count - 1)->len == 0; count--)
        drop_chunks(ring, count - 1, 1);
}
