/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/enroll.h"

#include "common/codec/device-id.h"
#include "common/log/events.h"
#include "hub/edge/answer.h"
#include "hub/registry/invitation.h"
#include "hub/rest/enroll-body.h"

struct Enrollments {
    Auth *auth;
    Registry *registry;
    RefusalLog *refusals; /* NULL: refusals are not logged */
    Records *records;     /* NULL: none are kept */
    GHashTable *counts; /* name of an invitation -> requests with its key that are being answered */
    GQueue calls;       /* of EnrollCall.link */
};

/* One request until it is answered. */
typedef struct {
    Enrollments *owner; /* NULL: it was freed meanwhile */
    Request *request;
    AuthCheck *check;
    char *identity;   /* "enrollments/NAME": for limits, and no user has such a name */
    char *path;       /* all of its path: who is to join, and by what */
    gboolean counted; /* it has the key: others must not fill the places of an invitation */
    GList link;
} EnrollCall;

Enrollments *
enrollments_new(Auth *auth, Registry *registry, RefusalLog *refusals)
{
    Enrollments *enrollments = g_new0(Enrollments, 1);

    enrollments->auth = auth;
    enrollments->registry = registry;
    enrollments->refusals = refusals;
    enrollments->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return enrollments;
}

void
enrollments_set_records(Enrollments *enrollments, Records *records)
{
    enrollments->records = records;
}

static guint
calls_count(const Enrollments *enrollments, const char *identity)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(enrollments->counts, identity));
}

static void
calls_set_count(Enrollments *enrollments, const char *identity, guint count)
{
    if (count > 0)
        g_hash_table_replace(enrollments->counts, g_strdup(identity), GUINT_TO_POINTER(count));
    else
        g_hash_table_remove(enrollments->counts, identity);
}

static void
call_free(EnrollCall *call)
{
    if (call->owner && call->counted)
        calls_set_count(call->owner, call->identity, calls_count(call->owner, call->identity) - 1);
    if (call->owner)
        g_queue_unlink(&call->owner->calls, &call->link);
    g_free(call->identity);
    g_free(call->path);
    g_free(call);
}

void
enrollments_free(Enrollments *enrollments)
{
    if (!enrollments)
        return;
    while (enrollments->calls.head) {
        EnrollCall *call = enrollments->calls.head->data;
        gboolean checking = call->check != NULL;

        auth_check_cancel(call->check);
        g_queue_unlink(&enrollments->calls, &call->link);
        call->owner = NULL;
        if (checking) /* no other callback frees it */
            call_free(call);
    }
    g_hash_table_unref(enrollments->counts);
    g_free(enrollments);
}

static void
call_tell_refused(const EnrollCall *call, const char *why)
{
    refusal_log_note(call->owner->refusals, &(Refused){.kind = EVENT_SERVICE_REFUSED,
                                                       .peer = call->request->peer,
                                                       .claimed = call->path,
                                                       .why = why});
}

/* What the hub itself cannot do for now (5xx) is no refusal. */
static void
call_fail(EnrollCall *call, RestError error, const char *text)
{
    Request *request = call->request;

    if (rest_error_status(error) < 500 && error != REST_UNAUTHORIZED)
        call_tell_refused(call, text ? text : rest_error_text(error));
    call_free(call);
    rest_answer_error(request, error, text);
}

/* "device gw-1", "device gw-1/m", "user alice" */
static char *
call_subject(const RegistryEnrollment *asked)
{
    return g_strconcat(asked->user ? "user " : "device ", asked->id, asked->module ? "/" : NULL,
                       asked->module, NULL);
}

static void
call_record(const EnrollCall *call, const RegistryEnrollment *asked)
{
    g_autofree char *by = g_strconcat("group:", asked->invitation, NULL);
    g_autofree char *what = g_strjoin("/", asked->id, asked->module, NULL);
    const RecordChange change = {
        .operation = "enroll",
        .by = by,
        .address = call->request->peer,
        .what = what,
        .detail = asked->user ? "user" : asked->waiting ? "device, waits for approval" : "device",
    };

    records_change(call->owner->records, &change);
}

static void
call_tell(const EnrollCall *call, const RegistryEnrollment *asked)
{
    g_autofree char *subject = call_subject(asked);
    g_autofree char *detail = g_strdup_printf("%s by invitation %s%s", subject, asked->invitation,
                                              asked->waiting ? ", and waits for approval" : "");

    event_log(EVENT_ENROLLED, &(EventData){.peer = call->request->peer, .detail = detail});
    call_record(call, asked);
}

/* 200: it may connect (or is disabled, which its connection is told). 202: not before an operator
 * has approved it. */
static void
call_succeed(EnrollCall *call, const RegistryEnrollment *asked)
{
    Request *request = call->request;
    const char *status = asked->waiting ? "waiting" : asked->enabled ? "enabled" : "disabled";
    g_autofree char *body = g_strdup_printf("{\"status\":\"%s\"}", status);

    if (asked->outcome == ENROLLED_NEW)
        call_tell(call, asked);
    call_free(call);
    request_answer(request, asked->waiting ? 202 : 200, NULL, body);
}

