/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resume/budget.h"

#include <pthread.h>
#include <stdatomic.h>

#define SHARE 8 /* one stream gets at most one part in so many of what is left */

struct ResumeBudget {
    atomic_uint refs;
    _Atomic guint64 windows_most, rings_most;
    _Atomic guint64 windows, rings, streams; /* in use */
    pthread_mutex_t lock;                    /* of what follows */
    guint8 *pool[RESUME_POOL];
    guint pooled;
};

ResumeBudget *
resume_budget_new(guint64 windows, guint64 rings)
{
    ResumeBudget *budget = g_new0(ResumeBudget, 1);

    atomic_init(&budget->refs, 1);
    pthread_mutex_init(&budget->lock, NULL);
    resume_budget_set(budget, windows, rings);
    return budget;
}

ResumeBudget *
resume_budget_ref(ResumeBudget *budget)
{
    atomic_fetch_add(&budget->refs, 1);
    return budget;
}

static void
empty_pool(ResumeBudget *budget)
{
    pthread_mutex_lock(&budget->lock);
    while (budget->pooled > 0)
        g_free(budget->pool[--budget->pooled]);
    pthread_mutex_unlock(&budget->lock);
}

void
resume_budget_unref(ResumeBudget *budget)
{
    if (!budget || atomic_fetch_sub(&budget->refs, 1) != 1)
        return;
    empty_pool(budget);
    pthread_mutex_destroy(&budget->lock);
    g_free(budget);
}

void
resume_budget_set(ResumeBudget *budget, guint64 windows, guint64 rings)
{
    atomic_store(&budget->windows_most, MAX(windows, (guint64)RESUME_SURE * RESUME_STREAMS));
    atomic_store(&budget->rings_most, rings);
}

void
resume_budget_enter(ResumeBudget *budget)
{
    atomic_fetch_add(&budget->streams, 1);
}

void
resume_budget_leave(ResumeBudget *budget)
{
    if (atomic_fetch_sub(&budget->streams, 1) == 1)
        empty_pool(budget);
}

/* What of the windows is there for growth, when USED bytes of it are in use. */
static guint64
growth_left(ResumeBudget *budget, guint64 used)
{
    guint64 streams = atomic_load(&budget->streams);
    guint64 most = atomic_load(&budget->windows_most);
    guint64 gone = MAX(streams, RESUME_STREAMS) * RESUME_SURE + used;

    return gone < most ? most - gone : 0;
}

guint64
resume_budget_take_window(ResumeBudget *budget, guint64 wanted)
{
    guint64 used = atomic_load(&budget->windows);
    guint64 taken;

    do
        taken = MIN(wanted, growth_left(budget, used) / SHARE);
    while (!atomic_compare_exchange_weak(&budget->windows, &used, used + taken));
    return taken;
}

void
resume_budget_owe_window(ResumeBudget *budget, guint64 bytes)
{
    atomic_fetch_add(&budget->windows, bytes);
}

void
resume_budget_give_window(ResumeBudget *budget, guint64 bytes)
{
    atomic_fetch_sub(&budget->windows, bytes);
}

static gboolean
ring_fits(ResumeBudget *budget, guint64 used, gsize held, gsize len)
{
    guint64 most = atomic_load(&budget->rings_most);

    return len <= most && used <= most - len && held <= (most - len - used) / SHARE;
}

gboolean
resume_budget_take_ring(ResumeBudget *budget, gsize held, gsize len)
{
    guint64 used = atomic_load(&budget->rings);

    do
        if (!ring_fits(budget, used, held, len))
            return FALSE;
    while (!atomic_compare_exchange_weak(&budget->rings, &used, used + len));
    return TRUE;
}

void
resume_budget_owe_ring(ResumeBudget *budget, gsize len)
{
    atomic_fetch_add(&budget->rings, len);
}

void
resume_budget_give_ring(ResumeBudget *budget, gsize len)
{
    atomic_fetch_sub(&budget->rings, len);
}

guint8 *
resume_budget_new_chunk(ResumeBudget *budget)
{
    guint8 *chunk = NULL;

    pthread_mutex_lock(&budget->lock);
    if (budget->pooled > 0)
        chunk = budget->pool[--budget->pooled];
    pthread_mutex_unlock(&budget->lock);
    return chunk ? chunk : g_malloc(RESUME_CHUNK);
}

void
resume_budget_free_chunk(ResumeBudget *budget, guint8 *chunk)
{
    pthread_mutex_lock(&budget->lock);
    if (budget->pooled < RESUME_POOL)
        budget->pool[budget->pooled++] = g_steal_pointer(&chunk);
    pthread_mutex_unlock(&budget->lock);
    g_free(chunk);
}

ResumeUse
resume_budget_use(ResumeBudget *budget)
{
    ResumeUse use = {
        .windows = atomic_load(&budget->windows),
        .rings = atomic_load(&budget->rings),
        .streams = atomic_load(&budget->streams),
    };

    pthread_mutex_lock(&budget->lock);
    use.pool = budget->pooled;
    pthread_mutex_unlock(&budget->lock);
    return use;
}
