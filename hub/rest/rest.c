/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/rest.h"

#include "common/codec/device-id.h"
#include "common/codec/http-build.h"
#include "common/codec/http-field.h"
#include "common/codec/stream-order.h"
#include "common/log/events.h"
#include "hub/rest/call.h"
#include "hub/rest/devices.h"

#include <string.h>

Rest *
rest_new(const Settings *settings, Auth *auth, Registry *registry, Devices *devices,
         Streams *streams)
{
    Rest *rest = g_new0(Rest, 1);

    rest->settings = settings;
    rest->auth = auth;
    rest->registry = registry;
    rest->devices = devices;
    rest->streams = streams;
    return rest;
}

void
call_free(RestCall *call)
{
    if (call->rest)
        g_queue_unlink(&call->rest->calls, &call->link);
    g_free(call->policy);
    registry_scope_unref(call->scope);
    registry_tags_unref(call->tags);
    g_free(call);
}

void
rest_set_statements(Rest *rest, Statements *statements)
{
    rest->statements = statements;
}

void
rest_set_refusals(Rest *rest, RefusalLog *refusals)
{
    rest->refusals = refusals;
}

void
rest_set_records(Rest *rest, Records *records)
{
    rest->records = records;
}

void
rest_free(Rest *rest)
{
    if (!rest)
        return;
    while (rest->calls.head) {
        RestCall *call = rest->calls.head->data;
        gboolean checking = call->check != NULL;

        auth_check_cancel(call->check);
        search_cancel(call->search);
        g_queue_unlink(&rest->calls, &call->link);
        call->rest = NULL;
        if (checking) /* no other callback frees it */
            call_free(call);
    }
    g_free(rest);
}

static void
call_tell_refused(const RestCall *call, const char *claimed, const char *why)
{
    refusal_log_note(call->rest->refusals, &(Refused){.kind = EVENT_SERVICE_REFUSED,
                                                      .peer = call->request->peer,
                                                      .claimed = claimed,
                                                      .why = why});
}

/* What the log says of an error to somebody with good credentials; NULL: nothing. The answer does
 * not tell a device that is missing from one that the user does not reach; the log does. */
static char *
call_why(const RestCall *call, RestError error, const char *text)
{
    char *const *parts = call->request->match.parts;
    const char *module = parts[ROUTE_MODULE];

    switch (error) {
    case REST_DEVICE_NOT_FOUND:
        return g_strconcat(call->unreached ? "the user does not reach the device: "
                                           : "the hub knows no such device: ",
                           parts[ROUTE_DEVICE], NULL);
    case REST_MODULE_NOT_FOUND:
        return g_strconcat("the device has no such module: ", parts[ROUTE_DEVICE], "/", module,
                           NULL);
    case REST_UNAUTHORIZED_ACCESS:
        return g_strconcat("the device is disabled: ", parts[ROUTE_DEVICE], NULL);
    case REST_FORBIDDEN:
    case REST_THROTTLED:
        return g_strdup(text ? text : rest_error_text(error));
    default:
        return NULL;
    }
}

void
call_fail(RestCall *call, RestError error, const char *text)
{
    Request *request = call->request;
    g_autofree char *why = call->policy ? call_why(call, error, text) : NULL;

    if (why)
        call_tell_refused(call, call->policy, why);
    request->gone = NULL;
    call_free(call);
    rest_answer_error(request, error, text);
}

void
call_answer(RestCall *call, guint status, const char *fields, const char *body)
{
    Request *request = call->request;

    request->gone = NULL;
    call_free(call);
    request_answer(request, status, fields, body);
}

/* FALSE: the field exists and is not a number of seconds. */
static gboolean
timeout_read(const char *field, gint64 missing, gint64 most, gint64 *ret)
{
    gint64 value = missing;

    if (field && !http_seconds_parse(slice_of(field), &value))
        return FALSE;
    *ret = MIN(value, most);
    return TRUE;
}

/* What the hub's authority tells this user, in whatever the answer is. */
static void
call_take_statement(const RestCall *call)
{
    Request *request = call->request;
    gboolean takes = request->caps && caps_parse(request->caps, strlen(request->caps)) & CAP_NOTICE;
    guint64 knows[STATEMENT_KINDS] = {0};
    const char *text;

    if (!call->rest->statements)
        return;
    if (request->known && !statement_known_parse(request->known, knows))
        memset(knows, 0, sizeof knows);
    text = statements_for(call->rest->statements, call->policy, takes, knows);
    request->statement = g_strdup(text);
}

