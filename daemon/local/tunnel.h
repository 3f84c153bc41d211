/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnel: a local listener; each connection to it becomes a stream.
 *
 * A connection whose stream cannot be opened is reset, and the tunnel's last error says why. TCP
 * listens on loopback only. On TCP and on Unix sockets only processes of the owner (and of root)
 * may connect, unless the tunnel is shared (listener.h, peer-uid.h). All connections are accepted
 * at once, while the kernel still knows their owner. When too many are opening, the others wait
 * here; those beyond the user's limit of streams are reset. Main thread. */
#pragma once

#include "daemon/stream/stream.h"

typedef struct Tunnel Tunnel;

#define TUNNEL_OPENING_MAX 32 /* streams that are being opened at a time, per tunnel */

typedef struct {
    const char *hub;    /* NULL: the only service hub */
    const char *device; /* DEVICE or DEVICE/MODULE */
    const char *stream;
    const char
        *listen;     /* `tcp:ADDRESS:PORT` (numeric; port 0: any), `PORT`, `unix:PATH`; NULL: any */
    gboolean shared; /* any address, any local user or host */
    gboolean persistent; /* kept in the store for OWNER_UID; otherwise the bus layer closes it with
                            its owner */
    gint64 timeout;      /* as in OpenOptions, for each connection */
    gint64 wait;
    gboolean no_resume; /* likewise */
    guint32 owner_uid;
} TunnelOptions;

guint64 tunnel_id(const Tunnel *tunnel);
const char *tunnel_hub(const Tunnel *tunnel);
const char *tunnel_device(const Tunnel *tunnel);
const char *tunnel_stream(const Tunnel *tunnel);
/* As bound: "tcp:127.0.0.1:40123"; of two loopback addresses the one that was asked for. */
const char *tunnel_listen_address(const Tunnel *tunnel);
guint32 tunnel_owner_uid(const Tunnel *tunnel);
gboolean tunnel_shared(const Tunnel *tunnel);
gboolean tunnel_persistent(const Tunnel *tunnel);
guint tunnel_streams(const Tunnel *tunnel);          /* not ended */
guint64 tunnel_accepted(const Tunnel *tunnel);       /* connections so far */
const char *tunnel_last_error(const Tunnel *tunnel); /* "" none */

/* Stops listening, forgets a persistent one, ends its streams (REASON_CLOSED_BY_USER), frees it:
 * Observer.tunnel_removed is the last call for it. */
void tunnel_close(Tunnel *tunnel);
