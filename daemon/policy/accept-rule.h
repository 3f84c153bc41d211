/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept rule: conditions on a request, and what follows when all of them hold. Pure. */
#pragma once

#include "daemon/policy/accept-address.h"
#include "daemon/policy/accept-time.h"
#include "daemon/policy/limits.h"

#define ACCEPT_PATTERN_MAX 256
#define ACCEPT_TEXT_MAX 96    /* a reject text; it travels percent-encoded in 128 bytes */
#define ACCEPT_HANDLER_MAX 64 /* a handler's name */

/* For a person's answer; target and leg have to be connected within the same 60 s. */
#define ACCEPT_ASK_TIMEOUT ((gint64)30 * G_TIME_SPAN_SECOND)
#define ACCEPT_ASK_TIMEOUT_LEAST ((gint64)G_TIME_SPAN_SECOND)
#define ACCEPT_ASK_TIMEOUT_MAX ((gint64)50 * G_TIME_SPAN_SECOND)

#define ACCEPT_NO_RESUME ((gint64)-1)
#define ACCEPT_RESUME_TIME_MAX ((gint64)24 * G_TIME_SPAN_HOUR)

typedef enum {
    ACCEPT_REJECT,
    ACCEPT_TARGET,  /* accept, to a target */
    ACCEPT_HANDLER, /* accept, to an app that has registered */
    ACCEPT_ASK,     /* a person decides */
} AcceptKind;

/* NULL or "" in a condition holds for everything. In a glob `*` is any run of characters, `?` is
 * any one. */
typedef struct {
    guint32 id;            /* stable; set by accept_policy_add when 0 */
    const char *hub;       /* the name of the hub, exactly */
    const char *stream;    /* glob */
    const char *initiator; /* glob over the policy name the hub tells; unknown initiators are "" */
    const char *address;   /* the initiator's: address or network in CIDR form (accept-address.h) */
    const char *weekdays;  /* accept-time.h */
    const char *time;
    AcceptKind kind;
    const char *target;      /* target, ask: NULL or "": the target named like the stream */
    const char *handler;     /* handler: its name */
    guint32 handler_uid;     /* handler: whose */
    gint64 ask_timeout;      /* ask: µs; 0: ACCEPT_ASK_TIMEOUT */
    const char *reject_text; /* reject: NULL or "": no text */
    Limits limits;           /* of the streams it lets in */
    gint64 resume_time; /* µs that they may be suspended; 0: as their hub says; ACCEPT_NO_RESUME:
                           they end with their legs */
    const char *source; /* "FILE:LINE" of the configuration; NULL: D-Bus */
} AcceptRule;

/* The conditions that are more than a text. */
typedef struct {
    AcceptRange range;
    AcceptWhen when;
} AcceptParts;

/* INVALID. RET_PARTS, when it is not NULL, is set on success. */
gboolean accept_rule_check(const AcceptRule *rule, AcceptParts *ret_parts, GError **error);
gboolean accept_reject_text_check(const char *text, GError **error);

/* With strings of its own; of them only the source may be NULL. */
AcceptRule *accept_rule_copy(const AcceptRule *rule);
void accept_rule_free(AcceptRule *rule); /* of accept_rule_copy; NULL is fine */

const char *accept_kind_verdict(AcceptKind kind); /* "accept", "reject", "ask" */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcceptRule, accept_rule_free)
