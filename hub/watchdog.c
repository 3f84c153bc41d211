/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/watchdog.h"

#include <systemd/sd-daemon.h>

struct Watchdog {
    ReactorPool *reactors;
    guint64 *seen; /* the heartbeat of each at the last look */
    guint source;
};

/* A reactor that stands still withholds the sign of life of the whole. */
static gboolean
on_time(void *data)
{
    Watchdog *watchdog = data;
    gboolean alive = TRUE;

    for (guint i = 0; i < reactor_pool_size(watchdog->reactors); i++) {
        guint64 beat = reactor_heartbeat(reactor_pool_get(watchdog->reactors, i));

        alive = alive && beat != watchdog->seen[i];
        watchdog->seen[i] = beat;
    }
    if (alive)
        (void)sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

Watchdog *
watchdog_new(ReactorPool *reactors)
{
    uint64_t limit = 0;
    Watchdog *watchdog;

    if (sd_watchdog_enabled(0, &limit) <= 0)
        return NULL;
    watchdog = g_new0(Watchdog, 1);
    watchdog->reactors = reactors;
    watchdog->seen = g_new0(guint64, reactor_pool_size(reactors));
    /* A reactor beats once a second at least, so no look comes sooner than two. */
    watchdog->source = g_timeout_add((guint)MAX(limit / 1000 / 3, 2000), on_time, watchdog);
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
