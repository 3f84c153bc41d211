/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus server: puts an App on the bus and keeps it there. Main thread. */
#pragma once

#include "common/bus/util.h"
#include "daemon/app.h"

typedef struct BusServer BusServer;

/* The connection to the bus, or the name, is lost: what there is goes on, but cannot be reached.
 * Called once. */
typedef void (*BusServerLost)(const char *why, void *data);

typedef struct {
    gboolean system;        /* serves every user, and asks polkit; else one user */
    gboolean ask_everybody; /* for tests, where all callers are one user: nobody passes unasked */
    gint64 polkit_timeout;  /* µs; 0: BOUNCER_TIMEOUT */
} BusServerOptions;

/* BUS is started; its loop is the default main context. APP outlives the server, which becomes its
 * observer. Does not take the name yet. */
BusServer *bus_server_new(sd_bus *bus, App *app, const BusServerOptions *options,
                          BusServerLost lost, void *data);

/* Asks for the name; OWNED is called when it is ours. When somebody else has it: lost. */
int bus_server_take_name(BusServer *server, void (*owned)(void *data), void *data);

/* Callers that wait get no reply. NULL is fine. */
void bus_server_free(BusServer *server);

App *bus_server_app(BusServer *server);
sd_bus *bus_server_bus(BusServer *server);
struct Callers *bus_server_callers(BusServer *server);
guint64 bus_server_policy_revision(BusServer *server);
guint64 bus_server_started_at(BusServer *server); /* CLOCK_REALTIME µs */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusServer, bus_server_free)
