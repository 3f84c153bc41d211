/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/accept-policy.h"

#include "common/base/error.h"
#include "common/base/glob.h"
#include "daemon/policy/accept-text.h"

#include <string.h>

typedef struct {
    AcceptRule *rule;
    AcceptParts parts;
} Entry;

struct AcceptPolicy {
    GPtrArray *entries;
    guint32 next_id;
    gboolean default_accept;
    char *default_text;
    char *locked; /* all streams are rejected, with this text; NULL: not locked */
};

static void
policy_entry_free(void *data)
{
    Entry *entry = data;

    accept_rule_free(entry->rule);
    g_free(entry);
}

static Entry *
entry_new(const AcceptRule *rule, const AcceptParts *parts)
{
    Entry *entry = g_new(Entry, 1);

    *entry = (Entry){accept_rule_copy(rule), *parts};
    return entry;
}

static const Entry *
policy_entry(const AcceptPolicy *policy, guint index)
{
    return policy->entries->pdata[index];
}

AcceptPolicy *
accept_policy_new(void)
{
    AcceptPolicy *policy = g_new0(AcceptPolicy, 1);

    policy->entries = g_ptr_array_new_with_free_func(policy_entry_free);
    policy->next_id = ACCEPT_FIRST_RUNTIME_ID;
    policy->default_text = g_strdup("");
    return policy;
}

void
accept_policy_free(AcceptPolicy *policy)
{
    if (!policy)
        return;
    g_ptr_array_unref(policy->entries);
    g_free(policy->default_text);
    g_free(policy->locked);
    g_free(policy);
}

AcceptPolicy *
accept_policy_copy(const AcceptPolicy *policy)
{
    AcceptPolicy *copy = accept_policy_new();

    for (guint i = 0; i < policy->entries->len; i++)
        g_ptr_array_add(copy->entries,
                        entry_new(policy_entry(policy, i)->rule, &policy_entry(policy, i)->parts));
    copy->next_id = policy->next_id;
    copy->default_accept = policy->default_accept;
    g_free(copy->default_text);
    copy->default_text = g_strdup(policy->default_text);
    return copy;
}

static int
policy_index(const AcceptPolicy *policy, guint32 id)
{
    for (guint i = 0; i < policy->entries->len; i++)
        if (policy_entry(policy, i)->rule->id == id)
            return (int)i;
    return -1;
}

/* Rules of the configuration file stay in front; a position beyond the end means the end. */
static int
policy_place(const AcceptPolicy *policy, gboolean configured, int position)
{
    int fixed = 0;

    while (fixed < (int)policy->entries->len && accept_policy_get(policy, (guint)fixed)->source)
        fixed++;
    if (configured)
        return fixed;
    if (position < 0 || position > (int)policy->entries->len)
        return (int)policy->entries->len;
    return MAX(position, fixed);
}

static gboolean
policy_has_room(const AcceptPolicy *policy, guint32 id, GError **error)
{
    if (policy->entries->len >= ACCEPT_RULES_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "there are %u rules already",
                    policy->entries->len);
        return FALSE;
    }
    if (id != 0 && policy_index(policy, id) >= 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS, "there is a rule %u already", id);
        return FALSE;
    }
    return TRUE;
}

gboolean
accept_policy_add(AcceptPolicy *policy, const AcceptRule *rule, int position, guint32 *ret_id,
                  GError **error)
{
    AcceptParts parts;
    Entry *entry;

    if (!accept_rule_check(rule, &parts, error) || !policy_has_room(policy, rule->id, error))
        return FALSE;
    entry = entry_new(rule, &parts);
    if (entry->rule->id == 0)
        entry->rule->id = policy->next_id++;
    else if (entry->rule->id >= policy->next_id)
        policy->next_id = entry->rule->id + 1;
    g_ptr_array_insert(policy->entries, policy_place(policy, rule->source != NULL, position),
                       entry);
    if (ret_id)
        *ret_id = entry->rule->id;
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
        g_ptr_array_remove_index(policy->entries, (guint)index);
    return index >= 0;
}

gboolean
accept_policy_move(AcceptPolicy *policy, guint32 id, int position, GError **error)
{
    int index = policy_find_changeable(policy, id, error);
    Entry *entry;

    if (index < 0)
        return FALSE;
    entry = g_ptr_array_steal_index(policy->entries, (guint)index);
    g_ptr_array_insert(policy->entries, policy_place(policy, FALSE, position), entry);
    return TRUE;
}

