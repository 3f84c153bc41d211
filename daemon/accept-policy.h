/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accept policy: which incoming streams are let in, and to which target.
 *
 * Rules are tried in order; the first whose three patterns match decides. When none does, the
 * default decides: reject, until told otherwise. Pure: no I/O; one thread at a time. */
#pragma once

#include <glib.h>

#define ACCEPT_RULES_MAX 256
#define ACCEPT_PATTERN_MAX 256
#define ACCEPT_TEXT_MAX 96           /* a reject text; it travels percent-encoded in 128 bytes */
#define ACCEPT_FIRST_RUNTIME_ID 1000 /* [rule N] of the configuration file has id N, below this */

typedef struct AcceptPolicy AcceptPolicy;

/* NULL or "" in a pattern matches everything. `*` is any run of characters, `?` is any one. */
typedef struct {
    guint32 id;            /* stable; set by accept_policy_add when 0 */
    const char *hub;       /* the name of the hub, exactly */
    const char *stream;    /* glob */
    const char *initiator; /* glob over the policy name the hub tells; unknown initiators are "" */
    gboolean accept;
    const char *target;      /* accept: NULL or "": the target named like the stream */
    const char *reject_text; /* reject: NULL or "": no text */
    const char *source;      /* "FILE:LINE" of the configuration; NULL: D-Bus */
} AcceptRule;

/* What accept_policy_add would say of it: INVALID. */
gboolean accept_rule_check(const AcceptRule *rule, GError **error);

typedef struct {
    gboolean accept;
    const char *target;      /* accept: a name, never empty; valid until the policy changes (or the
                                stream name given) */
    const char *reject_text; /* reject: never NULL */
    guint32 rule;            /* 0: the default decided */
} AcceptVerdict;

AcceptPolicy *accept_policy_new(void);
void accept_policy_free(AcceptPolicy *policy);

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

/* Exchanges all that the two hold: a new policy is made beside the one in use, and takes its place
 * at once. */
void accept_policy_swap(AcceptPolicy *policy, AcceptPolicy *other);

gboolean accept_glob_match(const char *pattern, const char *text);

/* Decides. INITIATOR NULL: unknown. */
AcceptVerdict accept_policy_test(const AcceptPolicy *policy, const char *hub, const char *stream,
                                 const char *initiator);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcceptPolicy, accept_policy_free)
