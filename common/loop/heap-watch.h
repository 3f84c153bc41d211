/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heap watch: gives memory back to the system after a crowd has gone.
 *
 * What is freed between things that stay lies in the heap of the thread that made it, and glibc
 * gives back only the end of a heap: after a crowd a process would stay as large as it was on its
 * worst day. So the number of what takes memory (connections, streams) is looked at now and then,
 * and when half of it and HEAP_FALL at least have gone, free pages are given back. What still says
 * goodbye at that moment goes a little later, so that is done again. Main thread. */
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
