/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/accept-policy.h"

#include "common/error.h"

#include <string.h>

struct AcceptPolicy {
    GPtrArray *rules;
    guint32 next_id;
    gboolean default_accept;
    char *default_text;
};

static void
free_rule(void *data)
{
    accept_rule_free(data);
}

AcceptPolicy *
accept_policy_new(void)
{
    AcceptPolicy *policy = g_new0(AcceptPolicy, 1);

    policy->rules = g_ptr_array_new_with_free_func(free_rule);
    policy->next_id = ACCEPT_FIRST_RUNTIME_ID;
    policy->default_text = g_strdup("");
    return policy;
}

void
accept_policy_free(AcceptPolicy *policy)
{
    if (!policy)
        return;
    g_ptr_array_unref(policy->rules);
    g_free(policy->default_text);
    g_free(policy);
}

static int
policy_index(const AcceptPolicy *policy, guint32 id)
{
    for (guint i = 0; i < policy->rules->len; i++)
        if (((AcceptRule *)policy->rules->pdata[i])->id == id)
            return (int)i;
    return -1;
}

/* Rules of the configuration file stay in front; a position past the end is the end. */
static int
policy_place(const AcceptPolicy *policy, gboolean configured, int position)
{
    int fixed = 0;

    while (fixed < (int)policy->rules->len && accept_policy_get(policy, (guint)fixed)->source)
        fixed++;
    if (configured)
        return fixed;
    if (position < 0 || position > (int)policy->rules->len)
        return (int)policy->rules->len;
    return MAX(position, fixed);
}

gboolean
accept_policy_add(AcceptPolicy *policy, const AcceptRule *rule, int position, guint32 *ret_id,
                  GError **error)
{
    AcceptRule *own;

    if (!accept_rule_check(rule, error))
        return FALSE;
    if (policy->rules->len >= ACCEPT_RULES_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u rules already",
                    policy->rules->len);
        return FALSE;
    }
    if (rule->id != 0 && policy_index(policy, rule->id) >= 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS, "there is a rule %u already",
                    rule->id);
        return FALSE;
    }
    own = accept_rule_copy(rule);
    if (own->id == 0)
        own->id = policy->next_id++;
    else if (own->id >= policy->next_id)
        policy->next_id = own->id + 1;
    g_ptr_array_insert(policy->rules, policy_place(policy, rule->source != NULL, position), own);
    if (ret_id)
        *ret_id = own->id;
    return TRUE;
}

static int
policy_find_changeable(const AcceptPolicy *policy, guint32 id, GError **error)
{
    int index = policy_index(policy, id);
    const char *source;

    if (index < 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND, "there is no rule %u", id);
        return -1;
    }
    source = accept_policy_get(policy, (guint)index)->source;
    if (source) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED,
                    "rule %u is in the configuration (%s): change it there", id, source);
        return -1;
    }
    return index;
}

gboolean
accept_policy_remove(AcceptPolicy *policy, guint32 id, GError **error)
{
    int index = policy_find_changeable(policy, id, error);

    if (index >= 0)
        g_ptr_array_remove_index(policy->rules, (guint)index);
    return index >= 0;
}

gboolean
accept_policy_move(AcceptPolicy *policy, guint32 id, int position, GError **error)
{
    int index = policy_find_changeable(policy, id, error);
    AcceptRule *own;

    if (index < 0)
        return FALSE;
    own = g_ptr_array_steal_index(policy->rules, (guint)index);
    g_ptr_array_insert(policy->rules, policy_place(policy, FALSE, position), own);
    return TRUE;
}

guint
accept_policy_size(const AcceptPolicy *policy)
{
    return policy->rules->len;
}

const AcceptRule *
accept_policy_get(const AcceptPolicy *policy, guint index)
{
    return policy->rules->pdata[index];
}

const AcceptRule *
accept_policy_find(const AcceptPolicy *policy, guint32 id)
{
    int index = policy_index(policy, id);

    return index < 0 ? NULL : accept_policy_get(policy, (guint)index);
}

