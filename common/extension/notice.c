/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/extension/notice.h"

#include "common/codec/json-guard.h"

#include <string.h>

static gboolean
kind_is_valid(const char *kind)
{
    gsize len = kind ? strlen(kind) : 0;

    if (len == 0 || len > NOTICE_KIND_MAX)
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_islower(kind[i]) && !g_ascii_isdigit(kind[i]) && kind[i] != '-')
            return FALSE;
    return TRUE;
}

/* NULL when there is no such member, or when it is not of that type. */
static JsonNode *
member_of(JsonObject *fields, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(fields, name);

    return node && json_node_get_value_type(node) == type ? node : NULL;
}

static const char *
guard(Slice payload)
{
    const JsonGuardLimits limits = {.size = NOTICE_MAX, .depth = NOTICE_DEPTH_MAX};
    JsonGuardResult result = json_guard_check(payload.ptr, payload.len, &limits, NULL);

    return result == JSON_GUARD_OK ? NULL : json_guard_text(result);
}

gboolean
notice_parse(Slice payload, Notice *ret, const char **ret_fault)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root, *kind;
    JsonObject *fields;

    *ret_fault = guard(payload);
    if (*ret_fault)
        return FALSE;
    *ret_fault = "it is not a JSON object";
    if (!json_parser_load_from_data(parser, payload.ptr, (gssize)payload.len, NULL))
        return FALSE;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return FALSE;
    fields = json_node_get_object(root);
    kind = member_of(fields, "kind", G_TYPE_STRING);
    *ret_fault = "its \"kind\" is missing, or is not 1 to 32 of a-z 0-9 -";
    if (!kind || !kind_is_valid(json_node_get_string(kind)))
        return FALSE;
    *ret = (Notice){.kind = json_node_get_string(kind), .fields = json_object_ref(fields)};
    *ret_fault = NULL;
    return TRUE;
}

void
notice_clear(Notice *notice)
{
    g_clear_pointer(&notice->fields, json_object_unref);
    notice->kind = NULL;
}

const char *
notice_text(const Notice *notice, const char *name, gsize max)
{
    JsonNode *node = member_of(notice->fields, name, G_TYPE_STRING);
    const char *text = node ? json_node_get_string(node) : NULL;

    if (!text || strlen(text) > max)
        return NULL;
    for (const char *c = text; *c; c++)
        if (g_ascii_iscntrl(*c))
            return NULL;
    return text;
}

gint64
notice_number(const Notice *notice, const char *name, gint64 fallback)
{
    JsonNode *node = member_of(notice->fields, name, G_TYPE_INT64);
    gint64 number = node ? json_node_get_int(node) : -1;

    return number >= 0 ? number : fallback;
}

static void
member_copy(JsonObject *object G_GNUC_UNUSED, const char *name, JsonNode *node, gpointer data)
{
    json_object_set_member(data, name, json_node_copy(node));
}

char *
notice_build(const char *kind, JsonObject *fields)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *all = json_object_new();
    g_autofree char *text = NULL;

    json_node_take_object(root, all);
    if (!kind_is_valid(kind))
        return NULL;
    json_object_set_string_member(all, "kind", kind);
    if (fields)
        json_object_foreach_member(fields, member_copy, all);
    json_object_set_string_member(all, "kind", kind);
    text = json_to_string(root, FALSE);
    return guard(slice_of(text)) ? NULL : g_steal_pointer(&text);
}
