/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device add|show|remove|enable|disable */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/codec/device-id.h"
#include "hub/verb/json.h"

/* Names are looked at before anything is asked, so that a mistyped one says so. */
static gboolean
device_check_names(const CliCall *call, GError **error)
{
    const char *id = call->args[0], *module = call->options->module;
    const char *bad = !device_id_is_valid(id, -1)                 ? id
                      : module && !device_id_is_valid(module, -1) ? module
                                                                  : NULL;

    if (!bad)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "'%s' is not a name: 1 to 128 of letters, digits, '.', '_', ':', '-'", bad);
    return FALSE;
}

/* One call about the device that the arguments name. */
static JsonNode *
ask(const CliCall *call, const char *method, const char *tail, JsonBuilder *body, GError **error)
{
    g_autoptr(AdminClient) client = NULL;
    g_autoptr(JsonBuilder) kept = body;
    g_autofree char *path = NULL;

    if (!device_check_names(call, error))
        return NULL;
    client = cli_connect(call, error);
    if (!client)
        return NULL;
    path = verb_device_path(call->args[0], call->options->module, tail);
    return admin_client_call(client, method, path, g_steal_pointer(&kept), error);
}

static void
print_done(const CliCall *call, const char *what)
{
    const char *module = call->options->module;

    g_print("%s %s %s%s%s\n", what, module ? "module" : "device", call->args[0], module ? "/" : "",
            module ? module : "");
}

JsonNode *
verb_device_create(const CliCall *call, AdminClient *client, GError **error)
{
    JsonBuilder *body;

    if (!device_check_names(call, error))
        return NULL;
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "deviceId");
    json_builder_add_string_value(body, call->args[0]);
    if (call->options->module) {
        json_builder_set_member_name(body, "moduleId");
        json_builder_add_string_value(body, call->options->module);
    }
    json_builder_end_object(body);
    return admin_client_call(client, "POST", "/v1/devices", body, error);
}

gboolean
verb_device_add(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer = client ? verb_device_create(call, client, error) : NULL;

    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(answer);
    else
        print_done(call, "Added");
    return TRUE;
}

static void
print_device(JsonNode *device)
{
    static const char *const lines[][2] = {
        {"Device", "deviceId"},         {"Module", "moduleId"},
        {"Status", "status"},           {"Connection", "connectionState"},
        {"Generation", "generationId"}, {"ETag", "etag"},
        {"Created", "createdTime"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        if (*verb_json_text(device, lines[i][1]))
            g_print("%-12s%s\n", lines[i][0], verb_json_text(device, lines[i][1]));
}

gboolean
verb_device_show(const CliCall *call, GError **error)
{
    g_autoptr(JsonNode) device = ask(call, "GET", "", NULL, error);

    if (!device)
        return FALSE;
    if (call->options->json)
        cli_print_json(device);
    else
        print_device(device);
    return TRUE;
}

gboolean
verb_device_remove(const CliCall *call, GError **error)
{
    g_autoptr(JsonNode) device = ask(call, "DELETE", "", NULL, error);

    if (device)
        print_done(call, "Removed");
    return device != NULL;
}

static gboolean
set_enabled(const CliCall *call, gboolean enabled, GError **error)
{
    JsonBuilder *body = json_builder_new();
    g_autoptr(JsonNode) device = NULL;

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "enabled");
    json_builder_add_boolean_value(body, enabled);
    json_builder_end_object(body);
    device = ask(call, "PUT", "/enabled", body, error);
    if (device)
        print_done(call, enabled ? "Enabled" : "Disabled");
    return device != NULL;
}

gboolean
verb_device_enable(const CliCall *call, GError **error)
{
    return set_enabled(call, TRUE, error);
}

gboolean
verb_device_disable(const CliCall *call, GError **error)
{
    return set_enabled(call, FALSE, error);
}
