/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole chain in one process: application - streamd - hub - streamd - target, on TCP over
 * loopback, for tests of the relay. */
#pragma once

#include "common/net/relay.h"

typedef struct {
    Relay *relay;
    RelayMeter meter;
    Reason reason; /* REASON_NONE while it runs */
} Hop;

typedef struct {
    GMainContext *context;
    Queue *queue;
    GSource *source;
    Reactor *reactor;
    TlsContext *server, *client; /* NULL: without TLS */
    char *folder;
    Hop hops[3];     /* service streamd, hub, device streamd */
    int app, target; /* the outer ends: blocking sockets */
} Chain;

/* CAPS of the service's leg and of the device's leg. TIMES may be NULL. */
Chain *chain_new(gboolean tls, Caps service, Caps device, const RelayTimes *times);
/* Both legs have all capabilities; only the device streamd has LIMITS. */
Chain *chain_new_limited(gboolean tls, const RelayLimits *limits);
void chain_free(Chain *chain);              /* closes app and target unless they are -1 */
Reason chain_wait(Chain *chain, guint hop); /* until that hop has ended */

void chain_tcp_pair(int ret_fds[2]);
void chain_write_all(int fd, const void *data, gsize len);

/* Runs FUNC on the reactor, and waits until it is done. */
void chain_call(Reactor *reactor, void (*func)(void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Chain, chain_free)
