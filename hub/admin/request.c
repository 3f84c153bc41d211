/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/request.h"

#include "common/base/secret.h"
#include "common/codec/http-target.h"
#include "common/codec/json-guard.h"
#include "common/codec/percent.h"
#include "common/log/events.h"
#include "hub/admin/record.h"

#include <stdarg.h>
#include <string.h>

static const AdminRoute routes[] = {
    {"GET", "v1/status", admin_status_show},
    {"GET", "v1/metrics", admin_metrics_show},
    {"GET", "v1/endpoints", admin_status_endpoints},
    {"PUT", "v1/drain", admin_drain_set, "drain"},
    {"GET", "v1/certificate", admin_certificate_show},
    {"POST", "v1/certificate/install", admin_certificate_install, "certificate"},
    {"POST", "v1/reload", admin_reload, "reload"},
    {"GET", "v1/known/devices", admin_known_devices},
    {"GET", "v1/known/users", admin_known_users},
    {"GET", "v1/log-level", admin_log_level_show},
    {"PUT", "v1/log-level", admin_log_level_set, "log-level"},
    {"GET", "v1/streams", admin_stream_list},
    {"GET", "v1/streams/{id}", admin_stream_show},
    {"POST", "v1/streams/{id}/close", admin_stream_close, "stream.close"},
    {"GET", "v1/devices", admin_device_list},
    {"POST", "v1/devices", admin_device_add, "device.add"},
    {"GET", "v1/devices/{id}", admin_device_show},
    {"DELETE", "v1/devices/{id}", admin_device_remove, "device.remove"},
    {"PATCH", "v1/devices/{id}", admin_device_edit, "device.set"},
    {"PUT", "v1/devices/{id}/enabled", admin_device_set_enabled, "device.set"},
    {"PUT", "v1/devices/{id}/authentication", admin_device_set_auth, "device.set"},
    {"PUT", "v1/devices/{id}/approved", admin_device_approve, "device.approve"},
    {"GET", "v1/devices/{id}/connection-string", admin_device_connection_string, "device.secret"},
    {"POST", "v1/devices/{id}/keys", admin_device_regenerate, "device.key"},
    {"POST", "v1/devices/{id}/rekey", admin_device_rekey, "device.rekey"},
    {"GET", "v1/devices/{id}/modules/{module}", admin_device_show},
    {"DELETE", "v1/devices/{id}/modules/{module}", admin_device_remove, "device.remove"},
    {"PUT", "v1/devices/{id}/modules/{module}/enabled", admin_device_set_enabled, "device.set"},
    {"PUT", "v1/devices/{id}/modules/{module}/authentication", admin_device_set_auth, "device.set"},
    {"GET", "v1/devices/{id}/modules/{module}/connection-string", admin_device_connection_string,
     "device.secret"},
    {"POST", "v1/import", admin_device_import, NULL, TRUE},
    {"GET", "v1/export", admin_device_export},
    {"POST", "v1/devices/{id}/modules/{module}/keys", admin_device_regenerate, "device.key"},
    {"POST", "v1/devices/{id}/modules/{module}/rekey", admin_device_rekey, "device.rekey"},
    {"GET", "v1/users", admin_user_list},
    {"POST", "v1/users", admin_user_add, "user.add"},
    {"GET", "v1/users/{name}", admin_user_show},
    {"DELETE", "v1/users/{name}", admin_user_remove, "user.remove"},
    {"PATCH", "v1/users/{name}", admin_user_edit, "user.set"},
    {"GET", "v1/users/{name}/connection-string", admin_user_connection_string, "user.secret"},
    {"POST", "v1/users/{name}/keys", admin_user_regenerate, "user.key"},
    {"GET", "v1/invitations", admin_invitation_list},
    {"POST", "v1/invitations", admin_invitation_add, "invitation.add"},
    {"DELETE", "v1/invitations/{name}", admin_invitation_revoke, "invitation.revoke"},
    {"GET", "v1/invitations/{name}/ticket", admin_invitation_ticket, "invitation.secret"},
    {NULL, NULL, NULL},
};

const AdminRoute *
admin_routes(void)
{
    return routes;
}

static void
admin_request_end(AdminRequest *request)
{
    g_clear_pointer(&request->body, json_object_unref);
    g_free(request->query);
    g_free(request->id);
    g_free(request->module);
    g_free(request->name);
    g_free(request->detail);
    g_free(request);
}

