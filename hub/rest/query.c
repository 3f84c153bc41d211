/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/query.h"

#include "common/codec/json-guard.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define WORD_MAX 300 /* bytes */

/* A query that is being parsed. */
typedef struct {
    const char *start;
    const char *at;
    char *word;      /* the one read last; NULL at the end */
    gboolean quoted; /* the word is a value */
    char *why;       /* not NULL: what is wrong */
} QueryReader;

static gboolean
reader_fail(QueryReader *reader, const char *wanted)
{
    if (!reader->why)
        reader->why = g_strdup_printf("The query at character %zu: want %s.",
                                      (gsize)(reader->at - reader->start) + 1, wanted);
    return FALSE;
}

/* Two quotes in a value stand for one: 'it''s'. */
static void
reader_take_value(QueryReader *reader)
{
    GString *value = g_string_new(NULL);

    reader->quoted = TRUE;
    for (reader->at++; *reader->at; reader->at++) {
        if (*reader->at == '\'' && reader->at[1] != '\'')
            break;
        if (*reader->at == '\'')
            reader->at++;
        g_string_append_c(value, *reader->at);
    }
    if (*reader->at == '\'')
        reader->at++;
    else
        (void)reader_fail(reader, "a ' at the end of a value");
    reader->word = g_string_free(value, FALSE);
}

static gsize
word_length(const char *text)
{
    gsize len = 0;

    while (g_ascii_isalnum(text[len]) || (text[len] && strchr("._-", text[len])))
        len++;
    if (len > 0)
        return len;
    if (g_str_has_prefix(text, "!=") || g_str_has_prefix(text, "<>"))
        return 2;
    return *text ? 1 : 0;
}

static void
reader_next(QueryReader *reader)
{
    gsize len;

    g_clear_pointer(&reader->word, g_free);
    reader->quoted = FALSE;
    while (g_ascii_isspace(*reader->at))
        reader->at++;
    if (*reader->at == '\'') {
        reader_take_value(reader);
        return;
    }
    len = word_length(reader->at);
    if (len > WORD_MAX)
        (void)reader_fail(reader, "a shorter word");
    else if (len > 0)
        reader->word = g_strndup(reader->at, len);
    reader->at += len;
}

static gboolean
reader_is(const QueryReader *reader, const char *word)
{
    return reader->word && !reader->quoted && g_ascii_strcasecmp(reader->word, word) == 0;
}

static gboolean
reader_want(QueryReader *reader, const char *word)
{
    if (!reader_is(reader, word))
        return reader_fail(reader, word);
    reader_next(reader);
    return TRUE;
}

static gboolean
read_field(QueryReader *reader, QueryCondition *condition)
{
    static const char *const names[] = {"deviceId", "moduleId", "status", "connectionState"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (reader_is(reader, names[i])) {
            condition->field = (QueryField)i;
            reader_next(reader);
            return TRUE;
        }
    if (!reader->word || reader->quoted || g_ascii_strncasecmp(reader->word, "tags.", 5) != 0 ||
        !reader->word[5])
        return reader_fail(reader,
                           "deviceId, moduleId, status, connectionState or tags.KEY before it");
    condition->field = QUERY_TAG;
    condition->key = g_strdup(reader->word + 5);
    reader_next(reader);
    return TRUE;
}

static gboolean
read_condition(QueryReader *reader, Query *query)
{
    QueryCondition *condition;

    if (query->n_conditions == QUERY_CONDITIONS_MAX)
        return reader_fail(reader, "at most 16 conditions");
    condition = &query->conditions[query->n_conditions++];
    if (!read_field(reader, condition))
        return FALSE;
    condition->differs = reader_is(reader, "!=") || reader_is(reader, "<>");
    if (!condition->differs && !reader_is(reader, "="))
        return reader_fail(reader, "= or != before it");
    reader_next(reader);
    if (!reader->word || !reader->quoted || reader->why)
        return reader_fail(reader, "a value in ' before it");
    condition->value = g_steal_pointer(&reader->word);
    reader_next(reader);
    return TRUE;
}

static gboolean
read_query(QueryReader *reader, Query *query)
{
    reader_next(reader);
    if (!reader_want(reader, "SELECT") || !reader_want(reader, "*") || !reader_want(reader, "FROM"))
        return FALSE;
    query->modules = reader_is(reader, "devices.modules");
    if (!query->modules && !reader_is(reader, "devices"))
        return reader_fail(reader, "devices or devices.modules before it");
    reader_next(reader);
    if (!reader->word)
        return reader->why == NULL;
    if (!reader_want(reader, "WHERE") || !read_condition(reader, query))
        return FALSE;
    while (reader->word)
        if (!reader_want(reader, "AND") || !read_condition(reader, query))
            return FALSE;
    return reader->why == NULL;
}

static gboolean
read_text(const char *text, Query *query, char **ret_why)
{
    QueryReader reader = {.start = text, .at = text};
    gboolean ok = read_query(&reader, query);

    g_free(reader.word);
    *ret_why = reader.why;
    return ok;
}

gboolean
query_parse(const char *body, gsize len, Query *ret, char **ret_why)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_auto(Query) query = {0};
    JsonNode *root, *text = NULL;
    JsonGuardResult guard = json_guard_check(body, len, NULL, NULL);

    if (guard != JSON_GUARD_OK || !json_parser_load_from_data(parser, body, (gssize)len, NULL)) {
        *ret_why = g_strdup_printf("The body is no JSON: %s.", json_guard_text(guard));
        return FALSE;
    }
    root = json_parser_get_root(parser);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        text = json_object_get_member(json_node_get_object(root), "query");
    if (!text || json_node_get_value_type(text) != G_TYPE_STRING) {
        *ret_why = g_strdup("The body is {\"query\": \"SELECT * FROM devices\"}.");
        return FALSE;
    }
    if (!read_text(json_node_get_string(text), &query, ret_why))
        return FALSE;
    *ret = query;
    query = (Query){0};
    return TRUE;
}

void
query_clear(Query *query)
{
    for (guint i = 0; i < query->n_conditions; i++) {
        g_free(query->conditions[i].key);
        g_free(query->conditions[i].value);
    }
    *query = (Query){0};
}

char *
query_tag(const Query *query)
{
    for (guint i = 0; i < query->n_conditions; i++) {
        const QueryCondition *condition = &query->conditions[i];

        if (condition->field == QUERY_TAG && !condition->differs)
            return g_strconcat(condition->key, "=", condition->value, NULL);
    }
    return NULL;
}

static const char *
field_value(const QueryCondition *condition, const RegistryDevice *device, gboolean connected)
{
    switch (condition->field) {
    case QUERY_DEVICE_ID:
        return device->id;
    case QUERY_MODULE_ID:
        return device->module;
    case QUERY_STATUS:
        return device->enabled ? "enabled" : "disabled";
    case QUERY_CONNECTION_STATE:
        return connected ? "Connected" : "Disconnected";
    case QUERY_TAG:
        break;
    }
    return registry_tags_get(device->tags, condition->key);
}

gboolean
query_fits(const Query *query, const RegistryDevice *device, gboolean connected)
{
    if (query->modules != (device->module != NULL))
        return FALSE;
    for (guint i = 0; i < query->n_conditions; i++) {
        const char *value = field_value(&query->conditions[i], device, connected);
        gboolean same = value && strcmp(value, query->conditions[i].value) == 0;

        if (same == query->conditions[i].differs)
            return FALSE;
    }
    return TRUE;
}
