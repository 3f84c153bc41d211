/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus presence: keeps streamd on its bus (fault F29). Main thread.
 *
 * When the bus dies, what apps had through it ends as it does when they leave: calls that wait,
 * foreground tunnels, handlers and agents. Streams and hubs go on, and with the bus the name comes
 * back. Only at the start is it an error that there is no bus, or that somebody else has the name.
 */
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
