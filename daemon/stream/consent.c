/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/consent.h"

#include "common/base/error.h"

struct Requests {
    const RequestsEvents *events;
    void *data;
    GPtrArray *all; /* Request, by id */
    guint64 last_id;
    guint agents;
};

struct Request {
    Requests *requests;
    guint64 id;
    Stream *stream;
    guint32 rule;
    char *target;
    guint64 requested_at, deadline;
    guint timer;
    const RequestOps *ops;
    void *data;
    RequestEnd end;
    guint32 decided_by;
    char *decision;
};

static const char *const end_names[] = {"decided", "timed-out", "withdrawn"};

const char *
request_end_name(RequestEnd end)
{
    return end_names[end];
}

Requests *
requests_new(const RequestsEvents *events, void *data)
{
    Requests *requests = g_new0(Requests, 1);

    requests->events = events;
    requests->data = data;
    requests->all = g_ptr_array_new();
    return requests;
}

void
requests_free(Requests *requests)
{
    if (!requests)
        return;
    g_ptr_array_unref(requests->all);
    g_free(requests);
}

Request *
requests_find(Requests *requests, guint64 id)
{
    for (guint i = 0; i < requests->all->len; i++)
        if (((Request *)requests->all->pdata[i])->id == id)
            return requests->all->pdata[i];
    return NULL;
}

GPtrArray *
requests_list(Requests *requests)
{
    GPtrArray *list = g_ptr_array_sized_new(requests->all->len);

    for (guint i = 0; i < requests->all->len; i++)
        g_ptr_array_add(list, requests->all->pdata[i]);
    return list;
}

void
requests_set_agents(Requests *requests, guint count)
{
    requests->agents = count;
}

guint
requests_agents(const Requests *requests)
{
    return requests->agents;
}

static void
request_remove(Request *request, RequestEnd end)
{
    Requests *requests = request->requests;

    request->end = end;
    if (request->timer)
        g_source_remove(request->timer);
    g_ptr_array_remove(requests->all, request);
    requests->events->removed(request, requests->data);
    g_free(request->target);
    g_free(request->decision);
    g_free(request);
}

/* Refused by nobody in particular. */
static void
request_refuse(Request *request, RequestEnd end, Reason reason, const char *text)
{
    const RequestOps *ops = request->ops;
    void *data = request->data;

    request_remove(request, end);
    ops->refuse(reason, text, data);
}

static gboolean
request_timed_out(gpointer data)
{
    Request *request = data;

    request->timer = 0;
    request_refuse(request, REQUEST_TIMED_OUT, REASON_NO_CONSENT, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean
policy_asks(const AcceptPolicy *policy, guint32 id)
{
    const AcceptRule *rule = accept_policy_find(policy, id);

    return rule && rule->kind == ACCEPT_ASK;
}

void
requests_check_policy(Requests *requests, const AcceptPolicy *policy)
{
    g_autoptr(GPtrArray) list = requests_list(requests);

    for (guint i = 0; i < list->len; i++) {
        Request *request = list->pdata[i];

        if (!policy_asks(policy, request->rule))
            request_refuse(request, REQUEST_WITHDRAWN, REASON_NO_CONSENT,
                           "the rule that asks is not there any more");
    }
}

static gboolean
requests_have_room(const Requests *requests, const char *hub)
{
    guint of_hub = 0;

    for (guint i = 0; i < requests->all->len; i++) {
        const Request *request = requests->all->pdata[i];

        of_hub += g_str_equal(stream_hub(request->stream), hub);
    }
    return requests->all->len < REQUESTS_MAX && of_hub < REQUESTS_PER_HUB;
}

Request *
request_new(Requests *requests, const RequestInfo *info, const RequestOps *ops, void *data)
{
    Request *request;

    if (!requests_have_room(requests, stream_hub(info->stream)))
        return NULL;
    request = g_new0(Request, 1);
    request->requests = requests;
    request->id = ++requests->last_id;
    request->stream = info->stream;
    request->rule = info->rule;
    request->target = g_strdup(info->target);
    request->requested_at = stream_requested_at(info->stream);
    request->deadline = (guint64)(g_get_real_time() + info->timeout);
    request->timer = g_timeout_add((guint)(info->timeout / 1000), request_timed_out, request);
    request->ops = ops;
    request->data = data;
    g_ptr_array_add(requests->all, request);
    requests->events->added(request, requests->data);
    return request;
}

void
request_withdraw(Request *request)
{
    request_remove(request, REQUEST_WITHDRAWN);
}

/* DECISION: taken. */
static void
request_decide(Request *request, guint32 uid, char *decision)
{
    request->decided_by = uid;
    request->decision = decision;
    request_remove(request, REQUEST_DECIDED);
}

AppEnd *
request_accept(Request *request, guint32 uid, AppEndDone done, void *data, GError **error)
{
    AppEnd *end = request->ops->accept(uid, done, data, request->data, error);

    if (end)
        request_decide(request, uid, g_strdup("accepted, for an app of that user"));
    return end;
}

gboolean
request_accept_to(Request *request, guint32 uid, const char *target, GError **error)
{
    const char *name = *target ? target : request->target;

    if (!request->ops->accept_to(name, request->data, error))
        return FALSE;
    request_decide(request, uid, g_strdup_printf("accepted, to the target %s", name));
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
request_reject(Request *request, guint32 uid, const char *text, GError **error)
{
    const RequestOps *ops = request->ops;
    void *data = request->data;

    if (!reject_text_check(text, error))
        return FALSE;
    request_decide(request, uid, g_strdup(*text ? text : "rejected"));
    ops->refuse(REASON_REJECTED, text, data);
    return TRUE;
}

guint64
request_id(const Request *request)
{
    return request->id;
}

Stream *
request_stream(const Request *request)
{
    return request->stream;
}

guint32
request_rule(const Request *request)
{
    return request->rule;
}

const char *
request_target(const Request *request)
{
    return request->target;
}

guint64
request_requested_at(const Request *request)
{
    return request->requested_at;
}

guint64
request_deadline(const Request *request)
{
    return request->deadline;
}

RequestEnd
request_end(const Request *request)
{
    return request->end;
}

guint32
request_decided_by(const Request *request)
{
    return request->decided_by;
}

const char *
request_decision(const Request *request)
{
    return request->decision;
}
