/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runtime: the threads, as the modules of the core see them.
 *
 * The main thread's queue, the reactors, and a count of objects that are on a reactor and will
 * return with a message. runtime_free waits for them, so that none is lost with the threads. */
#pragma once

#include "common/loop/reactor.h"

typedef struct {
    Queue *home;       /* of the main thread, attached to its default context */
    ReactorPool *pool; /* any thread */
    Reactor *door;     /* takes local connections, and nothing else */
    guint away;        /* main: jobs and relays that have not come home */
    GSource *source;   /* the runtime's */
} Runtime;

/* How long runtime_free runs the main loop for what is away. */
#define RUNTIME_DRAIN (3 * G_TIME_SPAN_SECOND)

Runtime *runtime_new(guint threads); /* 0: one per CPU */
void
runtime_free(Runtime *runtime); /* all that is away was cancelled or closed before; NULL is fine */

Reactor *runtime_pick(Runtime *runtime);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runtime, runtime_free)
