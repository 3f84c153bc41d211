/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routes: every path that the edge serves, with its method and the credentials that it needs. A
 * path that is not in its table is answered with 501, another method of one that is with 405
 * (requirement R29). Paths are compared segment by segment, decoded: an encoded letter is that letter,
 * and an encoded slash stays inside its segment. A slash at the end changes nothing, except for a WebSocket. Pure; any
 * thread. */
#pragma once

#include "common/codec/http-target.h"

typedef enum {
    ROUTE_AUTH_CONNECT, /* none here: the MQTT CONNECT that follows carries the credentials */
    ROUTE_AUTH_TOKEN,   /* Authorization: Bearer, a leg's token */
    ROUTE_AUTH_SERVICE, /* Authorization: SharedAccessSignature of a policy with service-connect */
    ROUTE_AUTH_READER,  /* the same of a policy with registry-read */
    ROUTE_AUTH_LISTER,  /* the same of one with either */
    ROUTE_AUTH_WRITER,  /* the same of one with registry-write */
    ROUTE_AUTH_INVITED, /* the same, signed with the key of the invitation in the path */
    ROUTE_AUTH_METRICS, /* Authorization: Bearer, the token of `metrics-token-file` */
} RouteAuth;

typedef enum {
    ROUTE_MQTT,
    ROUTE_LEG,
    ROUTE_STREAM,
    ROUTE_DEVICES,
    ROUTE_QUERY,
    ROUTE_BULK,
    ROUTE_IDENTITY_GET, /* of a device or module, as the next ones */
    ROUTE_IDENTITY_PUT,
    ROUTE_IDENTITY_DELETE,
    ROUTE_MODULES,
    ROUTE_TWIN_GET,
    ROUTE_TWIN_PATCH,
    ROUTE_TWIN_PUT,
    ROUTE_COUNT_DEVICES,
    ROUTE_COUNT_CONNECTED,
    ROUTE_ENROLL,
    ROUTE_METRICS,
} RouteKind;

/* Bytes of a body. */
#define ROUTE_QUERY_MAX 4096        /* a question about devices */
#define ROUTE_IDENTITY_MAX 4096     /* a device or module */
#define ROUTE_TWIN_MAX (32 * 1024)  /* as many tags as there may be */
#define ROUTE_BULK_MAX (128 * 1024) /* a hundred devices */
#define ROUTE_ENROLL_MAX 512        /* an enrolment */

/* What a {name} in a pattern stands for. */
typedef enum {
    ROUTE_HUB,
    ROUTE_DEVICE,
    ROUTE_MODULE,
    ROUTE_STREAM_NAME,
    ROUTE_STREAM_ID,
    ROUTE_SIDE,
    ROUTE_INVITATION,
    ROUTE_USER,
    ROUTE_PARTS,
} RoutePart;

typedef struct {
    const char *method;
    const char *pattern; /* segments; "{device}" stands for one */
    RouteKind kind;
    RouteAuth auth;
    gboolean upgrade; /* a WebSocket */
    guint body_max;   /* bytes; 0: a body means nothing and is dropped */
} Route;

/* What one kind of listener serves. */
typedef struct {
    const Route *routes;
    guint count;
    guint missing; /* the status of a path that is not in it */
} RouteTable;

extern const RouteTable route_hub;     /* for clients of the hub */
extern const RouteTable route_metrics; /* on the listener of `metrics-listen` */

typedef struct {
    const Route *route;
    char *parts[ROUTE_PARTS]; /* decoded; NULL where the pattern has none */
} RouteMatch;

/* FALSE: there is none. *ret is for route_match_clear. */
gboolean route_find(const RouteTable *table, Slice method, Slice path, RouteMatch *ret);

/* The methods that PATH has, "GET, PUT"; NULL: there is no such path. The caller frees it. */
char *route_methods(const RouteTable *table, Slice path);

void route_match_clear(RouteMatch *match);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RouteMatch, route_match_clear)
