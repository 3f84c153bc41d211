/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/runtime.h"

Runtime *
runtime_new(guint threads)
{
    Runtime *runtime = g_new0(Runtime, 1);

    runtime->home = queue_new();
    runtime->source = queue_source_new(runtime->home);
    g_source_attach(runtime->source, NULL);
    runtime->pool = reactor_pool_new(threads, "streamd");
    runtime->door = reactor_new("streamd-door");
    return runtime;
}

static gboolean
runtime_drain_over(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
runtime_drain(Runtime *runtime)
{
    gboolean over = FALSE;
    guint limit = g_timeout_add((guint)(RUNTIME_DRAIN / 1000), runtime_drain_over, &over);

    while (runtime->away > 0 && !over)
        g_main_context_iteration(NULL, TRUE);
    if (!over)
        g_source_remove(limit);
}

void
runtime_free(Runtime *runtime)
{
    if (!runtime)
        return;
    runtime_drain(runtime);
    reactor_free(runtime->door);
    reactor_pool_free(runtime->pool);
    /* Delivers the last messages of links and relays. None is from a job, which would use its
     * reactor. */
    while (runtime->away == 0 && queue_run(runtime->home) > 0)
        ;
    g_source_destroy(runtime->source);
    g_source_unref(runtime->source);
    queue_free(runtime->home);
    g_free(runtime);
}

Reactor *
runtime_pick(Runtime *runtime)
{
    return reactor_pool_pick(runtime->pool);
}