static void
call_open(RestCall *call)
{
    const Settings *settings = call->rest->settings;
    Request *request = call->request;
    g_autofree char *policy = g_strdup(call->policy); /* call_fail names it too */
    g_autoptr(RegistryScope) scope = g_steal_pointer(&call->scope);
    g_autoptr(RegistryTags) tags = g_steal_pointer(&call->tags);
    Streams *streams = call->rest->streams;
    StreamOpening opening = {
        .device = request->match.parts[ROUTE_DEVICE],
        .module = request->match.parts[ROUTE_MODULE],
        .name = request->match.parts[ROUTE_STREAM_NAME],
        .policy = policy,
        .policy_keys = call->keys,
        .scope = scope,
        .tags = tags,
        .extended = request->caps != NULL,
        .order = request->order,
    };
    Caps caps = request->caps ? caps_parse(request->caps, strlen(request->caps)) : 0;
    StreamResume resume;
    const char *why = NULL;
    StreamOrder order;

    if (!stream_name_is_valid(opening.name, -1)) {
        call_fail(call, REST_ARGUMENT_INVALID,
                  "A stream's name has 1 to 128 letters, digits and any of . _ ~ : -");
    } else if (!registry_scope_has_stream(scope, opening.name)) {
        call_fail(call, REST_FORBIDDEN, "This user may not open a stream of this name.");
    } else if (!timeout_read(request->connect_timeout, 0, settings->stream_deadline,
                             &opening.connect_timeout) ||
               !timeout_read(request->response_timeout, settings->response_timeout,
                             settings->stream_deadline, &opening.response_timeout)) {
        call_fail(call, REST_ARGUMENT_INVALID, "A time-out is a number of seconds.");
    } else if (opening.order && !stream_order_parse(opening.order, strlen(opening.order), &order)) {
        call_fail(call, REST_ARGUMENT_INVALID, "streamd-order is TUNNEL.SEQ.");
    } else if (!stream_resume_read(request, caps, &resume, &why)) {
        call_fail(call, REST_ARGUMENT_INVALID, why);
    } else {
        opening.resume = &resume;
        opening.caps = stream_resume_asked(&resume, caps & STREAM_RESUME_SERVICE);
        call_free(call);
        streams_open(streams, request, &opening);
    }
}

/* The error of a look-up; 0: none. A device that the user does not reach is reported as missing, so
 * that nobody learns which devices exist. */
static RestError
lookup_error(RestCall *call, const RegistryResult *result, RestError missing)
{
    if (call->gone)
        return REST_TIMED_OUT; /* nobody reads the answer */
    if (call->revoked)
        return REST_UNAUTHORIZED;
    if (result->code == REGISTRY_NOT_FOUND || result->code == REGISTRY_INVALID)
        return missing;
    if (result->code != REGISTRY_OK)
        return REST_UNAVAILABLE;
    call->unreached =
        !registry_scope_has_device(call->scope, result->device->id, result->device->tags);
    if (call->unreached)
        return REST_DEVICE_NOT_FOUND;
    return result->device->admitted ? 0 : REST_UNAUTHORIZED_ACCESS;
}

static void
call_found(RestCall *call, const RegistryResult *result, RestError missing)
{
    RestError error = lookup_error(call, result, missing);

    if (error == REST_UNAUTHORIZED_ACCESS) {
        call_fail(call, error, "The device is disabled.");
    } else if (error) {
        call_fail(call, error, NULL);
    } else {
        call->tags = registry_tags_ref(result->device->tags);
        call_open(call);
    }
}

static void
call_module_found(const RegistryResult *result, void *data)
{
    RestCall *call = data;

    if (!call->rest)
        call_free(call);
    else
        call_found(call, result, REST_MODULE_NOT_FOUND);
}

static void
call_device_found(const RegistryResult *result, void *data)
{
    RestCall *call = data;
    const char *module = call->rest ? call->request->match.parts[ROUTE_MODULE] : NULL;

    if (!call->rest)
        call_free(call);
    else if (module && lookup_error(call, result, REST_DEVICE_NOT_FOUND) == 0)
        registry_lookup_device(call->rest->registry, call->request->match.parts[ROUTE_DEVICE],
                               module, call_module_found, call);
    else
        call_found(call, result, REST_DEVICE_NOT_FOUND);
}

