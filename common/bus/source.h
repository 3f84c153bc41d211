/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus source: drives one sd-bus connection from a GLib main loop, without sd-event.
 *
 * A connection belongs to one thread: the one that iterates the source's context. Attach the source
 * before the connection is used asynchronously. Never call sd_bus_call from that loop. */
#pragma once

#include <systemd/sd-bus.h>

#include <glib.h>

/* The connection broke (ERROR is a negative errno). Called once; then the source is removed. */
typedef void (*BusSourceLost)(sd_bus *bus, int error, void *data);

/* Takes a reference to BUS, which must be started and stay open. The caller attaches the source and
 * owns the reference to it. To shut down: g_source_destroy, then sd_bus_flush_close_unref. */
GSource *bus_source_new(sd_bus *bus, BusSourceLost lost, void *data);
