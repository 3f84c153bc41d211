/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases: tunnels that end when their caller leaves the bus. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

typedef struct BusLeases BusLeases;

BusLeases *bus_leases_new(App *app);
void bus_leases_free(BusLeases *leases); /* closes nothing; NULL is fine */

/* Closes the tunnel when CALLER leaves the bus. */
void bus_leases_add(BusLeases *leases, guint64 tunnel, Caller *caller);

/* Closes all these tunnels, as if their callers had left. */
void bus_leases_end(BusLeases *leases);

/* The tunnel has closed. Does nothing when it has no lease. */
void bus_leases_drop(BusLeases *leases, guint64 tunnel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusLeases, bus_leases_free)
