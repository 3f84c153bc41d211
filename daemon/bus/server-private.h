/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the bus layer share of the server. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/lease.h"
#include "daemon/bus/server.h"

const BusServerOptions *bus_server_options(BusServer *server);
struct Bouncer *bus_server_bouncer(BusServer *server);
GHashTable *bus_server_calls(BusServer *server); /* the set of its BusCalls */
BusLeases *bus_server_leases(BusServer *server);
struct Quotas *bus_server_quotas(BusServer *server);
struct Agents *bus_server_agents(BusServer *server);
struct BusHandlers *bus_server_handlers(BusServer *server);
struct Outcalls *bus_server_outcalls(BusServer *server);
struct Viewers *bus_server_viewers(BusServer *server);
