/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/heap-watch.h"

#include <malloc.h>

struct HeapWatch {
    HeapLevel level;
    HeapLoad (*load)(void *data);
    void *data;
    guint timer;
};

gboolean
heap_level_fell(HeapLevel *level, const HeapLoad *load)
{
    level->peak = MAX(level->peak, load->most);
    if (load->now <= level->peak / 2 && level->peak - load->now >= HEAP_FALL) {
        level->peak = load->now;
        level->again = HEAP_AGAIN;
    } else if (level->again > 0) {
        level->again--;
    } else {
        return FALSE;
    }
    return TRUE;
}

static gboolean
heap_watch_look(gpointer data)
{
    HeapWatch *watch = data;
    const HeapLoad load = watch->load(watch->data);
    gint64 since = g_get_monotonic_time();

    if (!heap_level_fell(&watch->level, &load))
        return G_SOURCE_CONTINUE;
    (void)malloc_trim(0);
    g_debug("free memory went back in %" G_GINT64_FORMAT " us", g_get_monotonic_time() - since);
    return G_SOURCE_CONTINUE;
}

HeapWatch *
heap_watch_new(HeapLoad (*load)(void *data), void *data)
{
    HeapWatch *watch = g_new0(HeapWatch, 1);

    watch->load = load;
    watch->data = data;
    watch->timer = g_timeout_add_seconds(HEAP_PERIOD_S, heap_watch_look, watch);
    return watch;
}

void
heap_watch_free(HeapWatch *watch)
{
    if (!watch)
        return;
    g_source_remove(watch->timer);
    g_free(watch);
}
