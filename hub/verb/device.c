/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device add|list|show|remove|enable|disable */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/base/table.h"
#include "common/codec/device-id.h"
#include "common/codec/percent.h"
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

gboolean
verb_device_add(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = NULL;
    g_autoptr(JsonNode) answer = NULL;
    JsonBuilder *body;

    if (!device_check_names(call, error))
        return FALSE;
    client = cli_connect(call, error);
    if (!client)
        return FALSE;
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "deviceId");
    json_builder_add_string_value(body, call->args[0]);
    if (call->options->module) {
        json_builder_set_member_name(body, "moduleId");
        json_builder_add_string_value(body, call->options->module);
    }
    json_builder_end_object(body);
    answer = admin_client_call(client, "POST", "/v1/devices", body, error);
    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(answer);
    else
        print_done(call, "Added");
    return TRUE;
}

/* A page behind the last device of PAGE (NULL: the first one). */
static JsonNode *
next_page(AdminClient *client, JsonNode *page, GError **error)
{
    JsonArray *devices = page ? verb_json_array(page, "devices") : NULL;
    guint len = devices ? json_array_get_length(devices) : 0;
    JsonNode *last = len ? json_array_get_element(devices, len - 1) : NULL;
    GString *path = g_string_new("/v1/devices");
    g_autofree char *text = NULL;

    if (last) {
        g_string_append(path, "?after=");
        percent_append(path, PERCENT_SEGMENT, verb_json_text(last, "deviceId"), -1);
        if (*verb_json_text(last, "moduleId")) {
            g_string_append(path, "&afterModule=");
            percent_append(path, PERCENT_SEGMENT, verb_json_text(last, "moduleId"), -1);
        }
    }
    text = g_string_free(path, FALSE);
    return admin_client_call(client, "GET", text, NULL, error);
}

static JsonNode *
all_devices(AdminClient *client, GError **error)
{
    g_autoptr(JsonArray) all = json_array_new();
    g_autoptr(JsonNode) page = NULL;
    JsonNode *root;

    do {
        g_autoptr(JsonNode) next = next_page(client, page, error);
        JsonArray *devices = next ? verb_json_array(next, "devices") : NULL;

        if (!next)
            return NULL;
        for (guint i = 0; devices && i < json_array_get_length(devices); i++)
            json_array_add_element(all, json_array_dup_element(devices, i));
        g_clear_pointer(&page, json_node_unref);
        page = devices && json_array_get_length(devices) ? g_steal_pointer(&next) : NULL;
    } while (page && verb_json_boolean(page, "more"));
    root = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(root, g_steal_pointer(&all));
    return root;
}

static void
print_devices(JsonArray *devices)
{
    g_autoptr(Table) table = table_new("DEVICE", "MODULE", "STATUS", "CONNECTION", "CREATED", NULL);

    for (guint i = 0; i < json_array_get_length(devices); i++) {
        JsonNode *device = json_array_get_element(devices, i);
        g_autofree char *connection =
            g_ascii_strdown(verb_json_text(device, "connectionState"), -1);

        table_add(table, verb_json_text(device, "deviceId"));
        table_add(table, verb_json_text(device, "moduleId"));
        table_add(table, verb_json_text(device, "status"));
        table_add(table, connection);
        table_add(table, verb_json_text(device, "createdTime"));
    }
    table_print(table, "No devices");
}

gboolean
verb_device_list(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) devices = client ? all_devices(client, error) : NULL;

    if (!devices)
        return FALSE;
    if (call->options->json)
        cli_print_json(devices);
    else
        print_devices(json_node_get_array(devices));
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
