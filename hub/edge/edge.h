/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Edge: the hub's listeners. It has TLS, the limits before authentication, and strict HTTP/1.1 with
 * one request at a time. ALPN or the first byte tells MQTT from HTTP (requirements R1 to R7).
 *
 * It runs on the reactors, which share every listener. Requests, legs and devices that it accepts
 * are handed to the main thread. All calls: main thread. */
#pragma once

#include "common/loop/reactor.h"
#include "hub/base/networks.h"
#include "hub/base/origins.h"
#include "hub/edge/http-request.h"
#include "hub/edge/refusal-log.h"
#include "hub/edge/meter.h"

typedef struct Edge Edge;

typedef struct {
    const RouteTable *routes;
    void (*request)(Request *request, void *data); /* main thread; answer it once */
    /* Main thread; the connection is taken. NULL: there are no devices here. */
    void (*device)(const Handover *handover, void *data);
    void (*refused)(const Refused *refused, void *data); /* main thread; NULL: not wanted */
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

/* With ON, EDGE and others that have this, too, may listen on addresses that overlap: while one
 * takes the place of another. For what it listens on and will. */
void edge_share_addresses(Edge *edge, gboolean on);

/* FD is a listening TCP socket that the service manager has bound. The edge owns it from then on,
 * also on failure. *ret_bound has numeric form. */
gboolean edge_adopt(Edge *edge, int fd, char **ret_bound, GError **error);

gboolean edge_start(Edge *edge, GError **error);

/* For connections from now on. */
void edge_set_tls(Edge *edge, TlsContext *tls);
void edge_set_balancers(Edge *edge, Networks *balancers); /* NULL: none */
void edge_set_origins(Edge *edge, Origins *origins);      /* NULL: none may come */

/* What it has counted since it was made; borrowed. */
const EdgeMeter *edge_meter(const Edge *edge);
const OpeningMeter *edge_openings(const Edge *edge);
guint edge_queued(const Edge *edge); /* messages that wait for its reactors */

/* Stops listening and ends the connections that have no request. A connection with a request ends
 * after the answer. DONE is called on the main thread when the edge has no connection left. */
void edge_stop(Edge *edge, void (*done)(void *data), void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edge, edge_free)
