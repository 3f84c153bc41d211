/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/reactor.h"

#include <stdatomic.h>

#define REACTOR_POOL_MAX 64

struct ReactorPool {
    guint count;
    atomic_uint next;
    Reactor *reactors[REACTOR_POOL_MAX];
};

ReactorPool *
reactor_pool_new(guint count, const char *name)
{
    ReactorPool *pool = g_new0(ReactorPool, 1);

    pool->count = CLAMP(count > 0 ? count : g_get_num_processors(), 1, REACTOR_POOL_MAX);
    for (guint i = 0; i < pool->count; i++) {
        g_autofree char *full = g_strdup_printf("%s-%u", name, i);
        pool->reactors[i] = reactor_new(full);
    }
    return pool;
}

void
reactor_pool_free(ReactorPool *pool)
{
    if (!pool)
        return;
    for (guint i = 0; i < pool->count; i++)
        reactor_free(pool->reactors[i]);
    g_free(pool);
}

guint
reactor_pool_size(ReactorPool *pool)
{
    return pool->count;
}

Reactor *
reactor_pool_get(ReactorPool *pool, guint index)
{
    return pool->reactors[index % pool->count];
}

Reactor *
reactor_pool_pick(ReactorPool *pool)
{
    return reactor_pool_get(pool, atomic_fetch_add(&pool->next, 1));
}
