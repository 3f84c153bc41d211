/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/consent.h"

#include "common/base/error.h"

struct Consents {
    const ConsentsEvents *events;
    void *data;
    GPtrArray *all; /* Consent, by id */
    guint64 last_id;
    guint agents;
};

struct Consent {
    Consents *consents;
    guint64 id;
    Stream *stream;
    guint32 rule;
    char *target;
    guint64 requested_at, deadline;
    guint timer;
    const ConsentOps *ops;
    void *data;
    ConsentEnd end;
    guint32 decided_by;
    char *decision;
};

static const char *const end_names[] = {"decided", "timed-out", "withdrawn"};

const char *
consent_end_name(ConsentEnd end)
{
    return end_names[end];
}

Consents *
consents_new(const ConsentsEvents *events, void *data)
{
    Consents *consents = g_new0(Consents, 1);

    consents->events = events;
    consents->data = data;
    consents->all = g_ptr_array_new();
    return consents;
}

void
consents_free(Consents *consents)
{
    if (!consents)
        return;
    g_ptr_array_unref(consents->all);
    g_free(consents);
}

Consent *
consents_find(Consents *consents, guint64 id)
{
    for (guint i = 0; i < consents->all->len; i++)
        if (((Consent *)consents->all->pdata[i])->id == id)
            return consents->all->pdata[i];
    return NULL;
}

GPtrArray *
consents_list(Consents *consents)
{
    GPtrArray *list = g_ptr_array_sized_new(consents->all->len);

    for (guint i = 0; i < consents->all->len; i++)
        g_ptr_array_add(list, consents->all->pdata[i]);
    return list;
}

void
consents_set_agents(Consents *consents, guint count)
{
    consents->agents = count;
}

guint
consents_agents(const Consents *consents)
{
    return consents->agents;
}

static void
consent_remove(Consent *consent, ConsentEnd end)
{
    Consents *consents = consent->consents;

    consent->end = end;
    if (consent->timer)
        g_source_remove(consent->timer);
    g_ptr_array_remove(consents->all, consent);
    consents->events->removed(consent, consents->data);
    g_free(consent->target);
    g_free(consent->decision);
    g_free(consent);
}

/* Refused, but not by a person. */
static void
consent_refuse(Consent *consent, ConsentEnd end, Reason reason, const char *text)
{
    const ConsentOps *ops = consent->ops;
    void *data = consent->data;

    consent_remove(consent, end);
    ops->refuse(reason, text, data);
}

static gboolean
consent_timed_out(gpointer data)
{
    Consent *consent = data;

    consent->timer = 0;
    consent_refuse(consent, CONSENT_TIMED_OUT, REASON_NO_CONSENT, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean
policy_asks(const AcceptPolicy *policy, guint32 id)
{
    const AcceptRule *rule = accept_policy_find(policy, id);

    return rule && rule->kind == ACCEPT_ASK;
}

void
consents_check_policy(Consents *consents, const AcceptPolicy *policy)
{
    g_autoptr(GPtrArray) list = consents_list(consents);

    for (guint i = 0; i < list->len; i++) {
        Consent *consent = list->pdata[i];

        if (!policy_asks(policy, consent->rule))
            consent_refuse(consent, CONSENT_WITHDRAWN, REASON_NO_CONSENT,
                           "the rule that asked has been removed");
    }
}

static gboolean
consents_have_room(const Consents *consents, const char *hub)
{
    guint of_hub = 0;

    for (guint i = 0; i < consents->all->len; i++) {
        const Consent *consent = consents->all->pdata[i];

        of_hub += g_str_equal(stream_hub(consent->stream), hub);
    }
    return consents->all->len < CONSENTS_MAX && of_hub < CONSENTS_PER_HUB;
}

Consent *
consent_new(Consents *consents, const ConsentInfo *info, const ConsentOps *ops, void *data)
{
    Consent *consent;

    if (!consents_have_room(consents, stream_hub(info->stream)))
        return NULL;
    consent = g_new0(Consent, 1);
    consent->consents = consents;
    consent->id = ++consents->last_id;
    consent->stream = info->stream;
    consent->rule = info->rule;
    consent->target = g_strdup(info->target);
    consent->requested_at = stream_requested_at(info->stream);
    consent->deadline = (guint64)(g_get_real_time() + info->timeout);
    consent->timer = g_timeout_add((guint)(info->timeout / 1000), consent_timed_out, consent);
    consent->ops = ops;
    consent->data = data;
    g_ptr_array_add(consents->all, consent);
    consents->events->added(consent, consents->data);
    return consent;
}

void
consent_withdraw(Consent *consent)
{
    consent_remove(consent, CONSENT_WITHDRAWN);
}

/* DECISION is taken. */
static void
consent_decide(Consent *consent, guint32 uid, char *decision)
{
    consent->decided_by = uid;
    consent->decision = decision;
    consent_remove(consent, CONSENT_DECIDED);
}

AppEnd *
consent_accept(Consent *consent, guint32 uid, AppEndDone done, void *data, GError **error)
{
    AppEnd *end = consent->ops->accept(uid, done, data, consent->data, error);

    if (end)
        consent_decide(consent, uid, g_strdup("accepted, for an app of that user"));
    return end;
}

gboolean
consent_accept_to(Consent *consent, guint32 uid, const char *target, GError **error)
{
    const char *name = *target ? target : consent->target;

    if (!consent->ops->accept_to(name, consent->data, error))
        return FALSE;
    consent_decide(consent, uid, g_strdup_printf("accepted, to the target %s", name));
    return TRUE;
}

static gboolean
reject_text_check(const char *text, GError **error)
{
    if (accept_reject_text_check(text, NULL))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "the text that the initiator reads is at most %d printable ASCII characters",
                ACCEPT_TEXT_MAX);
    return FALSE;
}

gboolean
consent_reject(Consent *consent, guint32 uid, const char *text, GError **error)
{
    const ConsentOps *ops = consent->ops;
    void *data = consent->data;

    if (!reject_text_check(text, error))
        return FALSE;
    consent_decide(consent, uid, g_strdup(*text ? text : "rejected"));
    ops->refuse(REASON_REJECTED, text, data);
    return TRUE;
}

guint64
consent_id(const Consent *consent)
{
    return consent->id;
}

Stream *
consent_stream(const Consent *consent)
{
    return consent->stream;
}

guint32
consent_rule(const Consent *consent)
{
    return consent->rule;
}

const char *
consent_target(const Consent *consent)
{
    return consent->target;
}

guint64
consent_requested_at(const Consent *consent)
{
    return consent->requested_at;
}

guint64
consent_deadline(const Consent *consent)
{
    return consent->deadline;
}

ConsentEnd
consent_end(const Consent *consent)
{
    return consent->end;
}

guint32
consent_decided_by(const Consent *consent)
{
    return consent->decided_by;
}

const char *
consent_decision(const Consent *consent)
{
    return consent->decision;
}
