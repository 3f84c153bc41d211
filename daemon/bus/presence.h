/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus presence: keeps streamd on its bus (fault F29). Main thread.
 *
 * When the bus dies, waiting calls, foreground tunnels, handlers and agents end, as when their apps
 * leave. Streams and hub links go on. When the bus is back, streamd takes its name again. A missing
 * bus, or a name that is taken, is an error only at the start. */
#pragma once

#include "daemon/bus/server.h"

typedef struct BusPresence BusPresence;

#define PRESENCE_RETRY_MIN                                                                         \
    50                          /* ms from the loss to the first try; each pause is twice the last \
                                 */
#define PRESENCE_RETRY_MAX 1000 /* up to this */

typedef struct {
    void (*appeared)(BusContext *context, void *data); /* there is a server, without a name yet */
    void (*left)(void *data);                          /* it goes; after each `appeared` */
    void (*named)(void *data);                         /* the name is ours, for the first time */
    void (*refused)(const char *why, void *data);      /* it never was: this is the end */
} BusPresenceEvents;

/* BUS is taken, started; its loop is the default main context. APP outlives it. Asks for the name.
 */
BusPresence *bus_presence_new(sd_bus *bus, App *app, const BusServerOptions *options,
                              const BusPresenceEvents *events, void *data);
void bus_presence_free(BusPresence *presence); /* NULL is fine */

/* An address of D-Bus without the identities (guid=) of its servers: another one will be there when
 * the bus was started again. Pure. Caller frees. */
char *bus_presence_address(const char *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusPresence, bus_presence_free)
