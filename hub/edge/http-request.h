/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Request: one HTTP request at the edge, as the main thread sees it.
 *
 * The edge fills it on its reactor and hands it over. The connection is not read until the request
 * is answered. It must be answered exactly once, by request_answer or request_upgrade, even when
 * the client has gone; after that it must not be used. Main thread. */
#pragma once

#include "common/base/reason.h"
#include "common/net/connection.h"
#include "hub/edge/admission.h"
#include "hub/edge/meter.h"
#include "hub/edge/route.h"

typedef struct Request Request;

#define REQUEST_STREAM_ID 40 /* bytes of a stream's id, NUL included */

/* A connection that the edge hands to another module. */
typedef struct {
    Connection *connection; /* detached; NULL: the client has gone */
    Reactor *reactor;       /* where it was, and where it best goes on */
    Slot *slot;             /* the connection's, with a reference for who takes it */
    gboolean framed;        /* a WebSocket; otherwise MQTT straight in TLS */
    TlsClient *client;      /* MQTT: what it showed in TLS, for who takes it; NULL: nothing */
} Handover;

/* On the main thread. */
typedef void (*RequestUpgraded)(const Handover *handover, void *data);

struct Request {
    /* Constant. NULL where the request had no such thing. */
    RouteMatch match;
    char *authorization;    /* wiped afterwards */
    char *caps;             /* streamd-caps */
    char *order;            /* streamd-order */
    char *known;            /* streamd-statement: the serials that the service knows */
    char *resume;           /* streamd-resume */
    char *resume_key;       /* streamd-resume-key; wiped afterwards */
    char *resume_info;      /* streamd-resume-info */
    char *connect_timeout;  /* iothub-streaming-connect-timeout-in-seconds */
    char *response_timeout; /* iothub-streaming-response-timeout-in-seconds */
    char *api_version;
    char *after; /* of a list: the last one of the page before, decoded */
    char *top;   /* of a list: how many */
    char *if_match;
    char *if_none_match;
    char *page_size;     /* x-ms-max-item-count */
    char *continuation;  /* x-ms-continuation */
    GString *body;       /* whole, of a route with body_max; wiped afterwards */
    gsize body_len;      /* of what came as a body, also where it is dropped */
    gboolean of_streamd; /* User-Agent: streamd/... */
    char peer[64];
    OpeningMeter *openings;   /* the edge's; NULL: they are not counted */
    const char *content_type; /* set by the module that answers; NULL: JSON */
    char *statement; /* set by the module that answers: the field streamd-statement of the answer */
    /* For the records; set by the modules that answer. */
    char *user;                        /* who it is, once it is authenticated */
    char stream_id[REQUEST_STREAM_ID]; /* of the stream that it asks for */
    Reason reason;                     /* why no stream came of it */
    guint error;                       /* RestError of the answer; 0: none */
    gint64 begun;                      /* hub/base/clock.h */
    /* Called once, just before it is answered. NULL: not needed. */
    void (*answered)(Request *request, guint status, gsize body_len, void *data);
    void *answered_data;
    /* Set by the module that answers: called when the client goes away before the answer. NULL: not
     * needed. */
    void (*gone)(Request *request, void *data);
    void *data;
};

/* The request is authenticated: its connection waits no more (admission.h) and may be kept alive.
 */
void request_authenticated(Request *request);

/* Counts its connection for USER. FALSE: the user is at its limit; with FORCE it never fails.
 * Connections of a user with many of them are not kept alive. */
gboolean request_take_user(Request *request, const char *user, gboolean force);

/* FIELDS: whole header lines, or NULL. BODY NULL: empty; otherwise JSON. What the edge keeps of
 * BODY until it is queued is wiped. */
void request_answer(Request *request, guint status, const char *fields, const char *body);

/* 101; the connection comes to FUNC. For routes with `upgrade`. */
void request_upgrade(Request *request, RequestUpgraded func, void *data);
