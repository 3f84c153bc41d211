/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by hub/edge/edge.c (listeners), hub/edge/connection.c (one connection) and
 * hub/edge/request.c.
 */
#pragma once

#include "common/codec/http-chunks.h"
#include "common/codec/http-head.h"
#include "hub/edge/edge.h"
#include "hub/edge/refusal.h"
#include "hub/edge/meter.h"
#include "hub/edge/terms.h"

#include <stdatomic.h>

#define EDGE_LISTENERS_MAX 16

/* Bytes of bodies that are kept until they are complete: of each so many freely, and of all
 * together so many beyond that. Whose body does not fit gets 503. */
#define EDGE_BODY_FREE 4096
#define EDGE_BODIES_MAX (8 * 1024 * 1024)

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
    EdgeTerms *terms;
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
    Admission *admission;
    const EdgeEvents *events;
    void *data;
    EdgeTerms *terms; /* those that the workers have, or will have at the start */
    gboolean started;
    int fds[EDGE_LISTENERS_MAX];
    guint n_fds;
    gboolean shares; /* its addresses, with another edge */
    EdgeMeter meter;
    OpeningMeter openings; /* the main thread's */
    EdgeWorker *workers;
    guint n_workers;
    guint stopping;         /* workers that have not answered yet */
    atomic_uint body_bytes; /* of all bodies together, without the first EDGE_BODY_FREE of each */
    atomic_uint live; /* connections, and one for the edge itself until its workers have stopped */
    void (*stopped)(void *data);
    void *stopped_data;
};

typedef enum {
    PHASE_GREETING, /* a balancer has yet to say who connects */
    PHASE_HANDSHAKE,
    PHASE_SNIFF, /* the first byte says which protocol */
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_ASKED, /* the main thread has the request; not read */
    PHASE_GONE,  /* the socket is not ours any more */
} EdgePhase;

struct EdgeConnection {
    Request request; /* first: main's pointer to it is ours */
    EdgeWorker *worker;
    atomic_uint references;

    /* the reactor's */
    EdgePhase phase;
    Connection *connection;
    Slot *slot;
    Timer timer;
    GList link;
    gint64 begun;     /* the TLS handshake */
    GString *buffer;  /* the head and what came with it: bytes, with tokens and keys (secret.h) */
    gboolean chunked; /* then `chunks` says where the body ends, else `body_left` */
    HttpChunks chunks;
    guint64 body_left;
    guint body_charged; /* to Edge.body_bytes */
    gint64 body_until;  /* when the rest must have come, on the reactor's clock */
    GString *accept;    /* the 101 */
    guint requests;
    gboolean keep_alive;
    gboolean waiting_idle; /* between two requests, nothing of the next has come */

    /* main's while a request is under way */
    Message asked;
    Message answered;
    GString *answer; /* NULL: an upgrade */
    gboolean is_answered;
    gboolean authenticated;
    RequestUpgraded upgraded;
    void *upgraded_data;
};

/* Any thread: one of Edge.live less; the last one tells the main thread. */
void edge_release(Edge *edge);

/* On the worker's reactor; takes CONNECTION and SLOT. GREETED: it comes through a balancer. */
void edge_connection_new(EdgeWorker *worker, Connection *connection, Slot *slot, gboolean greeted);

/* On its reactor: ends it if it waits for a request, else after the answer. */
void edge_connection_stop(EdgeConnection *connection);

/* The peer is refused: tells the main thread why. HEAD may name who it claims to be; NULL: it does
 * not. On its reactor, before the connection ends. */
void edge_tell_refused(EdgeConnection *edge, const HttpRequest *head, const char *why);

/* The same, and answers REFUSAL, and ends the connection. */
void
edge_refuse(EdgeConnection *edge, const HttpRequest *head, const Refusal *refusal, const char *why);

/* FALSE: this head was refused, and the connection is gone. On its reactor. */
gboolean edge_admit_head(EdgeConnection *edge, const HttpRequest *head);

/* Keeps what main needs of a head. On its reactor. */
void edge_request_fill(EdgeConnection *edge, const HttpRequest *head);
void edge_request_clear(Request *request);

/* HEAD is complete: what its body will be. */
void edge_request_expect_body(EdgeConnection *edge, const HttpRequest *head);

typedef enum { EDGE_BODY_MORE, EDGE_BODY_WHOLE, EDGE_BODY_REFUSED } EdgeBody;

/* Takes what is there of the body off `buffer`, keeps it where the route has one, and wipes it.
 * *RET_LEN: so many bytes of the body. *RET_REFUSAL is set with EDGE_BODY_REFUSED. On its reactor.
 */
EdgeBody edge_request_take_body(EdgeConnection *edge, gsize *ret_len, HttpRefusal *ret_refusal);

/* The request is over: clears it, and gives back what its body took. */
void edge_request_release(EdgeConnection *edge);
