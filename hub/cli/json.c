/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/json.h"

#include "common/codec/percent.h"

static JsonNode *
value_of(JsonNode *object, const char *member, GType type)
{
    JsonNode *node = JSON_NODE_HOLDS_OBJECT(object)
                         ? json_object_get_member(json_node_get_object(object), member)
                         : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node
                                                                                         : NULL;
}

const char *
verb_json_text(JsonNode *object, const char *member)
{
    JsonNode *node = value_of(object, member, G_TYPE_STRING);

    return node ? json_node_get_string(node) : "";
}

gint64
verb_json_number(JsonNode *object, const char *member)
{
    JsonNode *node = value_of(object, member, G_TYPE_INT64);

    return node ? json_node_get_int(node) : 0;
}

gboolean
verb_json_boolean(JsonNode *object, const char *member)
{
    JsonNode *node = value_of(object, member, G_TYPE_BOOLEAN);

    return node && json_node_get_boolean(node);
}

JsonArray *
verb_json_array(JsonNode *object, const char *member)
{
    JsonNode *node = JSON_NODE_HOLDS_OBJECT(object)
                         ? json_object_get_member(json_node_get_object(object), member)
                         : NULL;

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

char *
verb_device_path(const char *id, const char *module, const char *tail)
{
    GString *path = g_string_new("/v1/devices/");

    percent_append(path, PERCENT_SEGMENT, id, -1);
    if (module) {
        g_string_append(path, "/modules/");
        percent_append(path, PERCENT_SEGMENT, module, -1);
    }
    g_string_append(path, tail);
    return g_string_free(path, FALSE);
}

char *
verb_user_path(const char *name, const char *tail)
{
    GString *path = g_string_new("/v1/users/");

    percent_append(path, PERCENT_SEGMENT, name, -1);
    g_string_append(path, tail);
    return g_string_free(path, FALSE);
}

char *
verb_invitation_path(const char *name, const char *tail)
{
    GString *path = g_string_new("/v1/invitations/");

    percent_append(path, PERCENT_SEGMENT, name, -1);
    g_string_append(path, tail);
    return g_string_free(path, FALSE);
}
