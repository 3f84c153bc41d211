/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/twin.h"

#include "hub/edge/error.h"
#include "hub/edge/route.h"
#include "hub/registry/labels-json.h"
#include "hub/rest/members.h"

/* Clients send back what they have read. */
static const char *const twin_members[] = {"deviceId",
                                           "moduleId",
                                           "etag",
                                           "deviceEtag",
                                           "version",
                                           "tags",
                                           "properties",
                                           "status",
                                           "statusReason",
                                           "statusUpdateTime",
                                           "connectionState",
                                           "lastActivityTime",
                                           "cloudToDeviceMessageCount",
                                           "authenticationType",
                                           "x509Thumbprint",
                                           "capabilities",
                                           "deviceScope",
                                           "parentScopes",
                                           "modelId",
                                           "comment",
                                           NULL};

static void
append_member(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, ",\"%s\":\"", name);
    rest_append_text(out, value);
    g_string_append_c(out, '"');
}

void
twin_append_tags(GString *out, const RegistryTags *tags)
{
    const char *const *tag = registry_tags_list(tags);

    g_string_append_c(out, '{');
    for (guint i = 0; tag[i]; i++) {
        gsize key = strcspn(tag[i], "=");

        g_string_append_printf(out, "%s\"%.*s\":\"", i > 0 ? "," : "", (int)key, tag[i]);
        rest_append_text(out, tag[i] + key + 1);
        g_string_append_c(out, '"');
    }
    g_string_append_c(out, '}');
}

void
twin_append(GString *out, const RegistryDevice *device, gboolean connected)
{
    static const char nothing[] = "{\"$metadata\":{},\"$version\":1}";

    g_string_append_printf(out, "{\"deviceId\":\"%s\"", device->id);
    if (device->module)
        append_member(out, "moduleId", device->module);
    g_string_append_printf(out, ",\"etag\":\"%" G_GUINT64_FORMAT "\"", device->etag);
    g_string_append_printf(out, ",\"deviceEtag\":\"%" G_GUINT64_FORMAT "\"", device->etag);
    append_member(out, "status", device->enabled ? "enabled" : "disabled");
    if (device->comment)
        append_member(out, "statusReason", device->comment);
    append_member(out, "connectionState", connected ? "Connected" : "Disconnected");
    append_member(out, "authenticationType", registry_auth_kind_name(device->auth.kind));
    g_string_append(out, ",\"cloudToDeviceMessageCount\":0,\"capabilities\":{\"iotEdge\":false}"
                         ",\"tags\":");
    twin_append_tags(out, device->tags);
    g_string_append_printf(out, ",\"properties\":{\"desired\":%s,\"reported\":%s}}", nothing,
                           nothing);
}

/* A property whose name begins with $ is IoT Hub's own. */
static gboolean
has_properties(JsonObject *properties, const char *kind)
{
    JsonNode *node = json_object_get_member(properties, kind);
    JsonObjectIter iter;
    const char *name;

    if (!node || json_node_is_null(node))
        return FALSE;
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return TRUE;
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, NULL))
        if (name[0] != '$')
            return TRUE;
    return FALSE;
}

static gboolean
refuse_properties(JsonObject *object, char **ret_why)
{
    JsonObject *properties = NULL;

    if (!members_object(object, "properties", &properties, ret_why))
        return FALSE;
    if (!properties ||
        (!has_properties(properties, "desired") && !has_properties(properties, "reported")))
        return TRUE;
    *ret_why = g_strdup("This hub keeps the tags of a twin, and no properties.");
    return FALSE;
}

gboolean
twin_read(JsonObject *object, gboolean replaces, RegistryWrite *write, char **ret_why)
{
    g_autoptr(GStrvBuilder) put = g_strv_builder_new(), removed = g_strv_builder_new();
    g_autofree char *why = NULL;
    JsonObject *tags = NULL;

    if (!refuse_properties(object, ret_why) || !members_object(object, "tags", &tags, ret_why))
        return FALSE;
    write->replace = replaces;
    if (!tags || json_object_get_size(tags) == 0)
        return TRUE;
    if (json_object_get_size(tags) > 2 * REGISTRY_TAGS_MAX)
        why = g_strdup("there are too many");
    else
        (void)registry_tags_read(tags, put, removed, &why);
    if (why) {
        *ret_why = g_strdup_printf("tags: %s. They are flat, as {\"site\": \"berlin\"}.", why);
        return FALSE;
    }
    write->tags = g_strv_builder_end(put);
    write->no_tags = g_strv_builder_end(removed);
    return TRUE;
}

gboolean
twin_parse(const char *body, gsize len, gboolean replaces, const char *device, const char *module,
           RegistryWrite *write, char **ret_why)
{
    g_autoptr(JsonParser) parser = NULL;
    g_auto(RegistryWrite) read = {0};
    JsonNode *root;

    *ret_why = NULL;
    parser = members_parse(body, len, ROUTE_TWIN_MAX, ret_why);
    root = parser ? json_parser_get_root(parser) : NULL;
    if (!root)
        return FALSE;
    if (!JSON_NODE_HOLDS_OBJECT(root)) {
        *ret_why = g_strdup("The body is an object: {\"tags\": {\"site\": \"berlin\"}}.");
        return FALSE;
    }
    if (!members_known(json_node_get_object(root), twin_members, "a twin", ret_why) ||
        !members_same(json_node_get_object(root), "deviceId", device, ret_why) ||
        !members_same(json_node_get_object(root), "moduleId", module, ret_why) ||
        !twin_read(json_node_get_object(root), replaces, &read, ret_why))
        return FALSE;
    write->replace = read.replace;
    write->tags = g_steal_pointer(&read.tags);
    write->no_tags = g_steal_pointer(&read.no_tags);
    return TRUE;
}