guint
accept_policy_size(const AcceptPolicy *policy)
{
    return policy->entries->len;
}

const AcceptRule *
accept_policy_get(const AcceptPolicy *policy, guint index)
{
    return policy_entry(policy, index)->rule;
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
    other->locked = policy->locked;
    policy->locked = held.locked;
}

void
accept_policy_lock(AcceptPolicy *policy, const char *text)
{
    g_free(policy->locked);
    policy->locked = g_strdup(text);
}

static gboolean
pattern_matches(const char *pattern, const char *text)
{
    return *pattern == '\0' || glob_match(pattern, text);
}

static const char *
text_or_empty(const char *text)
{
    return text ? text : "";
}

static AcceptMismatch
entry_origin_mismatch(const Entry *entry, const AcceptRequest *request)
{
    const AcceptRule *rule = entry->rule;

    if (*rule->hub && strcmp(rule->hub, text_or_empty(request->hub)) != 0)
        return ACCEPT_OTHER_HUB;
    if (!pattern_matches(rule->stream, request->stream))
        return ACCEPT_OTHER_STREAM;
    if (!pattern_matches(rule->initiator, text_or_empty(request->initiator)))
        return ACCEPT_OTHER_INITIATOR;
    if (*rule->address && !accept_range_has(&entry->parts.range, text_or_empty(request->address)))
        return ACCEPT_OTHER_ADDRESS;
    return ACCEPT_MATCHES;
}

static AcceptMismatch
entry_mismatch(const Entry *entry, const AcceptRequest *request, const AcceptMoment *moment)
{
    AcceptMismatch origin = entry_origin_mismatch(entry, request);

    if (origin != ACCEPT_MATCHES)
        return origin;
    if (!accept_when_has_time(&entry->parts.when, moment))
        return ACCEPT_OTHER_TIME;
    if (!accept_when_has_day(&entry->parts.when, moment))
        return ACCEPT_OTHER_DAY;
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
        .resume_time = rule->resume_time,
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
    const AcceptMoment moment = accept_moment(request->at);
    const AcceptRule *deciding = NULL;
    guint tried = 0;

    if (policy->locked) {
        if (ret_tried)
            *ret_tried = 0;
        return (AcceptVerdict){.kind = ACCEPT_REJECT, .reject_text = policy->locked};
    }
    for (; tried < policy->entries->len; tried++) {
        const Entry *entry = policy_entry(policy, tried);
        AcceptMismatch mismatch = entry_mismatch(entry, request, &moment);

        if (mismatch == ACCEPT_MATCHES) {
            deciding = entry->rule;
            break;
        }
        if (why)
            why[tried] = mismatch;
    }
    if (ret_tried)
        *ret_tried = tried;
    return deciding ? rule_verdict(deciding, request) : default_verdict(policy, request);
}

/* A rule without days and times, which would reject the stream at any moment. */
static gboolean
entry_forbids(const Entry *entry, const AcceptRequest *request)
{
    const AcceptWhen *when = &entry->parts.when;

    return entry->rule->kind == ACCEPT_REJECT && when->days == 0 && when->from == when->to &&
           entry_origin_mismatch(entry, request) == ACCEPT_MATCHES;
}

gboolean
accept_policy_admits(const AcceptPolicy *policy, guint32 id, const AcceptRequest *request)
{
    const guint size = policy->entries->len;
    int own = policy_index(policy, id);
    guint index = 0;

    if (policy->locked || (id == 0 && !policy->default_accept) || (id != 0 && own < 0))
        return FALSE;
    while (index < (id != 0 ? (guint)own : size))
        if (entry_forbids(policy_entry(policy, index++), request))
            return FALSE;
    return id == 0 ||
           entry_origin_mismatch(policy_entry(policy, (guint)own), request) == ACCEPT_MATCHES;
}

char *
accept_policy_digest(const AcceptPolicy *policy, guint32 id)
{
    const AcceptRule *rule = accept_policy_find(policy, id);
    g_autofree char *text = rule ? accept_rule_text(rule) : NULL;
    g_autofree char *all = NULL;

    if (!rule)
        return g_strdup("");
    all = g_strdup_printf("%s\n%u\n%" G_GINT64_FORMAT, text, rule->handler_uid, rule->ask_timeout);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);
}

const char *
accept_mismatch_key(AcceptMismatch mismatch)
{
    static const char *const keys[] = {"",        "hub",      "stream", "initiator",
                                       "address", "weekdays", "time"};

    return keys[mismatch];
}
