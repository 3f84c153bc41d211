/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus server: puts an App on the bus and keeps it there. Main thread. */
#pragma once

#include "daemon/bus/context.h"

typedef struct BusServer BusServer;

/* The connection to the bus is lost, or the name is not available. Everything goes on, but cannot
 * be reached over the bus. Do not free the server inside this call (presence.h). */
typedef void (*BusServerLost)(const char *why, void *data);

/* BUS is started; its loop is the default main context. APP outlives the server, which becomes its
 * observer. Does not ask for the name yet. */
BusServer *bus_server_new(sd_bus *bus, App *app, const BusServerOptions *options,
                          BusServerLost lost, void *data);

/* Asks for the name. OWNED is called when it is ours; when another process has it, BusServerLost is
 * called. */
int bus_server_take_name(BusServer *server, void (*owned)(void *data), void *data);

/* The connection to the bus is lost: the leases of apps end, as when the apps leave. */
void bus_server_end_apps(BusServer *server);

/* Waiting callers get no reply. NULL is fine. */
void bus_server_free(BusServer *server);

/* What the server's modules share; valid as long as the server. */
BusContext *bus_server_context(BusServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusServer, bus_server_free)
