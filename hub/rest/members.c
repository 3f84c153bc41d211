/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/members.h"

#include "common/codec/json-guard.h"

#include <string.h>

gboolean
members_guard(const char *body, gsize len, gsize size, char **ret_why)
{
    const JsonGuardLimits limits = {.size = size, .depth = JSON_GUARD_DEPTH_MAX};
    gsize offset = 0;
    JsonGuardResult guard = json_guard_check(body, len, &limits, &offset);

    if (guard == JSON_GUARD_OK)
        return TRUE;
    *ret_why = g_strdup_printf("The body is no JSON: %s, at byte %zu.", json_guard_text(guard),
                               offset + 1);
    return FALSE;
}

JsonParser *
members_parse(const char *body, gsize len, gsize size, char **ret_why)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    if (!members_guard(body, len, size, ret_why))
        return NULL;
    if (json_parser_load_from_data(parser, body, (gssize)len, NULL) && json_parser_get_root(parser))
        return g_steal_pointer(&parser);
    *ret_why = g_strdup("The body is no JSON.");
    return NULL;
}

/* NULL: absent or null. */
static JsonNode *
member_find(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && !json_node_is_null(node) ? node : NULL;
}

gboolean
members_text(JsonObject *object, const char *name, const char **ret, char **ret_why)
{
    JsonNode *node = member_find(object, name);

    if (node && json_node_get_value_type(node) != G_TYPE_STRING) {
        *ret_why = g_strdup_printf("%s is a text.", name);
        return FALSE;
    }
    *ret = node ? json_node_get_string(node) : NULL;
    return TRUE;
}

gboolean
members_object(JsonObject *object, const char *name, JsonObject **ret, char **ret_why)
{
    JsonNode *node = member_find(object, name);

    if (node && !JSON_NODE_HOLDS_OBJECT(node)) {
        *ret_why = g_strdup_printf("%s is an object.", name);
        return FALSE;
    }
    *ret = node ? json_node_get_object(node) : NULL;
    return TRUE;
}

gboolean
members_known(JsonObject *object, const char *const *known, const char *what, char **ret_why)
{
    JsonObjectIter iter;
    const char *name;

    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, NULL))
        if (!g_strv_contains(known, name)) {
            *ret_why = g_strdup_printf("'%.64s' is no member of %s.", name, what);
            return FALSE;
        }
    return TRUE;
}

gboolean
members_same(JsonObject *object, const char *name, const char *wanted, char **ret_why)
{
    const char *text;

    if (!members_text(object, name, &text, ret_why))
        return FALSE;
    if (!text || g_strcmp0(text, wanted) == 0)
        return TRUE;
    *ret_why = wanted ? g_strdup_printf("%s is '%.128s' in the body, and '%s' in the path.", name,
                                        text, wanted)
                      : g_strdup_printf("%s stands in the body, and not in the path.", name);
    return FALSE;
}