static void
request_answer(AdminRequest *request, guint status, const char *content_type, char *body)
{
    if (request->answer)
        request->answer(status, content_type, body, request->data);
    else
        secret_free(body);
    admin_request_end(request);
}

void
admin_request_abandon(AdminRequest *request)
{
    request->answer = NULL;
}

static void
request_tell(const AdminRequest *request)
{
    g_autofree char *device =
        request->id ? g_strjoin("/", request->id, request->module, NULL) : NULL;
    const char *what = device ? device : request->name;
    g_autofree char *text = NULL;

    if (request->record)
        admin_record(request, request->record, what, request->detail);
    if (!request->verb)
        return;
    text = g_strdup_printf("%s %s %s", request->verb, request->what, what);
    event_log(EVENT_REGISTRY_CHANGED, &(EventData){.uid = request->uid, .detail = text});
}

void
admin_request_answer_json(AdminRequest *request, guint status, JsonBuilder *builder)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);

    g_object_unref(builder);
    if (status < 300)
        request_tell(request);
    request_answer(request, status, "application/json", json_to_string(root, FALSE));
}

void
admin_request_answer_as(AdminRequest *request, const char *content_type, char *text)
{
    request_tell(request);
    request_answer(request, 200, content_type, text);
}

void
admin_request_answer_text(AdminRequest *request, char *secret)
{
    admin_request_answer_as(request, "text/plain", secret);
}

void
admin_request_fail(AdminRequest *request, guint status, const char *code, const char *format, ...)
{
    JsonBuilder *builder = json_builder_new();
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "error");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "code");
    json_builder_add_string_value(builder, code);
    json_builder_set_member_name(builder, "message");
    json_builder_add_string_value(builder, message);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    admin_request_answer_json(request, status, builder);
}

static guint
status_of_code(RegistryCode code)
{
    switch (code) {
    case REGISTRY_NOT_FOUND:
        return 404;
    case REGISTRY_EXISTS:
        return 409;
    case REGISTRY_INVALID:
        return 400;
    case REGISTRY_LIMIT:
        return 403;
    case REGISTRY_STORAGE:
        return 507;
    case REGISTRY_BUSY:
    case REGISTRY_CLOSED:
        return 503;
    default:
        return 500;
    }
}

void
admin_request_fail_registry(AdminRequest *request, const RegistryResult *result, const char *what,
                            const char *name)
{
    guint status = status_of_code(result->code);
    const char *code = registry_code_name(result->code);

    if (result->code == REGISTRY_NOT_FOUND)
        admin_request_fail(request, status, code, "there is no %s '%s'", what, name);
    else if (result->code == REGISTRY_EXISTS)
        admin_request_fail(request, status, code, "there is a %s '%s' already", what, name);
    else
        admin_request_fail(request, status, code, "%s '%s': %s", what, name, result->message);
}

const char *
admin_request_text(const AdminRequest *request, const char *member)
{
    JsonNode *node = request->body ? json_object_get_member(request->body, member) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

gboolean
admin_request_boolean(const AdminRequest *request, const char *member, gboolean *ret_value)
{
    JsonNode *node = request->body ? json_object_get_member(request->body, member) : NULL;

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
        return FALSE;
    *ret_value = json_node_get_boolean(node);
    return TRUE;
}

char *
admin_request_query(const AdminRequest *request, const char *name)
{
    Slice value;

    if (!http_query_get(slice_of(request->query), name, &value))
        return NULL;
    return percent_decode_text(value.ptr, value.len);
}

/* Compares one segment of a pattern with one of the path. A variable is stored in REQUEST. */
static gboolean
segment_matches(Slice pattern, const HttpPath *path, guint index, AdminRequest *request)
{
    g_autofree char *literal = slice_dup(pattern);
    char **variable = strcmp(literal, "{id}") == 0       ? &request->id
                      : strcmp(literal, "{module}") == 0 ? &request->module
                      : strcmp(literal, "{name}") == 0   ? &request->name
                                                         : NULL;

    if (!variable)
        return http_path_is(path, index, slice_of(literal));
    g_free(*variable);
    *variable = http_path_decode(path, index);
    return *variable != NULL;
}

static gboolean
admin_pattern_matches(const char *pattern, const HttpPath *path, AdminRequest *request)
{
    const char *rest = pattern;
    guint index = 0;

    for (;; index++) {
        gsize len = strcspn(rest, "/");

        if (index >= path->count || !segment_matches((Slice){rest, len}, path, index, request))
            return FALSE;
        if (rest[len] == '\0')
            return index + 1 == path->count;
        rest += len + 1;
    }
}

static const AdminRoute *
route_find(Slice method, const HttpPath *path, AdminRequest *request)
{
    for (const AdminRoute *route = routes; route->method; route++) {
        g_clear_pointer(&request->id, g_free);
        g_clear_pointer(&request->module, g_free);
        g_clear_pointer(&request->name, g_free);
        if (slice_equal(method, route->method) &&
            admin_pattern_matches(route->pattern, path, request))
            return route;
    }
    return NULL;
}

/* The body must be one strict JSON object, or empty. */
static gboolean
body_parse(AdminRequest *request, const char *body, gsize len, const char **ret_fault)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonGuardResult guard;
    JsonNode *root;

    if (len == 0)
        return TRUE;
    guard = json_guard_check(body, len, NULL, NULL);
    *ret_fault = json_guard_text(guard);
    if (guard != JSON_GUARD_OK)
        return FALSE;
    *ret_fault = "not an object";
    if (!json_parser_load_from_data(parser, body, (gssize)len, NULL))
        return FALSE;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return FALSE;
    request->body = json_object_ref(json_node_get_object(root));
    return TRUE;
}

