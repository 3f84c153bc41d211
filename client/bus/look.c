/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The changes of one object, for a program that waits for something else. */
#include "client/bus/private.h"

gboolean
bus_listen_to(Bus *bus, const char *path)
{
    g_autofree char *match =
        g_strdup_printf("type='signal',sender='" BUS_NAME "',path='%s',interface='" BUS_PROPERTIES
                        "',member='PropertiesChanged'",
                        path);

    return sd_bus_add_match(bus->bus, NULL, match, bus_on_signal, bus) >= 0;
}

int
bus_descriptor(Bus *bus)
{
    return sd_bus_get_fd(bus->bus);
}

gboolean
bus_look(Bus *bus, BusEventFunc func, void *data)
{
    int r;

    do
        r = sd_bus_process(bus->bus, NULL);
    while (r > 0);
    return bus_deliver(bus, func, data) && r >= 0;
}
