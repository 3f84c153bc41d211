/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Request: one HTTP request at the edge, as the main thread sees it.
 *
 * The edge fills it on its reactor and hands it over; until it is answered the connection is not
 * read. It is answered exactly once, by request_answer or request_upgrade, also when the client
 * has gone meanwhile; after that it is not touched any more. Main thread. */
#pragma once

#include "common/net/connection.h"
#include "hub/edge/admission.h"
#include "hub/edge/route.h"

typedef struct Request Request;

/* A connection on its way from the edge to whoever goes on with it. */
typedef struct {
    Connection *connection; /* detached; NULL: the client has gone */
    Reactor *reactor;       /* where it was, and where it best goes on */
    Slot *slot;             /* the connection's, with a reference for who takes it */
    gboolean framed;        /* a WebSocket; otherwise MQTT straight in TLS */
} Handover;

/* On the main thread. */
typedef void (*RequestUpgraded)(const Handover *handover, void *data);

struct Request {
    /* Constant. NULL where the request had no such thing. */
    RouteMatch match;
    char *authorization;    /* wiped afterwards */
    char *caps;             /* streamd-caps */
    char *order;            /* streamd-order */
    char *connect_timeout;  /* iothub-streaming-connect-timeout-in-seconds */
    char *response_timeout; /* iothub-streaming-response-timeout-in-seconds */
    char *api_version;
    char *after; /* of a list: the last one of the page before, decoded */
    char peer[64];
    /* The answerer's: called when the client goes away before the answer; NULL: does not matter. */
    void (*gone)(Request *request, void *data);
    void *data;
};

/* The request is authenticated: its connection waits no more (admission.h) and may be kept alive.
 */
void request_authenticated(Request *request);

/* Counts its connection for USER. FALSE: the user has as many as it may have; with FORCE never. Of
 * a user with many no connection is kept alive. */
gboolean request_take_user(Request *request, const char *user, gboolean force);

/* FIELDS: whole header lines, or NULL. BODY NULL: empty; otherwise JSON. */
void request_answer(Request *request, guint status, const char *fields, const char *body);

/* 101; the connection comes to FUNC. For routes with `upgrade`. */
void request_upgrade(Request *request, RequestUpgraded func, void *data);
