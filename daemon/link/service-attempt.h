/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service attempt: one try to get a leg of a stream on the service's side (docs/wire-protocol.md,
 * sections 3, 4 and 8): connection, POST, its answer, the leg, and waiting until the hub has the
 * device's leg, too. When the stream's URL names the hub's own host and port, the connection of the
 * POST becomes the leg. Who opens a stream (service-open.h) and who leads one back
 * (service-resume.h) decides whether another try makes sense. Main thread. */
#pragma once

#include "common/base/reason.h"
#include "common/codec/caps.h"
#include "common/codec/http-head.h"
#include "common/codec/stream-url.h"
#include "common/net/connection.h"
#include "daemon/net/dial.h"
#include "daemon/net/stream-hosts.h"

typedef struct ServiceAttempt ServiceAttempt;

#define SERVICE_PAIR_GRACE G_TIME_SPAN_SECOND /* for the hub's own reason to arrive */

typedef enum {
    SERVICE_DIALS,    /* the hub is dialled */
    SERVICE_ASKS,     /* the POST has no answer yet */
    SERVICE_CONNECTS, /* accepted: the leg is dialled */
    SERVICE_PAIRS,    /* the leg waits for the device's */
} ServiceStage;

/* How it went. A leg, or an error; the pointers are valid during the call. */
typedef struct {
    Connection *leg;    /* detached; the callee's */
    Caps caps;          /* of the leg */
    ServiceStage stage; /* where it failed */
    Reason reason;
    const GError *error;
    DialFailure dial;  /* of SERVICE_DIALS */
    gboolean answered; /* of SERVICE_ASKS: a byte of an answer has come */
    const HttpResponse
        *response;    /* the hub's answer, where that is the failure; NULL: another one */
    Connection *kept; /* that of the POST, when it can be used again; the callee's */
} ServiceOutcome;

typedef struct {
    Runtime *runtime;
    Reactor *reactor;
    TlsContext *tls;
    Proxy *proxy; /* NULL: directly */
    const char *host;
    guint16 port;
    StreamHosts *stream_hosts; /* where a leg may be */
    Connection *reuse;         /* taken: of an attempt before; or NULL */
    Caps caps;                 /* that may be used of those in the answer */
} ServiceAttemptOptions;

typedef struct {
    /* The hub is connected: the whole POST, taken; RET_LEFT: µs for its answer and the leg. */
    GString *(*request)(gint64 *ret_left, void *data);
    void (*answered)(const HttpResponse *response, void *data); /* whatever it says */
    void (*accepted)(void *data);
    void (*leads_to)(const char *host, guint16 port, const char *target, void *data);
    /* Once, later. The attempt is freed afterwards. */
    void (*done)(const ServiceOutcome *outcome, void *data);
} ServiceAttemptEvents;

/* OPTIONS is copied, with references of its own; EVENTS outlives it. */
ServiceAttempt *service_attempt_new(const ServiceAttemptOptions *options,
                                    const ServiceAttemptEvents *events, void *data);

ServiceStage service_attempt_stage(const ServiceAttempt *attempt);
const char *service_attempt_host(const ServiceAttempt *attempt);
guint16 service_attempt_port(const ServiceAttempt *attempt);

/* Nobody waits for the leg any more, but the device is to see that it comes: with its leg up, it is
 * done (and the callee closes that). */
void service_attempt_forget_pair(ServiceAttempt *attempt);

/* Gives up; DONE will not be called. Not allowed in DONE. NULL is fine. */
void service_attempt_cancel(ServiceAttempt *attempt);

/* The reason for which nothing came of ERROR. */
Reason service_attempt_reason(const GError *error);
