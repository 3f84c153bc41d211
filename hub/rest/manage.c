/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One device or module, or its twin, is read, changed or removed (docs/wire-protocol.md,
 * section 6). */
#include "hub/rest/call.h"

#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "hub/registry/write.h"
#include "hub/rest/condition.h"
#include "hub/rest/identity.h"
#include "hub/rest/tell.h"
#include "hub/rest/twin.h"

static RouteKind
kind_of(const RestCall *call)
{
    return call->request->match.route->kind;
}

static const char *
device_of(const RestCall *call)
{
    return call->request->match.parts[ROUTE_DEVICE];
}

static const char *
module_of(const RestCall *call)
{
    return call->request->match.parts[ROUTE_MODULE];
}

RestError
manage_error(RegistryCode code, const char *module)
{
    switch (code) {
    case REGISTRY_NOT_FOUND:
        return module ? REST_MODULE_NOT_FOUND : REST_DEVICE_NOT_FOUND;
    case REGISTRY_EXISTS:
        return module ? REST_MODULE_EXISTS : REST_DEVICE_EXISTS;
    case REGISTRY_INVALID:
        return REST_ARGUMENT_INVALID;
    case REGISTRY_LIMIT:
        return REST_QUOTA_EXCEEDED;
    case REGISTRY_CHANGED:
        return REST_CHANGED;
    case REGISTRY_DENIED:
        return REST_FORBIDDEN;
    case REGISTRY_STORAGE:
        return REST_STORAGE;
    case REGISTRY_FAILED:
        return REST_SERVER_ERROR;
    default:
        return REST_UNAVAILABLE;
    }
}

/* The registry's own words, where they say more than the error does. */
static void
fail_registry(RestCall *call, const RegistryResult *result)
{
    g_autofree char *text = NULL;

    if (result->code == REGISTRY_INVALID || result->code == REGISTRY_STORAGE)
        text = g_strdup_printf("%s.", result->message);
    if (result->code == REGISTRY_DENIED)
        text = g_strdup("This user may not make a device of this name, or not change its tags.");
    call_fail(call, manage_error(result->code, module_of(call)), text);
}

static gboolean
is_connected(const RestCall *call, const RegistryDevice *device)
{
    g_autofree char *client_id = g_strjoin("/", device->id, device->module, NULL);

    return devices_is_connected(call->rest->devices, client_id);
}

/* KEYS: may be shown where the answer is an identity. */
static void
answer_device(RestCall *call, const RegistryDevice *device, gboolean keys)
{
    g_auto(SecretString) body = g_string_sized_new(1024);
    g_autofree char *etag = g_strdup_printf("\"%" G_GUINT64_FORMAT "\"", device->etag);
    g_autoptr(GString) fields = g_string_new(NULL);

    if (kind_of(call) == ROUTE_IDENTITY_GET || kind_of(call) == ROUTE_IDENTITY_PUT)
        identity_append(&body, device, is_connected(call, device), keys);
    else
        twin_append(body, device, is_connected(call, device));
    (void)!http_header_append(fields, "ETag", etag);
    call_answer(call, 200, fields->str, body->str);
}

/* Whether RESULT is a device that the user reaches. Otherwise the call is over. */
static gboolean
call_reaches(RestCall *call, const RegistryResult *result)
{
    if (!call->rest) {
        call_free(call);
        return FALSE;
    }
    if (call->revoked) {
        call_fail(call, REST_UNAUTHORIZED, NULL);
        return FALSE;
    }
    call->unreached =
        result->code == REGISTRY_OK &&
        !registry_scope_has_device(call->scope, result->device->id, result->device->tags);
    if (result->code == REGISTRY_OK && !call->unreached)
        return TRUE;
    if (result->code == REGISTRY_OK || result->code == REGISTRY_INVALID)
        call_fail(call, manage_error(REGISTRY_NOT_FOUND, module_of(call)), NULL);
    else
        fail_registry(call, result);
    return FALSE;
}

static void
on_found(const RegistryResult *result, void *data)
{
    RestCall *call = data;

    if (call_reaches(call, result))
        answer_device(call, result->device, TRUE);
}

static void
on_modules(const RegistryResult *result, void *data)
{
    RestCall *call = data;
    g_auto(SecretString) body = g_string_new("[");

    if (!call->rest) {
        call_free(call);
        return;
    }
    if (result->code != REGISTRY_OK) {
        fail_registry(call, result);
        return;
    }
    for (gsize i = 0; i < result->n_devices; i++) {
        const RegistryDevice *device = result->devices[i];

        if (g_strcmp0(device->id, device_of(call)) != 0)
            break;
        if (i > 0)
            secret_append(&body, ",", 1);
        identity_append(&body, device, is_connected(call, device), TRUE);
    }
    secret_append(&body, "]", 1);
    call_answer(call, 200, NULL, body->str);
}

/* The modules of a device come behind it. */
static void
on_found_with_modules(const RegistryResult *result, void *data)
{
    RestCall *call = data;

    if (call_reaches(call, result))
        registry_list_devices(call->rest->registry, device_of(call), NULL, REGISTRY_MODULES_MAX,
                              on_modules, call);
}