/* What kind of record a request is about; NULL: none of the registry. */
static const char *
what_of(const AdminRoute *route)
{
    if (g_str_has_prefix(route->pattern, "v1/devices"))
        return "device";
    if (g_str_has_prefix(route->pattern, "v1/invitations"))
        return "invitation";
    return g_str_has_prefix(route->pattern, "v1/users") ? "user" : NULL;
}

/* What the log says about the request; NULL: nothing. Giving out a key changes nothing, but is
 * logged too. */
static const char *
verb_of(const AdminRequest *request, const AdminRoute *route)
{
    gboolean enabled = FALSE;

    /* Only for the registry: the hub logs a change of its certificate itself. */
    if (!request->what)
        return NULL;
    if (g_str_has_suffix(route->pattern, "/keys"))
        return "made a new key for";
    if (g_str_has_suffix(route->pattern, "/rekey"))
        return "asked a new key of";
    if (strcmp(request->what, "invitation") == 0 && strcmp(route->method, "DELETE") == 0)
        return "revoked";
    if (g_str_has_suffix(route->pattern, "/approved"))
        return "approved";
    if (g_str_has_suffix(route->pattern, "/ticket"))
        return "took the key of";
    if (strcmp(route->method, "POST") == 0)
        return "added";
    if (strcmp(route->method, "DELETE") == 0)
        return "removed";
    if (strcmp(route->method, "PATCH") == 0)
        return "changed";
    if (strcmp(route->method, "PUT") == 0)
        return admin_request_boolean(request, "enabled", &enabled) && enabled ? "enabled"
                                                                              : "disabled";
    return g_str_has_suffix(route->pattern, "/connection-string") ? "took the connection string of"
                                                                  : NULL;
}

static void
request_run(AdminRequest *request, const AdminRoute *route, Slice body)
{
    request->what = what_of(route);
    request->verb = verb_of(request, route);
    request->record = route->record;
    request->detail = route->record ? admin_record_detail(request->body) : NULL;
    request->raw = route->lines ? body : (Slice){0};
    route->handler(request);
}

void
admin_request_start(const AdminHub *hub, guint32 uid, Slice method, Slice path, Slice query,
                    Slice body, AdminAnswer answer, void *data, AdminRequest **ret_request)
{
    AdminRequest *request = g_new0(AdminRequest, 1);
    const AdminRoute *route = NULL;
    const char *fault = NULL;
    HttpPath segments;

    request->hub = hub;
    request->uid = uid;
    request->query = slice_dup(query);
    request->answer = answer;
    request->data = data;
    *ret_request = request;
    if (http_path_split(path, &segments))
        route = route_find(method, &segments, request);
    if (!route)
        admin_request_fail(request, 404, "no-such-call", "there is no such call");
    else if (!route->lines && !body_parse(request, body.ptr, body.len, &fault))
        admin_request_fail(request, 400, "invalid", "the body is not good JSON: %s", fault);
    else
        request_run(request, route, body);
}
