/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output as JSON: see output.h. */
#include "common/cli/output.h"

#include <stdio.h>
#include <string.h>

char *
output_snake_case(const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *p = name; *p != '\0'; p++) {
        if (g_ascii_isupper(*p) && p != name)
            g_string_append_c(text, '_');
        g_string_append_c(text, *p == '-' ? '_' : g_ascii_tolower(*p));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void output_build(JsonBuilder *builder, GVariant *value);

static void
output_build_object(JsonBuilder *builder, GVariant *value)
{
    (void)json_builder_begin_object(builder);
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) name = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) member = g_variant_get_child_value(entry, 1);
        g_autofree char *key = output_snake_case(g_variant_get_string(name, NULL));

        (void)json_builder_set_member_name(builder, key);
        output_build(builder, member);
    }
    (void)json_builder_end_object(builder);
}

static void
output_build_array(JsonBuilder *builder, GVariant *value)
{
    (void)json_builder_begin_array(builder);
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(value, i);

        output_build(builder, member);
    }
    (void)json_builder_end_array(builder);
}

static void
output_build(JsonBuilder *builder, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        output_build(builder, inner);
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}"))) {
        output_build_object(builder, value);
    } else if (g_variant_is_container(value)) {
        output_build_array(builder, value);
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        (void)json_builder_add_boolean_value(builder, g_variant_get_boolean(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
        (void)json_builder_add_int_value(builder, (gint64)g_variant_get_uint64(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64)) {
        (void)json_builder_add_int_value(builder, g_variant_get_int64(value));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        (void)json_builder_add_int_value(builder, (gint64)g_variant_get_uint32(value));
    } else {
        (void)json_builder_add_string_value(builder, g_variant_get_string(value, NULL));
    }
}

void
output_json(GVariant *value, gboolean compact)
{
    g_autoptr(GVariant) own = g_variant_ref_sink(value);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    output_build(builder, own);
    root = json_builder_get_root(builder);
    text = json_to_string(root, !compact);
    (void)puts(text);
    (void)fflush(stdout);
}

/* Members whose names users have chosen; those names stay as they are. */
static const char *const foreign[] = {"tags", NULL};

/* As output_build(), for a document with names that users have chosen. */
static JsonNode *
output_renamed(JsonNode *node)
{
    JsonNode *made = json_node_new(json_node_get_node_type(node));

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        g_autoptr(JsonObject) object = json_object_new();
        g_autoptr(GList) names = json_object_get_members(json_node_get_object(node));

        for (const GList *name = names; name != NULL; name = name->next) {
            JsonNode *member = json_object_get_member(json_node_get_object(node), name->data);
            g_autofree char *key = output_snake_case(name->data);

            json_object_set_member(object, key,
                                   g_strv_contains(foreign, name->data) ? json_node_copy(member)
                                                                        : output_renamed(member));
        }
        json_node_set_object(made, object);
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        g_autoptr(JsonArray) array = json_array_new();
        JsonArray *from = json_node_get_array(node);

        for (guint i = 0; i < json_array_get_length(from); i++)
            json_array_add_element(array, output_renamed(json_array_get_element(from, i)));
        json_node_set_array(made, array);
    } else {
        g_clear_pointer(&made, json_node_unref);
        made = json_node_copy(node);
    }
    return made;
}

char *
output_format_node(JsonNode *node, gboolean compact)
{
    g_autoptr(JsonNode) renamed = output_renamed(node);

    return json_to_string(renamed, !compact);
}

void
output_json_node(JsonNode *node, gboolean compact)
{
    g_autofree char *text = output_format_node(node, compact);

    (void)puts(text);
    (void)fflush(stdout);
}
