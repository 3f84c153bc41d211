/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring against what went in: across the borders of chunks, at its bound, and what it holds. */
#include "common/resume/ring.h"

#include <string.h>

#define ASIDE ((guint64)RESUME_SURE * RESUME_STREAMS)

static guint8
byte_at(guint64 offset)
{
    return (guint8)((guint32)offset * 2654435761u >> 24);
}

static void
put(ResumeRing *ring, gsize len)
{
    g_autofree guint8 *data = g_malloc(MAX(len, 1));

    for (gsize i = 0; i < len; i++)
        data[i] = byte_at(resume_ring_end(ring) + i);
    g_assert_true(resume_ring_append(ring, data, len));
}

/* Through the room, as a socket would, at most STEP at once. */
static void
fill(ResumeRing *ring, gsize len, gsize step)
{
    while (len > 0) {
        gsize room = 0, part;
        guint64 at = resume_ring_end(ring);
        guint8 *out = resume_ring_room(ring, &room);

        g_assert_nonnull(out);
        part = MIN(MIN(len, step), room);
        for (gsize i = 0; i < part; i++)
            out[i] = byte_at(at + i);
        resume_ring_filled(ring, part);
        len -= part;
    }
}

static void
check(const ResumeRing *ring)
{
    for (guint64 at = resume_ring_begin(ring); at < resume_ring_end(ring);) {
        gsize len = 0;
        const guint8 *data = resume_ring_look(ring, at, &len);

        g_assert_cmpuint(len, >, 0);
        for (gsize i = 0; i < len; i++)
            g_assert_cmpuint(data[i], ==, byte_at(at + i));
        at += len;
        g_assert_cmpuint(at, <=, resume_ring_end(ring));
    }
}

/* Every offset around a border: where it begins, ends, is dropped and looked at. */
static void
test_borders(void)
{
    static const gsize around[] = {0,
                                   1,
                                   RESUME_CHUNK - 1,
                                   RESUME_CHUNK,
                                   RESUME_CHUNK + 1,
                                   2 * RESUME_CHUNK,
                                   2 * RESUME_CHUNK + 1};

    for (gsize i = 0; i < G_N_ELEMENTS(around); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(around); k++) {
            g_autoptr(ResumeBudget) budget = resume_budget_new(0, 0);
            g_autoptr(ResumeRing) ring = resume_ring_new(budget, FALSE, 77);

            fill(ring, around[i], 5000);
            put(ring, around[k]);
            check(ring);
            for (gsize d = 0; d < G_N_ELEMENTS(around) && around[d] <= around[i] + around[k]; d++) {
                resume_ring_drop(ring, 77 + around[d]);
                g_assert_cmpuint(resume_ring_begin(ring), ==, 77 + around[d]);
                check(ring);
            }
            put(ring, 100);
            check(ring);
        }
}

static void
test_bound(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 0);
    g_autoptr(ResumeRing) ring = resume_ring_new(budget, FALSE, 0);
    gsize room = 0;

    fill(ring, RESUME_RING_MAX - 1, G_MAXSIZE);
    g_assert_false(resume_ring_append(ring, "ab", 2));
    g_assert_cmpuint(resume_ring_end(ring), ==, RESUME_RING_MAX - 1);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, 1);
    fill(ring, 1, 1);
    g_assert_null(resume_ring_room(ring, &room));
    g_assert_false(resume_ring_append(ring, "a", 1));
    resume_ring_drop(ring, 1);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, 1);
    check(ring);
}

static guint64
chunks_used(ResumeBudget *budget)
{
    guint64 rings = resume_budget_use(budget).rings;

    g_assert_cmpuint(rings % RESUME_CHUNK, ==, 0);
    return rings / RESUME_CHUNK;
}

/* A rest that is not worth a read is left empty, unless there is no other memory. */
static void
test_rest(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE, (guint64)64 * RESUME_CHUNK);
    g_autoptr(ResumeRing) ring = resume_ring_new(budget, TRUE, 0);
    gsize room = 0;

    put(ring, RESUME_CHUNK / 2);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, RESUME_CHUNK / 2);
    put(ring, 1);
    resume_budget_owe_ring(budget, (gsize)63 * RESUME_CHUNK);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, RESUME_CHUNK / 2 - 1);
    resume_budget_give_ring(budget, (gsize)63 * RESUME_CHUNK);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, RESUME_CHUNK);
    fill(ring, 5, 5);
    put(ring, RESUME_CHUNK);
    check(ring);
    resume_ring_drop(ring, RESUME_CHUNK / 2 + 1);
    g_assert_cmpuint(resume_budget_use(budget).rings, ==, 2 * RESUME_CHUNK);
    check(ring);
}

