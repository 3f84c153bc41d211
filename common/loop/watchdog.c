/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/watchdog.h"

#define LOOKS_PER_LIMIT 3

struct Watchdog {
    ReactorPool *reactors;
    guint64 *seen; /* each reactor's heartbeat at the last check */
    void (*alive)(void *data);
    void *data;
    guint source;
};

static void
turn(void *data G_GNUC_UNUSED)
{
}

/* Whether the reactor has turned since the last check. If so, wakes it for the next check. A
 * reactor that stands still still has the last wake-up to read, so they do not pile up. */
static gboolean
look(Watchdog *watchdog, guint index)
{
    Reactor *reactor = reactor_pool_get(watchdog->reactors, index);
    guint64 beat = reactor_heartbeat(reactor);

    if (beat == watchdog->seen[index])
        return FALSE;
    watchdog->seen[index] = beat;
    reactor_call(reactor, turn, NULL);
    return TRUE;
}

static gboolean
on_time(void *data)
{
    Watchdog *watchdog = data;
    gboolean alive = TRUE;

    for (guint i = 0; i < reactor_pool_size(watchdog->reactors); i++)
        alive = look(watchdog, i) && alive;
    if (alive)
        watchdog->alive(watchdog->data);
    return G_SOURCE_CONTINUE;
}

Watchdog *
watchdog_new(ReactorPool *reactors, gint64 limit, void (*alive)(void *data), void *data)
{
    Watchdog *watchdog = g_new0(Watchdog, 1);
    guint count = reactor_pool_size(reactors);

    watchdog->reactors = reactors;
    watchdog->alive = alive;
    watchdog->data = data;
    watchdog->seen = g_new(guint64, count);
    /* The first check finds every reactor alive, and wakes it. */
    for (guint i = 0; i < count; i++)
        watchdog->seen[i] = G_MAXUINT64;
    watchdog->source = g_timeout_add_full(G_PRIORITY_HIGH,
                                          (guint)CLAMP(limit / 1000 / LOOKS_PER_LIMIT, 1, G_MAXINT),
                                          on_time, watchdog, NULL);
    return watchdog;
}

void
watchdog_free(Watchdog *watchdog)
{
    if (!watchdog)
        return;
    g_source_remove(watchdog->source);
    g_free(watchdog->seen);
    g_free(watchdog);
}
