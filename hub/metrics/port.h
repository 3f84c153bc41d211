/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics port: the listener of `metrics-listen`, for a Prometheus on another machine. It serves
 * GET /metrics to whoever has the token, over TLS with the hub's certificate, and nothing else.
 *
 * It is an edge of its own (hub/edge/edge.h), so it has the same limits of time and the same strict
 * HTTP, and slots of its own: METRICS_CONNECTIONS connections, of which METRICS_PER_SOURCE from one
 * source may be unauthenticated. Neither can it take a slot of the devices, nor they one of its.
 * Wrong tokens have penalties of their own (hub/edge/penalties.h), where each token is an identity:
 * who guesses here is slowed down here.
 * All calls: main thread. */
#pragma once

#include "common/loop/reactor.h"
#include "common/net/tls-context.h"
#include "hub/base/settings.h"
#include "hub/edge/refusal-log.h"

#define METRICS_CONNECTIONS 32
#define METRICS_PER_SOURCE 8
#define METRICS_TOKEN_MIN 16 /* bytes */
#define METRICS_TOKEN_MAX 512

typedef struct MetricsPort MetricsPort;

typedef struct {
    const Settings *settings; /* copied, without its texts */
    ReactorPool *reactors;
    Queue *queue;
    TlsContext *tls;           /* a reference is taken */
    char *(*text)(void *data); /* the answer, for g_free */
    void *data;
    RefusalLog *refusals; /* kept by reference until metrics_port_stop; NULL: they are not told */
    MetricsPort *former;  /* the address may overlap that of this one, which stays; NULL: none */
} MetricsPortOptions;

/* The token in FILE, which has to be as secret as secret-file.h says; free it with secret_free. */
char *metrics_token_read(const char *file, GError **error);

/* Listens on ADDRESS, and serves from metrics_port_start on. *ret_bound as edge_listen. TOKEN is
 * copied. */
MetricsPort *metrics_port_new(const MetricsPortOptions *options, const char *address,
                              const char *token, char **ret_bound, GError **error);

void metrics_port_start(MetricsPort *port);

/* From now on. */
void metrics_port_set_token(MetricsPort *port, const char *token);
void metrics_port_set_tls(MetricsPort *port, TlsContext *tls);

/* Stops listening, and frees itself when the last connection has ended; then DONE (may be NULL) is
 * called, maybe from within this call. The text is not asked for any more. */
void metrics_port_stop(MetricsPort *port, void (*done)(void *data), void *data);
