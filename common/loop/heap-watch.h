/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heap watch: gives memory back to the system after a crowd has gone.
 *
 * Memory that is freed between live blocks stays in the heap of its thread, because glibc returns
 * only the end of a heap to the system. So a process would stay as large as it once was. Every
 * HEAP_PERIOD_S the number of connections and streams is compared with its peak. When half of them,
 * and at least HEAP_FALL, have gone, free pages are returned. This is repeated a few times, because
 * some of them are still closing then. Main thread. */
#pragma once

#include <glib.h>

#define HEAP_FALL 64
#define HEAP_AGAIN 3
#define HEAP_PERIOD_S 5

/* The decision. Pure. */
typedef struct {
    guint peak;
    guint again; /* looks at which there is more to give back */
} HeapLevel;

typedef struct {
    guint most; /* at once, since the last look: a crowd may come and go between two */
    guint now;
} HeapLoad;

/* Whether to give memory back. */
gboolean heap_level_fell(HeapLevel *level, const HeapLoad *load);

typedef struct HeapWatch HeapWatch;

/* Looks every HEAP_PERIOD_S, on the default main context. */
HeapWatch *heap_watch_new(HeapLoad (*load)(void *data), void *data);
void heap_watch_free(HeapWatch *watch); /* NULL is fine */