guint32
accept_policy_next_id(const AcceptPolicy *policy)
{
    return policy->next_id;
}

void
accept_policy_set_next_id(AcceptPolicy *policy, guint32 next_id)
{
    policy->next_id = MAX(policy->next_id, next_id);
}

gboolean
accept_policy_set_default(AcceptPolicy *policy, gboolean accept, const char *reject_text,
                          GError **error)
{
    if (!accept_reject_text_check(reject_text, error))
        return FALSE;
    g_free(policy->default_text);
    policy->default_accept = accept;
    policy->default_text = g_strdup(accept || !reject_text ? "" : reject_text);
    return TRUE;
}

gboolean
accept_policy_default(const AcceptPolicy *policy, const char **ret_reject_text)
{
    if (ret_reject_text)
        *ret_reject_text = policy->default_text;
    return policy->default_accept;
}

void
accept_policy_swap(AcceptPolicy *policy, AcceptPolicy *other)
{
    const AcceptPolicy held = *policy;

    *policy = *other;
    *other = held;
}

/* Linear in practice and quadratic at worst: only the last `*` is ever tried again. */
gboolean
accept_glob_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return FALSE;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static gboolean
pattern_matches(const char *pattern, const char *text)
{
    return *pattern == '\0' || accept_glob_match(pattern, text);
}

static const char *
text_or_empty(const char *text)
{
    return text ? text : "";
}

static AcceptMismatch
rule_mismatch(const AcceptRule *rule, const AcceptRequest *request)
{
    if (*rule->hub && strcmp(rule->hub, text_or_empty(request->hub)) != 0)
        return ACCEPT_OTHER_HUB;
    if (!pattern_matches(rule->stream, request->stream))
        return ACCEPT_OTHER_STREAM;
    if (!pattern_matches(rule->initiator, text_or_empty(request->initiator)))
        return ACCEPT_OTHER_INITIATOR;
    return ACCEPT_MATCHES;
}

static AcceptVerdict
rule_verdict(const AcceptRule *rule, const AcceptRequest *request)
{
    AcceptVerdict verdict = {
        .kind = rule->kind,
        .reject_text = rule->reject_text,
        .rule = rule->id,
        .limits = rule->limits,
    };

    if (rule->kind == ACCEPT_TARGET || rule->kind == ACCEPT_ASK)
        verdict.target = *rule->target ? rule->target : request->stream;
    if (rule->kind == ACCEPT_ASK)
        verdict.ask_timeout = rule->ask_timeout ? rule->ask_timeout : ACCEPT_ASK_TIMEOUT;
    if (rule->kind == ACCEPT_HANDLER) {
        verdict.handler = rule->handler;
        verdict.handler_uid = rule->handler_uid;
    }
    return verdict;
}

static AcceptVerdict
default_verdict(const AcceptPolicy *policy, const AcceptRequest *request)
{
    return (AcceptVerdict){
        .kind = policy->default_accept ? ACCEPT_TARGET : ACCEPT_REJECT,
        .target = policy->default_accept ? request->stream : NULL,
        .reject_text = policy->default_text,
    };
}

AcceptVerdict
accept_policy_test(const AcceptPolicy *policy, const AcceptRequest *request, AcceptMismatch *why,
                   guint *ret_tried)
{
    const AcceptRule *deciding = NULL;
    guint tried = 0;

    for (; tried < policy->rules->len && !deciding; tried++) {
        const AcceptRule *rule = accept_policy_get(policy, tried);
        AcceptMismatch mismatch = rule_mismatch(rule, request);

        if (mismatch == ACCEPT_MATCHES) {
            deciding = rule;
            break;
        }
        if (why)
            why[tried] = mismatch;
    }
    if (ret_tried)
        *ret_tried = tried;
    return deciding ? rule_verdict(deciding, request) : default_verdict(policy, request);
}

const char *
accept_mismatch_key(AcceptMismatch mismatch)
{
    static const char *const keys[] = {"",        "hub",      "stream", "initiator",
                                       "address", "weekdays", "time"};

    return keys[mismatch];
}
