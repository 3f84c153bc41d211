/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus presence: keeps streamd on its bus (fault F29). Main thread.
 *
 * When the bus dies, waiting calls, foreground tunnels, handlers and agents end, as when their apps
 * leave. Streams and hub links go on. When the bus is back, streamd takes its name again. Only at
 * the start is a missing bus, or a name that is taken, an error. */
#pragma once

#include "daemon/bus/server.h"

typedef struct BusPresence BusPresence;

#define PRESENCE_RETRY_MIN 50   /* ms to the first try; each pause is twice the last */
#define PRESENCE_RETRY_MAX 1000 /* the longest pause */

typedef struct {
    void (*appeared)(BusContext *context, void *data); /* there is a server; it has no name yet */
    void (*left)(void *data);                     /* the server goes; comes after each `appeared` */
    void (*named)(void *data);                    /* streamd owns the name, for the first time */
    void (*refused)(const char *why, void *data); /* it never got the name: streamd has to stop */
} BusPresenceEvents;

/* Asks for the name. BUS is taken; it is started, and its loop is the default main context. APP
 * outlives it. */
BusPresence *bus_presence_new(sd_bus *bus, App *app, const BusServerOptions *options,
                              const BusPresenceEvents *events, void *data);
void bus_presence_free(BusPresence *presence); /* NULL is fine */

/* A D-Bus address without the identities (guid=) of its servers, which change when the bus is
 * restarted. Pure. Caller frees. */
char *bus_presence_address(const char *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusPresence, bus_presence_free)
