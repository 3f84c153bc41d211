/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/labels-json.h"

#include <string.h>

char *
registry_time_format(gint64 time)
{
    g_autoptr(GDateTime) utc =
        time > 0 ? g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC) : NULL;

    return utc ? g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

void
registry_time_build(JsonBuilder *builder, const char *name, gint64 time)
{
    g_autofree char *text = registry_time_format(time);

    if (!text)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

void
registry_tags_build(JsonBuilder *builder, const char *name, const RegistryTags *tags)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    for (const char *const *tag = registry_tags_list(tags); *tag; tag++) {
        g_autofree char *key = g_strndup(*tag, strcspn(*tag, "="));

        json_builder_set_member_name(builder, key);
        json_builder_add_string_value(builder, *tag + strlen(key) + 1);
    }
    json_builder_end_object(builder);
}

static void
build_list(JsonBuilder *builder, const char *name, char *const *list)
{
    if (!list)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (; *list; list++)
        json_builder_add_string_value(builder, *list);
    json_builder_end_array(builder);
}

static void
build_number(JsonBuilder *builder, const char *name, guint64 number)
{
    if (number == 0)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)MIN(number, (guint64)G_MAXINT64));
}

static void
build_time(JsonBuilder *builder, const char *name, gint64 time)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(time / G_TIME_SPAN_SECOND);
    g_autofree char *text = when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    if (time == 0 || !text)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

void
registry_scope_build(JsonBuilder *builder, const char *name, const RegistryScope *scope)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    if (scope) {
        build_list(builder, "devices", scope->devices);
        build_list(builder, "tags", scope->tags);
        build_list(builder, "streams", scope->streams);
        build_time(builder, "expires", scope->expires);
        build_number(builder, "streams_max", scope->streams_max);
        build_number(builder, "opens_per_minute", scope->opens_per_minute);
        build_number(builder, "bytes_per_day", scope->bytes_per_day);
    }
    json_builder_end_object(builder);
}

static const char *
node_text(JsonNode *node)
{
    return json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

gboolean
registry_tags_read(JsonObject *object, GStrvBuilder *put, GStrvBuilder *removed, char **ret_why)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &key, &value)) {
        const char *text = node_text(value);
        g_autofree char *tag = text ? g_strconcat(key, "=", text, NULL) : NULL;

        if (json_node_is_null(value)) {
            g_strv_builder_add(removed, key);
        } else if (tag) {
            g_strv_builder_add(put, tag);
        } else {
            *ret_why = g_strdup("a tag's value is a text, or null to take it away");
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
read_list(JsonNode *node, char ***ret)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!array && !json_node_is_null(node))
        return FALSE;
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        const char *text = node_text(json_array_get_element(array, i));

        if (!text)
            return FALSE;
        g_strv_builder_add(builder, text);
    }
    *ret = g_strv_builder_end(builder);
    return TRUE;
}

static gboolean
read_number(JsonNode *node, guint64 most, guint64 *ret)
{
    gint64 value = json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;

    if (json_node_is_null(node))
        value = 0;
    if (value < 0 || (guint64)value > most)
        return FALSE;
    *ret = (guint64)value;
    return TRUE;
}

static gboolean
read_time(JsonNode *node, gint64 *ret)
{
    const char *text = node_text(node);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = text ? g_date_time_new_from_iso8601(text, utc) : NULL;

    if (when)
        *ret = g_date_time_to_unix(when) * G_TIME_SPAN_SECOND;
    return (when && *ret > 0) || json_node_is_null(node);
}

static gboolean
read_count(JsonNode *node, guint *ret)
{
    guint64 number = 0;

    if (!read_number(node, G_MAXUINT, &number))
        return FALSE;
    *ret = (guint)number;
    return TRUE;
}

/* Reads the member NAME into SCOPE and returns its kind; 0: unknown name or wrong value. */
static RegistryScopeKinds
read_member(const char *name, JsonNode *node, RegistryScope *scope)
{
    if (strcmp(name, "devices") == 0)
        return read_list(node, &scope->devices) ? REGISTRY_SCOPE_DEVICES : 0;
    if (strcmp(name, "tags") == 0)
        return read_list(node, &scope->tags) ? REGISTRY_SCOPE_TAGS : 0;
    if (strcmp(name, "streams") == 0)
        return read_list(node, &scope->streams) ? REGISTRY_SCOPE_STREAMS : 0;
    if (strcmp(name, "expires") == 0)
        return read_time(node, &scope->expires) ? REGISTRY_SCOPE_EXPIRES : 0;
    if (strcmp(name, "streams_max") == 0)
        return read_count(node, &scope->streams_max) ? REGISTRY_SCOPE_STREAMS_MAX : 0;
    if (strcmp(name, "opens_per_minute") == 0)
        return read_count(node, &scope->opens_per_minute) ? REGISTRY_SCOPE_OPENS : 0;
    if (strcmp(name, "bytes_per_day") == 0)
        return read_number(node, G_MAXINT64, &scope->bytes_per_day) ? REGISTRY_SCOPE_BYTES : 0;
    return 0;
}

gboolean
registry_scope_read(JsonObject *object, RegistryScope *ret_scope, RegistryScopeKinds *ret_kinds,
                    char **ret_why)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    *ret_kinds = 0;
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &node)) {
        RegistryScopeKinds kind = read_member(name, node, ret_scope);

        if (kind == 0) {
            *ret_why =
                g_strdup_printf("'%s' of a scope is not known, or cannot have this value", name);
            return FALSE;
        }
        *ret_kinds |= kind;
    }
    return TRUE;
}

void
registry_scope_draft_clear(RegistryScope *scope)
{
    g_clear_pointer(&scope->devices, g_strfreev);
    g_clear_pointer(&scope->tags, g_strfreev);
    g_clear_pointer(&scope->streams, g_strfreev);
}
