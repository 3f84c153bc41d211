/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Edge: what the hub listens with. TLS, limits before authentication, strict HTTP/1.1 with one
 * request at a time, and the fork to MQTT, by ALPN or the first byte (requirements R1 to R7).
 *
 * It lives on the reactors: every listener is shared by all of them. What it lets through comes to
 * the main thread. Calls: main thread. */
#pragma once

#include "common/loop/reactor.h"
#include "hub/edge/http-request.h"

typedef struct Edge Edge;

typedef struct {
    void (*request)(Request *request, void *data);      /* main thread; answer it once */
    void (*mqtt)(const Handover *handover, void *data); /* main thread; the connection is taken */
} EdgeEvents;

/* Kept by reference: all but TLS, of which a reference is taken. */
Edge *edge_new(const Settings *settings, ReactorPool *reactors, Queue *queue, TlsContext *tls,
               Admission *admission, const EdgeEvents *events, void *data);

/* After edge_stop has called its DONE, or when it was never started. */
void edge_free(Edge *edge);

/* "127.0.0.1:443", "[::1]:0". *ret_bound as given, with the real port; caller frees. "[::]:443"
 * takes IPv4 as well, unless SIX_ONLY; another address than [::] never does. */
gboolean
edge_listen(Edge *edge, const char *address, gboolean six_only, char **ret_bound, GError **error);

/* FD is a listening TCP socket that somebody else has bound, the service manager; it is the edge's
 * from then on, whatever comes of it. *ret_bound in numbers. */
gboolean edge_adopt(Edge *edge, int fd, char **ret_bound, GError **error);

gboolean edge_start(Edge *edge, GError **error);
void edge_set_tls(Edge *edge, TlsContext *tls);

/* Stops listening and ends the connections that wait for a request; those with one under way end
 * after its answer. DONE on the main thread when no connection is the edge's any more. */
void edge_stop(Edge *edge, void (*done)(void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edge, edge_free)
