/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by hub/edge.c (listeners) and hub/edge-connection.c (one connection). */
#pragma once

#include "hub/edge.h"

#include <stdatomic.h>

#define EDGE_LISTENERS_MAX 16

typedef struct EdgeWorker EdgeWorker;
typedef struct EdgeConnection EdgeConnection;

typedef struct {
    Watch watch;
    EdgeWorker *worker;
    gboolean added;
} EdgeListener;

/* One per reactor; its fields are that reactor's. */
struct EdgeWorker {
    Edge *edge;
    Reactor *reactor;
    TlsContext *tls;
    EdgeListener listeners[EDGE_LISTENERS_MAX];
    guint n_listeners;
    Timer pause; /* after accept failed for want of descriptors */
    gboolean paused;
    gboolean stopping;
    GQueue connections; /* of EdgeConnection.link */
};

struct Edge {
    const Settings *settings;
    ReactorPool *reactors;
    Queue *queue;
    Places *places;
    const EdgeEvents *events;
    void *data;
    TlsContext *tls;
    int fds[EDGE_LISTENERS_MAX];
    guint n_fds;
    EdgeWorker *workers;
    guint n_workers;
    guint stopping; /* workers that have not answered yet */
    void (*stopped)(void *data);
    void *stopped_data;
};

/* On the worker's reactor; takes FD and PLACE. */
void edge_connection_new(EdgeWorker *worker, Connection *connection, const Place *place);

/* On its reactor: ends it if it waits for a request, else after the answer. */
void edge_connection_stop(EdgeConnection *connection);
