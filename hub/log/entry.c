/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/entry.h"

#include "common/codec/json-guard.h"

LogKind
log_record_kind(const LogRecord *record)
{
    if (!slice_equal(record->category, "DeviceStreams"))
        return LOG_KIND_CHANGE;
    return slice_equal(record->operation, "end") ? LOG_KIND_END : LOG_KIND_REQUEST;
}

static JsonNode *
parse(const char *text, gsize len)
{
    const JsonGuardLimits limits = {.size = LOG_LINE_MAX, .depth = 4};
    g_autoptr(JsonParser) parser = NULL;
    JsonNode *root;

    if (json_guard_check(text, len, &limits, NULL) != JSON_GUARD_OK)
        return NULL;
    parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize)len, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_ref(root) : NULL;
}

static JsonNode *
member(JsonNode *object, const char *name, GType type)
{
    JsonNode *node = object ? json_object_get_member(json_node_get_object(object), name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node
                                                                                         : NULL;
}

static const char *
text_of(JsonNode *object, const char *name)
{
    JsonNode *node = member(object, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : "";
}

/* Negative numbers are none. */
static gint64
number_of(JsonNode *object, const char *name)
{
    JsonNode *node = member(object, name, G_TYPE_INT64);
    gint64 value = node ? json_node_get_int(node) : -1;

    return value < 0 ? -1 : value;
}

/* "74": a number as the resource logs have it. */
static gint64
number_in_text(JsonNode *object, const char *name)
{
    const char *text = text_of(object, name);
    guint64 value = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &value, NULL))
        return -1;
    return (gint64)value;
}

static void
take_stream(LogEntry *entry)
{
    entry->device = text_of(entry->properties, "deviceId");
    entry->module = text_of(entry->properties, "moduleId");
    entry->stream = text_of(entry->properties, "requestName");
    entry->user = text_of(entry->root, "user");
    entry->duration = number_in_text(entry->root, "durationMs");
    entry->failed = strcmp(text_of(entry->root, "level"), "Error") == 0;
}

static void
take_change(LogEntry *entry)
{
    JsonNode *torn = member(entry->root, "torn", G_TYPE_BOOLEAN);

    entry->device = entry->module = entry->stream = "";
    entry->user = text_of(entry->root, "by");
    entry->duration = -1;
    entry->count = (guint64)MAX(number_of(entry->root, "count"), 0);
    entry->number = (guint64)MAX(number_of(entry->root, "number"), 0);
    entry->torn = torn != NULL && json_node_get_boolean(torn);
}

LogEntry *
log_entry_parse(const char *line, gsize len)
{
    g_autoptr(LogEntry) entry = g_new0(LogEntry, 1);
    LogRecord record;
    const char *properties;

    if (!log_record_parse(line, len, &record) || !(entry->root = parse(line, len)))
        return NULL;
    entry->kind = log_record_kind(&record);
    entry->time = text_of(entry->root, "time");
    entry->operation = text_of(entry->root, "operationName");
    entry->category = text_of(entry->root, "category");
    entry->what = text_of(entry->root, "what");
    entry->address = text_of(entry->root, "address");
    entry->result = text_of(entry->root, "resultType");
    entry->description = text_of(entry->root, "resultDescription");
    entry->reason = text_of(entry->root, "reason");
    entry->detail = text_of(entry->root, "detail");
    entry->version = text_of(entry->root, "version");
    entry->resumes = text_of(entry->root, "resumes");
    entry->since = text_of(entry->root, "since");
    entry->to_device = number_of(entry->root, "bytesToDevice");
    entry->to_service = number_of(entry->root, "bytesToService");
    properties = text_of(entry->root, "properties");
    entry->properties = *properties ? parse(properties, strlen(properties)) : NULL;
    if (entry->kind == LOG_KIND_CHANGE)
        take_change(entry);
    else
        take_stream(entry);
    return g_steal_pointer(&entry);
}

void
log_entry_free(LogEntry *entry)
{
    if (!entry)
        return;
    g_clear_pointer(&entry->root, json_node_unref);
    g_clear_pointer(&entry->properties, json_node_unref);
    g_free(entry);
}
