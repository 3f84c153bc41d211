/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases: tunnels that end when their caller leaves the bus. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

typedef struct BusLeases BusLeases;

BusLeases *bus_leases_new(App *app);
void bus_leases_free(BusLeases *leases); /* closes nothing; NULL is fine */

/* The tunnel closes when CALLER goes. */
void bus_leases_add(BusLeases *leases, guint64 tunnel, Caller *caller);

/* As if all callers went: their tunnels close. */
void bus_leases_end(BusLeases *leases);

/* The tunnel has closed. Nothing when it had no lease. */
void bus_leases_drop(BusLeases *leases, guint64 tunnel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusLeases, bus_leases_free)
