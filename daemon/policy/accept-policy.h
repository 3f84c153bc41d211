/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept policy: decides which incoming streams are accepted, and to which target.
 *
 * Rules are tried in order; the first whose conditions all hold decides. When none does, the
 * default decides: reject, until told otherwise. Pure: no I/O but the local time zone; one thread
 * at a time. */
#pragma once

#include "daemon/policy/accept-rule.h"

#define ACCEPT_RULES_MAX 256
#define ACCEPT_FIRST_RUNTIME_ID 1000 /* [rule N] of the configuration file has id N, below this */

typedef struct AcceptPolicy AcceptPolicy;

/* What is known of a stream that is asked for. NULL: not known. */
typedef struct {
    const char *hub;       /* our name of it */
    const char *stream;    /* never NULL */
    const char *initiator; /* the policy name that the hub tells */
    const char *address;   /* the initiator's, as the hub tells it */
    gint64 at;             /* µs since the epoch */
} AcceptRequest;

/* The first condition of a rule that did not hold. */
typedef enum {
    ACCEPT_MATCHES,
    ACCEPT_OTHER_HUB,
    ACCEPT_OTHER_STREAM,
    ACCEPT_OTHER_INITIATOR,
    ACCEPT_OTHER_ADDRESS,
    ACCEPT_OTHER_DAY,
    ACCEPT_OTHER_TIME,
} AcceptMismatch;

/* The strings are valid until the policy changes; a target may be the request's stream name. */
typedef struct {
    AcceptKind kind;
    const char *target;      /* target, ask: a name, never empty; otherwise NULL */
    const char *handler;     /* handler: its name; otherwise NULL */
    guint32 handler_uid;     /* handler: whose */
    gint64 ask_timeout;      /* ask: µs */
    const char *reject_text; /* never NULL; "" but for a reject that has one */
    guint32 rule;            /* 0: the default decided */
    Limits limits;           /* the rule's */
    gint64 resume_time;      /* as AcceptRule.resume_time */
} AcceptVerdict;

AcceptPolicy *accept_policy_new(void);
void accept_policy_free(AcceptPolicy *policy);
AcceptPolicy *accept_policy_copy(const AcceptPolicy *policy); /* never locked */

/* POSITION from 0, -1: last. Errors: INVALID, LIMIT. Copies the strings. The id, on success. */
gboolean accept_policy_add(AcceptPolicy *policy, const AcceptRule *rule, int position,
                           guint32 *ret_id, GError **error);
gboolean accept_policy_remove(AcceptPolicy *policy, guint32 id, GError **error);
gboolean accept_policy_move(AcceptPolicy *policy, guint32 id, int position, GError **error);

/* In order. Borrowed: until the policy changes. */
guint accept_policy_size(const AcceptPolicy *policy);
const AcceptRule *accept_policy_get(const AcceptPolicy *policy, guint index);
const AcceptRule *accept_policy_find(const AcceptPolicy *policy, guint32 id);

gboolean accept_policy_set_default(AcceptPolicy *policy, gboolean accept, const char *reject_text,
                                   GError **error);
gboolean accept_policy_default(const AcceptPolicy *policy, const char **ret_reject_text);

/* The id that the next rule gets: kept by the store, so that an id is never used twice. */
guint32 accept_policy_next_id(const AcceptPolicy *policy);
void accept_policy_set_next_id(AcceptPolicy *policy, guint32 next_id);

/* Exchanges the contents of the two, so that a new policy can be built beside the one in use and
 * then replace it at once. */
void accept_policy_swap(AcceptPolicy *policy, AcceptPolicy *other);

/* From now on every stream is rejected with TEXT, whatever the rules and the default say. They can
 * still be read and changed. This cannot be undone. */
void accept_policy_lock(AcceptPolicy *policy, const char *text);

/* Decides. WHY, when it is not NULL, has room for ACCEPT_RULES_MAX: what did not hold of each rule
 * before the one that decides, in their order. RET_TRIED: how many those are; NULL: not asked. */
AcceptVerdict accept_policy_test(const AcceptPolicy *policy, const AcceptRequest *request,
                                 AcceptMismatch *why, guint *ret_tried);

/* For a stream that the rule ID (0: the default) has let in: whether it still would, but for days
 * and times, and no rule that rejects at all times was put in front of it; and a digest of all that
 * it says, to see that it is still the same. "": there is no such rule. Caller frees. */
gboolean accept_policy_admits(const AcceptPolicy *policy, guint32 id, const AcceptRequest *request);
char *accept_policy_digest(const AcceptPolicy *policy, guint32 id);

/* "hub", "stream", "initiator", "address", "weekdays", "time": the condition's key. */
const char *accept_mismatch_key(AcceptMismatch mismatch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcceptPolicy, accept_policy_free)