static void
call_listed(const RegistryResult *result, void *data)
{
    RestCall *call = data;

    if (!call->rest) {
        call_free(call);
    } else if (result->code != REGISTRY_OK) {
        call_fail(call, REST_UNAVAILABLE, NULL);
    } else {
        Devices *devices = call->rest->devices;
        Request *request = call->request;

        request->gone = NULL;
        call_free(call);
        rest_devices_answer(request, result, devices);
    }
}

static void
call_searched(const char *body, const char *more, RegistryCode code, void *data)
{
    RestCall *call = data;
    g_autoptr(GString) fields = g_string_new(NULL);

    if (!call->rest) {
        call_free(call);
        return;
    }
    if (code != REGISTRY_OK || call->revoked) {
        call_fail(call, call->revoked ? REST_UNAUTHORIZED : REST_UNAVAILABLE, NULL);
        return;
    }
    (void)!http_header_append(fields, "x-ms-item-type", "raw");
    if (more)
        (void)!http_header_append(fields, "x-ms-continuation", more);
    call_answer(call, 200, fields->str, body);
}

static void
call_search_in(RestCall *call, Query *query, SearchForm form, guint page)
{
    const char *after = call->request->continuation;
    const SearchOptions options = {
        .registry = call->rest->registry,
        .devices = call->rest->devices,
        .scope = call->scope,
        .after = after && *after ? after : NULL,
        .page = page,
        .form = form,
    };

    if (options.after && !search_after_is_valid(after))
        call_fail(call, REST_ARGUMENT_INVALID, "x-ms-continuation is none of this hub's.");
    else
        call->search = search_new(&options, query, call_searched, call);
}

/* Searches the devices that the user reaches. */
static void
call_search(RestCall *call)
{
    const Request *request = call->request;
    guint64 page = SEARCH_PAGE;
    g_auto(Query) query = {0};
    g_autofree char *why = NULL;

    if (!call->rest->settings->users_may_list && !(call->rights & REGISTRY_RIGHT_READ))
        call_fail(call, REST_FORBIDDEN, "Users may not list devices at this hub.");
    else if (request->page_size &&
             !g_ascii_string_to_unsigned(request->page_size, 10, 1, SEARCH_PAGE_MAX, &page, NULL))
        call_fail(call, REST_ARGUMENT_INVALID, "x-ms-max-item-count is a number from 1 to 1000.");
    else if (!query_parse(request->body->str, request->body->len, &query, &why))
        call_fail(call, REST_ARGUMENT_INVALID, why);
    else
        call_search_in(call, &query, SEARCH_FIELDS, (guint)page);
}

/* A streamd of before 0.2 wants a short list, page by page; others want identities. As in IoT Hub,
 * any other number of them than 1 to 1000 means 1000. */
static void
call_list(RestCall *call)
{
    const Request *request = call->request;
    guint64 top = SEARCH_PAGE_MAX;
    g_auto(Query) query = {0};

    if (registry_scope_is_narrow(call->scope)) {
        call_fail(call, REST_FORBIDDEN, "This user may not list every device.");
        return;
    }
    if (request->of_streamd || request->after) {
        registry_list_devices(call->rest->registry, request->after, NULL, REST_DEVICES_PAGE,
                              call_listed, call);
        return;
    }
    if (request->top)
        (void)g_ascii_string_to_unsigned(request->top, 10, 1, SEARCH_PAGE_MAX, &top, NULL);
    call_search_in(call, &query, SEARCH_IDENTITIES, (guint)top);
}

static void
call_go_on(RestCall *call)
{
    const Request *request = call->request;

    switch (request->match.route->kind) {
    case ROUTE_STREAM:
        call_take_statement(call);
        registry_lookup_device(call->rest->registry, request->match.parts[ROUTE_DEVICE], NULL,
                               call_device_found, call);
        break;
    case ROUTE_QUERY:
        call_search(call);
        break;
    case ROUTE_DEVICES:
        call_list(call);
        break;
    case ROUTE_BULK:
        bulk_begin(call);
        break;
    default:
        manage_begin(call);
        break;
    }
}

/* As in IoT Hub, a policy that may not open streams gets the same answer as an unknown one. For a
 * list it gets the real reason: its key is right. */
