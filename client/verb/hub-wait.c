/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/hub-wait.h"

#include <string.h>

#define POLL (20 * G_TIME_SPAN_MILLISECOND)

gboolean
hub_is_tried(GVariant *hub)
{
    return *bus_string(hub, "LastError") != '\0' ||
           strcmp(bus_string(hub, "State"), "connected") == 0;
}

gboolean
hub_is_decided(GVariant *hub)
{
    const char *state = bus_string(hub, "State");

    return strcmp(state, "connected") == 0 || strcmp(state, "refused") == 0;
}

GVariant *
hub_wait(Bus *bus, const char *path, gboolean (*func)(GVariant *hub))
{
    gint64 until = g_get_monotonic_time() + HUB_WAIT_MOST;

    for (;;) {
        g_autoptr(GVariant) hub = bus_properties(bus, path, BUS_HUB, NULL);

        if (hub == NULL || g_get_monotonic_time() > until || func(hub))
            return g_steal_pointer(&hub);
        g_usleep(POLL);
    }
}
