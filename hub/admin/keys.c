/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers when keys are to be changed. No answer shows one: who wants it asks
 * for the connection string. */
#include "hub/admin/request.h"
#include "hub/registry/keys.h"

static char *
subject_of(const AdminRequest *request)
{
    return request->name ? g_strdup(request->name)
                         : g_strjoin("/", request->id, request->module, NULL);
}

static void
member_number(JsonBuilder *builder, const char *name, guint value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

/* The device or user, with what lost its connection. */
static void
answer_regenerated(AdminRequest *request, const RegistryResult *result)
{
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, request->name ? "user" : "device");
    if (request->name)
        admin_user_build(builder, result->policy);
    else
        admin_device_build(builder, request->hub, result->device);
    json_builder_set_member_name(builder, "cut");
    json_builder_begin_object(builder);
    member_number(builder, "devices", request->cut.devices);
    member_number(builder, "streams", request->cut.streams);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

static void
on_regenerated(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *subject = subject_of(request);

    if (result->code == REGISTRY_OK)
        answer_regenerated(request, result);
    else
        admin_request_fail_registry(request, result, request->name ? "user" : "device", subject);
}

/* FALSE: the request was answered. */
static gboolean
take_keys(AdminRequest *request)
{
    request->keys = (StreamhubKeys){
        .device = request->id,
        .module = request->module,
        .user = request->name,
        .keys = registry_keys_parse(admin_request_text(request, "regenerate")),
    };
    if (request->keys.keys == REGISTRY_KEYS_NONE) {
        admin_request_fail(request, 400, "invalid", "regenerate is primary, secondary or both");
        return FALSE;
    }
    if (request->hub->key_use)
        request->cut = request->hub->key_use(request->hub->data, &request->keys);
    return TRUE;
}

void
admin_device_regenerate(AdminRequest *request)
{
    if (take_keys(request))
        registry_new_device_keys(request->hub->registry, request->id, request->module,
                                 request->keys.keys, on_regenerated, request);
}

void
admin_user_regenerate(AdminRequest *request)
{
    if (take_keys(request))
        registry_new_policy_keys(request->hub->registry, request->name, request->keys.keys,
                                 on_regenerated, request);
}

static void
answer_rekey(AdminRequest *request, const RekeyResult *result)
{
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "deviceId");
    json_builder_add_string_value(builder, request->id);
    if (request->module) {
        json_builder_set_member_name(builder, "moduleId");
        json_builder_add_string_value(builder, request->module);
    }
    json_builder_set_member_name(builder, "result");
    json_builder_add_string_value(builder, rekey_result_name(result->code));
    if (result->detail) {
        json_builder_set_member_name(builder, "detail");
        json_builder_add_string_value(builder, result->detail);
    }
    json_builder_end_object(builder);
    if (result->code != REKEY_RESULT_DONE && result->code != REKEY_RESULT_PENDING)
        request->record = NULL; /* nothing has changed */
    admin_request_answer_json(request, 200, builder);
}

static void
on_rekey(const RekeyResult *result, void *data)
{
    AdminRequest *request = data;
    g_autofree char *subject = subject_of(request);

    if (result->code == REKEY_RESULT_OFF)
        admin_request_fail(request, 403, "limit",
                           "the hub may change no device's key over its connection: its setting "
                           "'rekey' is 'no'");
    else if (result->failure)
        admin_request_fail_registry(request, result->failure, "device", subject);
    else
        answer_rekey(request, result);
}

void
admin_device_rekey(AdminRequest *request)
{
    request->hub->rekey(request->hub->data, request->id, request->module, on_rekey, request);
}