static RestError
call_refusal(const RestCall *call, AuthVerdict verdict)
{
    if (verdict == AUTH_BUSY)
        return REST_UNAVAILABLE;
    return verdict == AUTH_FORBIDDEN && call->request->match.route->kind != ROUTE_STREAM
               ? REST_FORBIDDEN
               : REST_UNAUTHORIZED;
}

static void
call_refuse(RestCall *call, const AuthResult *result)
{
    Request *request = call->request;
    RestError error = call_refusal(call, result->verdict);

    if (result->verdict != AUTH_TOO_SOON) {
        call_fail(call, error, NULL);
        return;
    }
    request->gone = NULL;
    call_free(call);
    rest_answer_too_soon(request, result->retry_after);
}

static void
call_checked(const AuthResult *result, void *data)
{
    RestCall *call = data;
    const char *field = call->request->authorization;

    call->check = NULL;
    if (result->verdict != AUTH_OK) {
        g_autofree char *claimed = refusal_log_claimed(field, field ? strlen(field) : 0);

        call_tell_refused(call, claimed, result->text);
        call_refuse(call, result);
        return;
    }
    call->policy = g_strdup(result->policy);
    /* A connection beyond the user's limit still counts as unauthenticated, and few of these are
     * allowed. */
    if (!request_take_user(call->request, result->policy, FALSE)) {
        call_fail(call, REST_THROTTLED, "This user is at the limit of connections.");
        return;
    }
    request_authenticated(call->request);
    call->keys = result->keys;
    call->scope = registry_scope_ref(result->scope);
    call->rights = result->rights;
    call_go_on(call);
}

void
rest_user_changed(Rest *rest, const char *user, const RegistryScope *scope, gboolean removed)
{
    for (GList *link = rest->calls.head; link; link = link->next) {
        RestCall *call = link->data;

        if (g_strcmp0(call->policy, user) != 0)
            continue;
        call->revoked = call->revoked || removed;
        registry_scope_unref(call->scope);
        call->scope = registry_scope_ref(scope);
    }
}

void
rest_keys_changed(Rest *rest, const char *user, RegistryKeys keys)
{
    for (GList *link = rest->calls.head; link; link = link->next) {
        RestCall *call = link->data;

        if (g_strcmp0(call->policy, user) == 0 && (call->keys & keys) != 0)
            call->revoked = TRUE;
    }
}

static void
call_gone(Request *request G_GNUC_UNUSED, void *data)
{
    ((RestCall *)data)->gone = TRUE;
}

/* The resource that the token must be for: that of the path, or what all of its kind have in common
 * when the path has no valid name. */
static char *
scope_of(const RouteMatch *match)
{
    const char *device = match->parts[ROUTE_DEVICE];
    const char *module = match->parts[ROUTE_MODULE];
    g_auto(GStrv) segments = g_strsplit(match->route->pattern, "/", 3);
    const char *kind = segments[1]; /* "twins", "devices", "statistics" */

    if (!device || !device_id_is_valid(device, -1) || (module && !device_id_is_valid(module, -1)))
        return g_strdup(kind);
    return module ? g_strdup_printf("%s/%s/modules/%s", kind, device, module)
                  : g_strdup_printf("%s/%s", kind, device);
}

static RegistryRights
rights_for(RouteAuth auth)
{
    switch (auth) {
    case ROUTE_AUTH_READER:
        return REGISTRY_RIGHT_READ;
    case ROUTE_AUTH_LISTER:
        return REGISTRY_RIGHT_READ | REGISTRY_RIGHT_SERVICE_CONNECT;
    case ROUTE_AUTH_WRITER:
        return REGISTRY_RIGHT_WRITE;
    default:
        return REGISTRY_RIGHT_SERVICE_CONNECT;
    }
}

void
rest_request(Rest *rest, Request *request)
{
    RegistryRights needed = rights_for(request->match.route->auth);
    RestCall *call = g_new0(RestCall, 1);
    g_autofree char *scope = scope_of(&request->match);
    const AuthService service = {source_of_peer(request->peer), scope, needed,
                                 request->authorization};

    call->rest = rest;
    call->request = request;
    call->link.data = call;
    request->gone = call_gone;
    request->data = call;
    g_queue_push_tail_link(&rest->calls, &call->link);
    call->check = auth_check_service(rest->auth, &service, call_checked, call);
}
