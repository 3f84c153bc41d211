/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/accept-policy.h"

#include "common/error.h"

#include <string.h>

/* An AcceptRule whose strings are ours, none NULL but the source. */
typedef struct {
    AcceptRule rule;
    char *hub, *stream, *initiator, *target, *reject_text, *source;
} OwnRule;

struct AcceptPolicy {
    GPtrArray *rules;
    guint32 next_id;
    gboolean default_accept;
    char *default_text;
};

static void
own_rule_free(void *data)
{
    OwnRule *own = data;

    g_free(own->hub);
    g_free(own->stream);
    g_free(own->initiator);
    g_free(own->target);
    g_free(own->reject_text);
    g_free(own->source);
    g_free(own);
}

static char *
text_or_empty(const char *text)
{
    return g_strdup(text ? text : "");
}

static OwnRule *
own_rule_new(const AcceptRule *rule)
{
    OwnRule *own = g_new0(OwnRule, 1);

    own->hub = text_or_empty(rule->hub);
    own->stream = text_or_empty(rule->stream);
    own->initiator = text_or_empty(rule->initiator);
    own->target = text_or_empty(rule->target);
    own->reject_text = text_or_empty(rule->reject_text);
    own->source = g_strdup(rule->source);
    own->rule = *rule;
    own->rule.hub = own->hub;
    own->rule.stream = own->stream;
    own->rule.initiator = own->initiator;
    own->rule.target = own->target;
    own->rule.reject_text = own->reject_text;
    own->rule.source = own->source;
    return own;
}

AcceptPolicy *
accept_policy_new(void)
{
    AcceptPolicy *policy = g_new0(AcceptPolicy, 1);

    policy->rules = g_ptr_array_new_with_free_func(own_rule_free);
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

static gboolean
text_is_printable(const char *text)
{
    for (const char *c = text; c && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return FALSE;
    return TRUE;
}

static gboolean
check_text(const char *what, const char *text, gsize max, GError **error)
{
    if (!text || (text_is_printable(text) && strlen(text) <= max))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the %s of the rule must be at most %zu printable ASCII characters", what, max);
    return FALSE;
}

gboolean
accept_rule_check(const AcceptRule *rule, GError **error)
{
    if (!check_text("hub", rule->hub, ACCEPT_PATTERN_MAX, error) ||
        !check_text("stream pattern", rule->stream, ACCEPT_PATTERN_MAX, error) ||
        !check_text("initiator pattern", rule->initiator, ACCEPT_PATTERN_MAX, error) ||
        !check_text("target", rule->target, ACCEPT_PATTERN_MAX, error) ||
        !check_text("reject text", rule->reject_text, ACCEPT_TEXT_MAX, error))
        return FALSE;
    if (!rule->accept && rule->target && *rule->target) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "a rule that rejects has no target");
        return FALSE;
    }
    return TRUE;
}

static int
policy_index(const AcceptPolicy *policy, guint32 id)
{
    for (guint i = 0; i < policy->rules->len; i++)
        if (((OwnRule *)policy->rules->pdata[i])->rule.id == id)
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
    OwnRule *own;

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
    own = own_rule_new(rule);
    if (own->rule.id == 0)
        own->rule.id = policy->next_id++;
    else if (own->rule.id >= policy->next_id)
        policy->next_id = own->rule.id + 1;
    g_ptr_array_insert(policy->rules, policy_place(policy, rule->source != NULL, position), own);
    if (ret_id)
        *ret_id = own->rule.id;
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
    OwnRule *own;

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
    return &((OwnRule *)policy->rules->pdata[index])->rule;
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
    if (!check_text("reject text", reject_text, ACCEPT_TEXT_MAX, error))
        return FALSE;
    g_free(policy->default_text);
    policy->default_accept = accept;
    policy->default_text = text_or_empty(accept ? NULL : reject_text);
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

static gboolean
rule_matches(const AcceptRule *rule, const char *hub, const char *stream, const char *initiator)
{
    return (*rule->hub == '\0' || strcmp(rule->hub, hub) == 0) &&
           pattern_matches(rule->stream, stream) && pattern_matches(rule->initiator, initiator);
}

AcceptVerdict
accept_policy_test(const AcceptPolicy *policy, const char *hub, const char *stream,
                   const char *initiator)
{
    for (guint i = 0; i < policy->rules->len; i++) {
        const AcceptRule *rule = accept_policy_get(policy, i);

        if (!rule_matches(rule, hub ? hub : "", stream, initiator ? initiator : ""))
            continue;
        return (AcceptVerdict){
            .accept = rule->accept,
            .target = !rule->accept   ? NULL
                      : *rule->target ? rule->target
                                      : stream,
            .reject_text = rule->reject_text,
            .rule = rule->id,
        };
    }
    return (AcceptVerdict){
        .accept = policy->default_accept,
        .target = policy->default_accept ? stream : NULL,
        .reject_text = policy->default_text,
    };
}
