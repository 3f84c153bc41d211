/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The struct of a diagnosis, shared by the files diagnosis*.c alone. */
#pragma once

#include "daemon/diagnosis/diagnosis.h"
#include "daemon/link/hub-notice.h"
#include "daemon/link/service-list.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"

typedef struct {
    const char *name;
    void (*run)(
        Diagnosis *diagnosis); /* must end with diagnosis_ok, _fail or _skip, at once or later */
    gboolean needs_hub;        /* skipped when an earlier step to the hub has failed */
} DiagnosisStep;

struct Diagnosis {
    App *app;
    Runtime *runtime;
    Reactor *reactor;
    DiagnosisDone done;
    void *data;

    /* Copies of what the hub has. */
    gboolean trial; /* of a hub that is in no list yet */
    char *hub;
    char *host;
    guint16 port;
    Proxy *proxy; /* NULL: directly */
    ConnectionString *identity;
    HubRole role;
    DeviceSessionOptions link; /* the strings belong to this struct */
    char instance[INSTANCE_LEN + 1];
    TlsContext *link_tls;
    char *device, *stream, *initiator;
    guint32 uid;

    /* Progress. */
    const DiagnosisStep *steps; /* the last one has no name */
    guint step;
    gint64 started; /* of the step */
    GPtrArray *checks;
    gboolean broken;   /* the hub cannot be reached */
    guint next, limit; /* GSource ids */

    /* What is under way. */
    GCancellable *cancellable; /* a look-up */
    SocketDial *socket;
    Dial *dial;
    HttpExchange *exchange;
    DeviceSession *session;
    OpenRequest *open;
    ServiceList *list;

    /* Results that later steps use. */
    ProxyRoute route;
    GError *route_error; /* why there is none */
    TlsContext *tls;     /* NULL: see tls_error */
    GError *tls_error;   /* why there is none */
    int fd;
    Connection *connection; /* ready for a request; NULL: none */
    GPtrArray *targets;     /* names that are not tried yet */
    char *target;           /* the one that the policy names */
    GError *subscription;
    Reason reason; /* of the stream that was opened */
    GError *open_error;
    gboolean survives; /* that stream: the loss of its leg */
};

/* The hub that is diagnosed, if it is still there. NULL in a trial: what it shows says nothing of the
 * hub that is there. */
Hub *diagnosis_hub(const Diagnosis *diagnosis);

/* Adds details to the check of the current step. */
void diagnosis_note(Diagnosis *diagnosis, const char *key, const char *text);
void diagnosis_note_number(Diagnosis *diagnosis, const char *key, char type, gint64 number);

/* End the step; the next one starts from the main loop. WHY and CAUSE are codes. */
void diagnosis_ok(Diagnosis *diagnosis);
void diagnosis_skip(Diagnosis *diagnosis, const char *why);
void diagnosis_fail(Diagnosis *diagnosis, const char *cause, const GError *error);
/* Fails because of the credentials. A hub that has refused the identity before now only says
 * "wait". Then the reason that it gave earlier is the cause. */
void diagnosis_fail_credentials(Diagnosis *diagnosis, const char *cause, const GError *error);
void
diagnosis_fail_text(Diagnosis *diagnosis, const char *cause, StreamdError code, const char *text);

/* diagnosis/way.c: the way to the hub. */
void diagnose_dns(Diagnosis *diagnosis);
void diagnose_proxy(Diagnosis *diagnosis);
void diagnose_tcp(Diagnosis *diagnosis);
void diagnose_tls(Diagnosis *diagnosis);
void diagnose_clock(Diagnosis *diagnosis);

/* diagnosis/device.c */
void diagnose_device_credentials(Diagnosis *diagnosis);
void diagnose_subscription(Diagnosis *diagnosis);
void diagnose_identity(Diagnosis *diagnosis);
void diagnose_policy(Diagnosis *diagnosis);
void diagnose_target(Diagnosis *diagnosis);

/* diagnosis/presence.c */
void diagnose_presence(Diagnosis *diagnosis);

/* diagnosis/service.c */
void diagnose_service_credentials(Diagnosis *diagnosis);
void diagnose_device(Diagnosis *diagnosis);
void diagnose_remote_policy(Diagnosis *diagnosis);
void diagnose_remote_target(Diagnosis *diagnosis);
void diagnose_stream(Diagnosis *diagnosis);
