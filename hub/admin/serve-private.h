/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The running hub, shared by serve.c, serve-listen.c and serve-metrics.c alone. Main thread. */
#pragma once

#include "common/loop/watchdog.h"
#include "hub/admin/identity.h"
#include "hub/admin/serve-status.h"
#include "hub/admin/serve.h"
#include "hub/admin/server.h"
#include "hub/hub.h"
#include "hub/metrics/port.h"

#define SERVE_LISTENERS_MAX 16 /* as many as the edge takes */

typedef struct {
    const ServeOptions *options;
    GMainLoop *loop;
    int lock; /* the state folder; -1: not open */
    Identity *identity;
    Settings *settings;
    TlsTrust *trust; /* of devices; NULL: certificates are not asked for */
    Queue *queue;
    GSource *queue_source;
    Registry *registry;
    ReactorPool *reactors;
    Records *records; /* NULL: none are kept */
    Streamhub *hub;
    guint16 port;                             /* of the first listener */
    char *streams_at;                         /* where streams are sent, for admin_hub */
    char *listeners[SERVE_LISTENERS_MAX + 1]; /* the same, of what is listened on */
    guint n_listeners;
    AdminHub admin_hub;
    AdminServer *admin;
    guint admin_again; /* source: retries the admin socket */
    Watchdog *watchdog;
    guint signals[3]; /* sources */
    ServeStatus *status;
    gboolean stopping;
    gint64 started;       /* µs since the epoch */
    MetricsPort *metrics; /* NULL: there is none */
    char *metrics_bound;  /* its address, as it is bound */
} Serve;

/* The hub's name in connection strings and URLs. */
const char *serve_name(const Serve *serve);

/* serve-listen.c: opens what the options, or the service manager, say; adds a line for each to
 * LINES. */
gboolean serve_listen(Serve *serve, GString *lines, GError **error);

/* serve-metrics.c: what settings make of the metrics' listener. It is prepared as far as it can
 * fail, and then taken, or dropped. */
typedef struct {
    gboolean same;     /* the listener stays, with the new token */
    MetricsPort *port; /* the new one; NULL: none */
    char *bound;
    char *token; /* NULL: none */
} ServeMetrics;

gboolean
serve_metrics_prepare(Serve *serve, const Settings *settings, ServeMetrics *ret, GError **error);
void serve_metrics_take(Serve *serve, ServeMetrics *next);
void serve_metrics_clear(ServeMetrics *next);

/* For the end of the program: DONE is called when nobody is served any more. */
void serve_metrics_stop(Serve *serve, void (*done)(void *data), void *data);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ServeMetrics, serve_metrics_clear)