static RestError
outcome_error(RegistryEnrollOutcome outcome)
{
    switch (outcome) {
    case ENROLL_NOT_FOR_IT:
        return REST_INVITATION_NOT_FOR_IT;
    case ENROLL_REVOKED:
        return REST_INVITATION_REVOKED;
    case ENROLL_EXPIRED:
        return REST_INVITATION_EXPIRED;
    case ENROLL_USED_UP:
        return REST_INVITATION_USED_UP;
    case ENROLL_TAKEN:
        return REST_DEVICE_EXISTS;
    case ENROLL_NO_DEVICE:
        return REST_DEVICE_NOT_FOUND;
    case ENROLL_NO_INVITATION: /* it was there a moment ago, and its name has been taken */
    default:
        return REST_UNAUTHORIZED;
    }
}

static RestError
code_error(RegistryCode code)
{
    switch (code) {
    case REGISTRY_INVALID:
        return REST_ARGUMENT_INVALID;
    case REGISTRY_LIMIT:
        return REST_QUOTA_EXCEEDED;
    case REGISTRY_STORAGE:
        return REST_STORAGE;
    case REGISTRY_FAILED:
        return REST_SERVER_ERROR;
    default:
        return REST_UNAVAILABLE;
    }
}

static void
call_enrolled(const RegistryResult *result, void *data)
{
    EnrollCall *call = data;
    const RegistryEnrollment *asked =
        result->code == REGISTRY_OK ? registry_result_enrollment(result) : NULL;

    if (!call->owner)
        call_free(call);
    else if (!asked)
        call_fail(call, code_error(result->code), NULL);
    else if (asked->outcome == ENROLLED_NEW || asked->outcome == ENROLLED_BEFORE)
        call_succeed(call, asked);
    else
        call_fail(call, outcome_error(asked->outcome),
                  asked->outcome == ENROLL_TAKEN ? "There is one of that name, with another key."
                                                 : NULL);
}

static void
call_enroll(EnrollCall *call)
{
    Request *request = call->request;
    char **parts = request->match.parts;
    RegistryEnrollment asked = {
        .invitation = parts[ROUTE_INVITATION],
        .user = parts[ROUTE_USER] != NULL,
        .id = parts[ROUTE_USER] ? parts[ROUTE_USER] : parts[ROUTE_DEVICE],
        .module = parts[ROUTE_MODULE],
        .now = g_get_real_time(),
    };
    const char *why = NULL;

    if (!device_id_is_valid(asked.id, -1) ||
        (asked.module && !device_id_is_valid(asked.module, -1)))
        call_fail(call, REST_ARGUMENT_INVALID,
                  "A name has 1 to 128 letters, digits and any of . _ : -");
    else if (!enroll_body_parse(request->body->str, request->body->len, &asked.key, &why))
        call_fail(call, REST_ARGUMENT_INVALID, why);
    else
        registry_enroll(call->owner->registry, &asked, call_enrolled, call);
    registry_key_clear(&asked.key);
}

static void
call_refuse(EnrollCall *call, const AuthResult *result)
{
    Request *request = call->request;

    call_tell_refused(call, result->text);
    if (result->verdict != AUTH_TOO_SOON) {
        call_fail(call, result->verdict == AUTH_BUSY ? REST_UNAVAILABLE : REST_UNAUTHORIZED, NULL);
        return;
    }
    call_free(call);
    rest_answer_too_soon(request, result->retry_after);
}

/* FALSE: so many are being answered already. */
static gboolean
call_take_place(EnrollCall *call)
{
    guint count = calls_count(call->owner, call->identity);

    call->counted = count < ENROLLMENTS_AT_ONCE;
    if (call->counted)
        calls_set_count(call->owner, call->identity, count + 1);
    return call->counted;
}

static void
call_checked(const AuthResult *result, void *data)
{
    EnrollCall *call = data;

    call->check = NULL;
    if (result->verdict != AUTH_OK) {
        call_refuse(call, result);
        return;
    }
    if (!request_take_user(call->request, call->identity, FALSE)) {
        call_fail(call, REST_THROTTLED, "This invitation is at the limit of connections.");
        return;
    }
    request_authenticated(call->request);
    if (call_take_place(call))
        call_enroll(call);
    else
        call_fail(call, REST_UNAVAILABLE, "Too many enrol by this invitation at once.");
}

/* The resource that the token must be for: all of the path, or its first segments. */
static char *
call_path(const RouteMatch *match, const char *identity)
{
    const char *device = match->parts[ROUTE_DEVICE], *user = match->parts[ROUTE_USER];

    return g_strconcat(identity, user ? "/users/" : "/devices/", user ? user : device,
                       match->parts[ROUTE_MODULE] ? "/modules/" : NULL, match->parts[ROUTE_MODULE],
                       NULL);
}

static EnrollCall *
call_new(Enrollments *enrollments, Request *request)
{
    EnrollCall *call = g_new0(EnrollCall, 1);

    call->owner = enrollments;
    call->request = request;
    call->identity = g_strconcat("enrollments/", request->match.parts[ROUTE_INVITATION], NULL);
    call->path = call_path(&request->match, call->identity);
    call->link.data = call;
    g_queue_push_tail_link(&enrollments->calls, &call->link);
    return call;
}

void
enrollments_request(Enrollments *enrollments, Request *request)
{
    EnrollCall *call = call_new(enrollments, request);
    const AuthInvited invited = {source_of_peer(request->peer),
                                 request->match.parts[ROUTE_INVITATION], call->path,
                                 request->authorization};

    call->check = auth_check_invited(enrollments->auth, &invited, call_checked, call);
}
