/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consent: the request of an incoming stream that waits for a person's decision, and the table of
 * all of them.
 *
 * It exists until the first answer or its deadline, or until the stream, its hub or the rule that
 * asked is gone. This module does not know who may answer. It only counts agents, so that no stream
 * waits when there is none. Main thread. */
#pragma once

#include "daemon/policy/accept-policy.h"
#include "daemon/stream/app-end.h"

typedef struct Consent Consent;
typedef struct Consents Consents;

#define CONSENTS_MAX 128
#define CONSENTS_PER_HUB 32

typedef enum {
    CONSENT_DECIDED,
    CONSENT_TIMED_OUT,
    CONSENT_WITHDRAWN,
} ConsentEnd;

const char *consent_end_name(ConsentEnd end); /* "decided", "timed-out", "withdrawn" */

/* In REMOVED the consent is still whole; it is freed after the call. */
typedef struct {
    void (*added)(Consent *consent, void *data);
    void (*removed)(Consent *consent, void *data);
} ConsentsEvents;

Consents *consents_new(const ConsentsEvents *events, void *data);
void consents_free(Consents *consents); /* there are none by then; NULL is fine */
Consent *consents_find(Consents *consents, guint64 id);
GPtrArray *consents_list(Consents *consents); /* by id; borrowed pointers */

/* How many agents there are that can ask somebody. */
void consents_set_agents(Consents *consents, guint count);
guint consents_agents(const Consents *consents);

/* The policy has changed: what no rule asks any more is refused. */
void consents_check_policy(Consents *consents, const AcceptPolicy *policy);

/* Called with a decision, for the module that has the stream. The first two may fail: then nothing
 * is decided. They must not change the consent. */
typedef struct {
    AppEnd *(*accept)(guint32 uid, AppEndDone done, void *done_data, void *data, GError **error);
    gboolean (*accept_to)(const char *target, void *data, GError **error);
    void (*refuse)(Reason reason, const char *text, void *data);
} ConsentOps;

typedef struct {
    Stream *stream;
    guint32 rule;
    const char *target; /* where request_accept_to leads without a name */
    gint64 timeout;     /* µs */
} ConsentInfo;

/* NULL: there are too many. */
Consent *
consent_new(Consents *consents, const ConsentInfo *info, const ConsentOps *ops, void *data);

/* The stream has ended otherwise: no op is called. */
void consent_withdraw(Consent *consent);

guint64 consent_id(const Consent *consent);
Stream *consent_stream(const Consent *consent);
guint32 consent_rule(const Consent *consent);
const char *consent_target(const Consent *consent);
guint64 consent_requested_at(const Consent *consent); /* CLOCK_REALTIME µs */
guint64 consent_deadline(const Consent *consent);     /* the same */

/* Of one that is being removed: why; and when it was decided how, and by which user. */
ConsentEnd consent_end(const Consent *consent);
guint32 consent_decided_by(const Consent *consent);
const char *consent_decision(const Consent *consent); /* an English clause */

/* A user's decision. It frees the consent, unless it fails. UID takes the stream: DONE gets its
 * end; before that, app_end_cancel withdraws. Errors: LIMIT. */
AppEnd *consent_accept(Consent *consent, guint32 uid, AppEndDone done, void *data, GError **error);

/* TARGET "": consent_target(). Errors: NOT_FOUND. */
gboolean consent_accept_to(Consent *consent, guint32 uid, const char *target, GError **error);

/* Errors: INVALID. */
gboolean consent_reject(Consent *consent, guint32 uid, const char *text, GError **error);