/* The memory counts as long as it is held, chunk by chunk. */
static void
test_memory(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE, (guint64)64 * RESUME_CHUNK);
    g_autoptr(ResumeRing) ring = resume_ring_new(budget, TRUE, 1000);
    gsize room;

    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(room, ==, RESUME_CHUNK);
    g_assert_cmpuint(chunks_used(budget), ==, 1);
    resume_ring_trim(ring);
    g_assert_cmpuint(chunks_used(budget), ==, 0);
    put(ring, RESUME_CHUNK);
    g_assert_nonnull(resume_ring_room(ring, &room));
    g_assert_cmpuint(chunks_used(budget), ==, 2);
    resume_ring_trim(ring);
    g_assert_cmpuint(chunks_used(budget), ==, 1);
    check(ring);
    put(ring, 1);
    resume_ring_drop(ring, 1000 + RESUME_CHUNK - 1);
    g_assert_cmpuint(chunks_used(budget), ==, 2);
    resume_ring_drop(ring, 1000 + RESUME_CHUNK);
    g_assert_cmpuint(chunks_used(budget), ==, 1);
    resume_ring_drop(ring, 1000 + RESUME_CHUNK + 1);
    g_assert_cmpuint(chunks_used(budget), ==, 0);
}

/* All or nothing, and nothing stays behind. */
static void
test_budget_used_up(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE, RESUME_CHUNK);
    g_autoptr(ResumeRing) ring = resume_ring_new(budget, TRUE, 0);
    g_autoptr(ResumeRing) other = resume_ring_new(budget, TRUE, 0);
    g_autofree guint8 *data = g_malloc0(RESUME_CHUNK + 1);
    gsize room;

    g_assert_false(resume_ring_append(ring, data, RESUME_CHUNK + 1));
    g_assert_cmpuint(resume_budget_use(budget).rings, ==, 0);
    g_assert_true(resume_ring_append(ring, data, RESUME_CHUNK));
    g_assert_null(resume_ring_room(ring, &room));
    g_assert_null(resume_ring_room(other, &room));
    resume_ring_clear(ring, 5);
    g_assert_cmpuint(resume_ring_begin(ring), ==, 5);
    g_assert_cmpuint(resume_ring_end(ring), ==, 5);
    g_assert_nonnull(resume_ring_room(other, &room));
}

/* What a former process held is held again, whatever the budget says. */
static void
test_restore(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE, RESUME_CHUNK);
    g_autofree guint8 *data = g_malloc(3 * RESUME_CHUNK);
    ResumeRing *ring;

    for (gsize i = 0; i < 3 * RESUME_CHUNK; i++)
        data[i] = byte_at(9 + i);
    ring = resume_ring_restore(budget, 9, data, 3 * RESUME_CHUNK);
    g_assert_cmpuint(resume_ring_end(ring), ==, 9 + 3 * RESUME_CHUNK);
    check(ring);
    g_assert_cmpuint(resume_budget_use(budget).rings, ==, 3 * RESUME_CHUNK);
    resume_ring_free(ring);
    g_assert_cmpuint(resume_budget_use(budget).rings, ==, 0);
}

/* Reads, writes and acknowledgements of any length, for a while. */
static void
test_random(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 0);
    g_autoptr(ResumeRing) ring = resume_ring_new(budget, FALSE, 0);

    for (guint i = 0; i < 3000; i++) {
        guint64 begin = resume_ring_begin(ring), held = resume_ring_end(ring) - begin;

        if (held < 4 * RESUME_CHUNK && g_test_rand_bit())
            fill(ring, (gsize)g_test_rand_int_range(1, 2 * RESUME_CHUNK), 16384);
        else if (g_test_rand_bit())
            resume_ring_drop(ring, begin + (guint64)g_test_rand_double_range(0, (double)held));
        else
            resume_ring_trim(ring);
        if (i % 100 == 0)
            check(ring);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-ring/borders", test_borders);
    g_test_add_func("/resume-ring/bound", test_bound);
    g_test_add_func("/resume-ring/rest", test_rest);
    g_test_add_func("/resume-ring/memory", test_memory);
    g_test_add_func("/resume-ring/budget-used-up", test_budget_used_up);
    g_test_add_func("/resume-ring/restore", test_restore);
    g_test_add_func("/resume-ring/random", test_random);
    return g_test_run();
}
