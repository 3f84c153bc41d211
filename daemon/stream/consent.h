/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Request: an incoming stream that waits for a person's decision, and the table of all of them.
 *
 * It is there until the first answer, its deadline, or until the stream, its hub or the rule that
 * asks has gone. Whoever may answer is not known here: agents are counted, so that nobody waits
 * where there is none. Main thread. */
#pragma once

#include "daemon/policy/accept-policy.h"
#include "daemon/stream/app-end.h"

typedef struct Request Request;
typedef struct Requests Requests;

#define REQUESTS_MAX 128
#define REQUESTS_PER_HUB 32

typedef enum {
    REQUEST_DECIDED,
    REQUEST_TIMED_OUT,
    REQUEST_WITHDRAWN,
} RequestEnd;

const char *request_end_name(RequestEnd end); /* "decided", "timed-out", "withdrawn" */

/* In REMOVED the request is still whole; it is freed after the call. */
typedef struct {
    void (*added)(Request *request, void *data);
    void (*removed)(Request *request, void *data);
} RequestsEvents;

Requests *requests_new(const RequestsEvents *events, void *data);
void requests_free(Requests *requests); /* there are none by then; NULL is fine */
Request *requests_find(Requests *requests, guint64 id);
GPtrArray *requests_list(Requests *requests); /* by id; borrowed pointers */

/* How many agents there are that can ask somebody. */
void requests_set_agents(Requests *requests, guint count);
guint requests_agents(const Requests *requests);

/* The policy has changed: what no rule asks any more is refused. */
void requests_check_policy(Requests *requests, const AcceptPolicy *policy);

/* What a decision leads to, for the stream's keeper. The first two may fail: then nothing is
 * decided. None of them touches the request. */
typedef struct {
    AppEnd *(*accept)(guint32 uid, AppEndDone done, void *done_data, void *data, GError **error);
    gboolean (*accept_to)(const char *target, void *data, GError **error);
    void (*refuse)(Reason reason, const char *text, void *data);
} RequestOps;

typedef struct {
    Stream *stream;
    guint32 rule;
    const char *target; /* where request_accept_to leads without a name */
    gint64 timeout;     /* µs */
} RequestInfo;

/* NULL: there are too many. */
Request *
request_new(Requests *requests, const RequestInfo *info, const RequestOps *ops, void *data);

/* The stream has ended otherwise: no op is called. */
void request_withdraw(Request *request);

guint64 request_id(const Request *request);
Stream *request_stream(const Request *request);
guint32 request_rule(const Request *request);
const char *request_target(const Request *request);
guint64 request_requested_at(const Request *request); /* CLOCK_REALTIME µs */
guint64 request_deadline(const Request *request);     /* the same */

/* Of one that is being removed: why; and when it was decided how, and by which user. */
RequestEnd request_end(const Request *request);
guint32 request_decided_by(const Request *request);
const char *request_decision(const Request *request); /* an English clause */

/* A user's decision; the request is gone with it, unless it fails. UID takes the stream: DONE gets
 * its end; until then app_end_cancel says that nobody wants it. Errors: LIMIT. */
AppEnd *request_accept(Request *request, guint32 uid, AppEndDone done, void *data, GError **error);

/* TARGET "": request_target(). Errors: NOT_FOUND. */
gboolean request_accept_to(Request *request, guint32 uid, const char *target, GError **error);

/* Errors: INVALID. */
gboolean request_reject(Request *request, guint32 uid, const char *text, GError **error);