static void
on_written(const RegistryResult *result, void *data)
{
    RestCall *call = data;
    gboolean made;

    if (!call->rest) {
        call_free(call);
        return;
    }
    if (call->revoked && result->code != REGISTRY_OK) {
        call_fail(call, REST_UNAUTHORIZED, NULL);
        return;
    }
    if (result->code == REGISTRY_EXISTS && call->request->if_none_match) {
        call_fail(call, REST_CHANGED, "It exists already.");
        return;
    }
    if (result->code != REGISTRY_OK) {
        fail_registry(call, result);
        return;
    }
    rest_tell_written(call, result);
    if (kind_of(call) == ROUTE_IDENTITY_DELETE) {
        call_answer(call, 204, NULL, NULL);
        return;
    }
    /* Who makes a device needs the keys that the hub has made for it. */
    made = !call->request->if_match;
    answer_device(call, result->device, made || (call->rights & REGISTRY_RIGHT_READ) != 0);
}

/* FALSE: a condition is malformed, and the call is over. Without If-Match a PUT of an identity
 * makes one; everything else then goes ahead whatever is there. */
static gboolean
read_conditions(RestCall *call, RegistryWrite *write)
{
    const Request *request = call->request;
    guint64 ignored = 0;
    Condition match = condition_parse(request->if_match, &write->etag);
    Condition none = condition_parse(request->if_none_match, &ignored);

    if (match == CONDITION_FAULT || none == CONDITION_FAULT) {
        call_fail(call, REST_ARGUMENT_INVALID, "A condition is * or one ETag in double quotes.");
        return FALSE;
    }
    if (none == CONDITION_ETAG || (none != CONDITION_NONE && match != CONDITION_NONE) ||
        (none != CONDITION_NONE && kind_of(call) != ROUTE_IDENTITY_PUT)) {
        call_fail(call, REST_ARGUMENT_INVALID,
                  "If-None-Match may be *, without If-Match, where a device or module is made.");
        return FALSE;
    }
    write->conditional = match == CONDITION_ETAG;
    write->mode = kind_of(call) == ROUTE_IDENTITY_DELETE ? REGISTRY_WRITE_REMOVE
                  : kind_of(call) == ROUTE_IDENTITY_PUT && match == CONDITION_NONE
                      ? REGISTRY_WRITE_CREATE
                      : REGISTRY_WRITE_UPDATE;
    return TRUE;
}

static gboolean
read_body(RestCall *call, RegistryWrite *write)
{
    GString *body = call->request->body;
    const char *device = device_of(call), *module = module_of(call);
    g_autofree char *why = NULL;
    gboolean ok = TRUE;

    if (kind_of(call) == ROUTE_IDENTITY_PUT)
        ok = identity_parse(body->str, body->len, device, module, write, &why);
    else if (kind_of(call) != ROUTE_IDENTITY_DELETE)
        ok = twin_parse(body->str, body->len, kind_of(call) == ROUTE_TWIN_PUT, device, module,
                        write, &why);
    if (!ok)
        call_fail(call, REST_ARGUMENT_INVALID, why);
    return ok;
}

static void
begin_write(RestCall *call)
{
    gboolean twin = kind_of(call) == ROUTE_TWIN_PATCH || kind_of(call) == ROUTE_TWIN_PUT;
    g_auto(RegistryWrite) write = {
        .id = g_strdup(device_of(call)),
        .module = g_strdup(module_of(call)),
        .policy = g_strdup(call->policy),
    };

    if (twin && !registry_write_may_tag(call->scope)) {
        call_fail(call, REST_FORBIDDEN, "A user with a scope may not change tags.");
        return;
    }
    if (read_conditions(call, &write) && read_body(call, &write))
        registry_write_device(call->rest->registry, &write, on_written, call);
}

static void
on_counted(const RegistryResult *result, void *data)
{
    RestCall *call = data;
    const RegistryCounts *counts = result->extra;
    g_autofree char *body = NULL;

    if (!call->rest) {
        call_free(call);
        return;
    }
    if (result->code != REGISTRY_OK) {
        fail_registry(call, result);
        return;
    }
    body = g_strdup_printf("{\"totalDeviceCount\":%" G_GUINT64_FORMAT
                           ",\"enabledDeviceCount\":%" G_GUINT64_FORMAT
                           ",\"disabledDeviceCount\":%" G_GUINT64_FORMAT "}",
                           counts->devices, counts->enabled, counts->devices - counts->enabled);
    call_answer(call, 200, NULL, body);
}

/* How many there are is nothing for who may not see all of them. */
static void
begin_count(RestCall *call)
{
    g_autofree char *body = NULL;

    if (registry_scope_is_narrow(call->scope)) {
        call_fail(call, REST_FORBIDDEN, "This user may not count every device.");
    } else if (kind_of(call) == ROUTE_COUNT_DEVICES) {
        registry_count_devices(call->rest->registry, on_counted, call);
    } else {
        body = g_strdup_printf("{\"connectedDeviceCount\":%u}", devices_count(call->rest->devices));
        call_answer(call, 200, NULL, body);
    }
}

static void
begin_read(RestCall *call)
{
    gboolean modules = kind_of(call) == ROUTE_MODULES;

    if (kind_of(call) == ROUTE_TWIN_GET && !call->rest->settings->users_may_list &&
        !(call->rights & REGISTRY_RIGHT_READ))
        call_fail(call, REST_FORBIDDEN, "Users may not list devices at this hub.");
    else
        registry_lookup_device(call->rest->registry, device_of(call), module_of(call),
                               modules ? on_found_with_modules : on_found, call);
}

void
manage_begin(RestCall *call)
{
    switch (kind_of(call)) {
    case ROUTE_COUNT_DEVICES:
    case ROUTE_COUNT_CONNECTED:
        begin_count(call);
        break;
    case ROUTE_IDENTITY_GET:
    case ROUTE_MODULES:
    case ROUTE_TWIN_GET:
        begin_read(call);
        break;
    default:
        begin_write(call);
        break;
    }
}
