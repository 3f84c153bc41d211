/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnel, as the core sees it. Main thread. */
#pragma once

#include "common/net/connection.h"
#include "daemon/local/listener.h"
#include "daemon/local/tunnel.h"
#include "daemon/net/runtime.h"

/* What a tunnel needs of the app. */
typedef struct {
    Runtime *runtime;
    /* A stream for LOCAL (taken), the PLACEth connection of this tunnel: its id. 0: there is none,
     * LOCAL was reset. */
    guint64 (*add)(Tunnel *tunnel, Connection *local, guint64 place, void *data, GError **error);
    /* Opens it, with tunnel_opened as the end of that. FALSE: it has ended already. */
    gboolean (*begin)(Tunnel *tunnel, guint64 stream, void *data);
    void (*changed)(Tunnel *tunnel, void *data);
    void (*closed)(Tunnel *tunnel, void *data); /* the app frees it */
    void *data;
} TunnelContext;

/* RESTORED: a kept tunnel whose address is taken just now tries again, instead of failing. */
Tunnel *tunnel_new(const TunnelContext *context, guint64 id, const TunnelOptions *options,
                   gboolean restored, GError **error);
void tunnel_free(Tunnel *tunnel); /* NULL is fine */

/* One of a former process, which goes on with its sockets: LISTENER is taken; NULL: it had none,
 * and tries to listen. It had ACCEPTED connections, of which STREAMS have not ended. */
Tunnel *tunnel_restore(const TunnelContext *context, guint64 id, const TunnelOptions *options,
                       Listener *listener, guint64 accepted, guint streams);
/* Takes no more connections: who comes now waits in the kernel for who takes the sockets over.
 * Those that it has taken become streams yet. It is to rest, or to be freed. */
void tunnel_hold(Tunnel *tunnel);
/* Takes no more connections, because the next process will: it is to be freed, and its sockets stay
 * where they are. NULL: it has none. */
const Listener *tunnel_rest(Tunnel *tunnel);

/* As tunnel_new got them, with the address as bound; the strings are the tunnel's. */
TunnelOptions tunnel_options(const Tunnel *tunnel);

/* The place of the stream that begins now, as it is told to the other end. Caller frees. */
char *tunnel_next_order(Tunnel *tunnel);

/* The stream of the PLACEth connection is open (ERROR NULL) or failed. */
void tunnel_opened(Tunnel *tunnel, guint64 place, const GError *error);
void tunnel_stream_ended(Tunnel *tunnel, guint64 stream);

#define TUNNEL_RETRY_SECONDS 2 /* of a restored tunnel whose address is taken */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tunnel, tunnel_free)
