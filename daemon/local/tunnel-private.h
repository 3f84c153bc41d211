/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnel, as the core sees it. Main thread. */
#pragma once

#include "common/net/connection.h"
#include "daemon/local/tunnel.h"

/* What a tunnel needs of the app. */
typedef struct {
    /* A stream for LOCAL (taken), with tunnel_opened as its end. FALSE: nothing was begun, LOCAL
     * was reset. */
    gboolean (*open)(Tunnel *tunnel, Connection *local, void *data, GError **error);
    void (*changed)(Tunnel *tunnel, void *data);
    void (*closed)(Tunnel *tunnel, void *data); /* the app frees it */
    void *data;
} TunnelContext;

/* RESTORED: a kept tunnel whose address is taken just now tries again, instead of failing. */
Tunnel *tunnel_new(const TunnelContext *context, guint64 id, const TunnelOptions *options,
                   gboolean restored, GError **error);
void tunnel_free(Tunnel *tunnel); /* NULL is fine */

/* As tunnel_new got them, with the address as bound; the strings are the tunnel's. */
TunnelOptions tunnel_options(const Tunnel *tunnel);

/* One of its streams is open (ERROR NULL) or failed. */
void tunnel_opened(Tunnel *tunnel, const GError *error);
void tunnel_stream_ended(Tunnel *tunnel);

#define TUNNEL_RETRY_SECONDS 2 /* of a restored tunnel whose address is taken */
#define TUNNEL_PAUSE 250       /* ms without accepting, when descriptors are short */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tunnel, tunnel_free)
