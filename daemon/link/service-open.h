/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service open: what happens between a local connection and an open stream, on the initiating side
 * (docs/wire-protocol.md, sections 3, 4 and 8): the POST, its answer, the leg, and waiting until
 * the hub has the device's leg, too. When the stream's URL names the hub's own host and port, the
 * connection of the POST becomes the leg.
 *
 * All of it must be done within `wait` and `timeout`. Within that time it starts over when the hub
 * is busy (429, 503), when the connection ends before the first byte of an answer, and when the hub
 * was restarted before the stream was open. Main thread. */
#pragma once

#include "common/codec/connection-string.h"
#include "common/codec/http-head.h"
#include "common/extension/resume-ask.h"
#include "daemon/net/stream-hosts.h"
#include "daemon/net/proxy.h"
#include "daemon/stream/private.h"

typedef struct ServiceOpen ServiceOpen;

#define SERVICE_API_VERSION "2021-04-12"
#define SERVICE_TOKEN_LIFE (60 * 60)           /* s */
#define SERVICE_GRACE (4 * G_TIME_SPAN_SECOND) /* on top of wait and timeout, for the way */

#define SERVICE_ABANDON 1000      /* ms for the hub's answer when nobody waits for it any more */
#define SERVICE_ABANDONED_MAX 256 /* what is under way on the reactors; beyond it: dropped */
#define SERVICE_RETRY_MIN 100     /* ms, when the hub is too busy just now */
#define SERVICE_RETRY_MAX 400
#define SERVICE_RETRY_AFTER_MAX (10 * G_TIME_SPAN_SECOND) /* of a hub's Retry-After */
#define SERVICE_AWAY_MAX (5 * G_TIME_SPAN_SECOND)         /* for a hub that takes no connection */
#define SERVICE_REOPENS 3                                 /* after the device had accepted */

typedef struct {
    Runtime *runtime;
    TlsContext *tls;
    Proxy *proxy;     /* NULL: directly */
    const char *host; /* to connect to */
    guint16 port;
    gboolean reached;                 /* it was there the last time */
    const ConnectionString *identity; /* read at once, not kept */
    StreamHosts *stream_hosts;        /* where a leg may be */
    const char *device;
    const char *module; /* NULL: none */
    const char *stream;
    const char *order;  /* among the connections of a tunnel (stream-order.h); NULL: none */
    gint64 timeout;     /* µs for the device's answer */
    gint64 wait;        /* µs for the device to come */
    RelayTimes times;   /* of the leg */
    gint64 resume_time; /* µs that it may wait for another leg; 0: it ends with this one */
    /* Of the request; service_open_start makes the key. NULL: without. */
    const guint8 *resume_key;         /* RESUME_KEY_LEN bytes */
    const char *resume, *resume_info; /* which stream is led back, and its ResumeInfo */
    const guint64 *known; /* the serials of the statements that are kept, by kind; NULL: none */
    /* The hub's answer has a statement in it, any bytes. NULL: nobody wants it. */
    void (*told)(Stream *stream, Slice text, void *data);
    void *told_data;
} ServiceOpenOptions;

/* ERROR NULL: the leg is attached to STREAM. Otherwise STREAM has ended with its reason. Errors:
 * NOT_FOUND, OFFLINE, UNAUTHORIZED, REJECTED, TIMED_OUT, UNREACHABLE, UNTRUSTED, LIMIT, PROTOCOL,
 * FAILED, CANCELLED (somebody closed the stream). Once, later. */
typedef void (*ServiceOpenDone)(Stream *stream, const GError *error, void *data);

/* STREAM has its local end already and is in STREAM_INITIATING. To give up: stream_close. */
void service_open_start(const ServiceOpenOptions *options, Stream *stream, ServiceOpenDone done,
                        void *data);

/* The POST of section 3 as bytes, with the token in it: http_request_wipe. NULL when none can be
 * made from this identity and these names. service_request_end makes it whole: WAIT and TIMEOUT in
 * µs, rounded up to seconds. */
GString *service_request_begin(const ServiceOpenOptions *options);
void service_request_end(GString *request, gint64 wait, gint64 timeout);

/* The whole of one that asks for a device which does not exist: the hub answers "not found" to
 * whoever may connect to devices. NULL as above. */
GString *service_request_nobody(const ConnectionString *identity, gint64 timeout);

/* A token of a service's identity, to be wiped by the caller. NULL: the identity has no key, or an
 * invalid one. */
char *service_token(const ConnectionString *identity);

/* TRUE when the answer to the POST accepts the stream. Otherwise the error and its reason. Pure. */
gboolean service_answer_check(const HttpResponse *response, Reason *ret_reason, GError **error);

/* The hub's answer refuses the stream, and no other try can change that (section 8a, "Leading
 * back"). Pure. */
gboolean service_answer_is_final(const HttpResponse *response);

/* The reason in an answer that says `ended`. REASON_NONE: it tells none that is known. Pure. */
Reason service_answer_ended(const HttpResponse *response);

/* µs for which a hub wants no requests (503); 0: it does not say. Pure. */
gint64 service_answer_pause(const HttpResponse *response);

/* Why a stream that the device had accepted was closed before it was open. Caller frees. */
GError *service_pair_error(Reason reason);
