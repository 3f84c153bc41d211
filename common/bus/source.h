/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus source: drives one sd-bus connection from a GLib main loop, without sd-event.
 *
 * One connection, one thread: the one that iterates the source's context. Attach it before the
 * connection is used asynchronously; never call sd_bus_call from that loop. */
#pragma once

#include <systemd/sd-bus.h>

#include <glib.h>

/* The connection broke (ERROR is negative errno); called once, the source is removed after it. */
typedef void (*BusSourceLost)(sd_bus *bus, int error, void *data);

/* Takes a reference to BUS, which is started and stays open. The caller attaches the source and
 * owns its reference. To shut down: g_source_destroy, then sd_bus_flush_close_unref. */
GSource *bus_source_new(sd_bus *bus, BusSourceLost lost, void *data);
