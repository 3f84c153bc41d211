/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/query-read.h"

#include "hub/rest/words.h"

#include <string.h>

typedef struct {
    Words words;
    Query *query;
    guint depth;
    guint n_values;
} QueryReader;

static gboolean read_either(QueryReader *reader);

static gboolean
add_step(QueryReader *reader, guint step)
{
    if (reader->query->n_steps == QUERY_STEPS_MAX)
        return words_fail(&reader->words, "a shorter query");
    reader->query->steps[reader->query->n_steps++] = (guint8)step;
    return TRUE;
}

/* FALSE: it is none; nothing was read. */
static gboolean
operand_take(Words *words, QueryOperand *operand)
{
    static const char *const names[] = {"deviceId", "moduleId", "status", "connectionState"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (words_take(words, names[i])) {
            operand->field = (QueryField)i;
            return TRUE;
        }
    if (!words->word || words->quoted || g_ascii_strncasecmp(words->word, "tags.", 5) != 0 ||
        !words->word[5])
        return FALSE;
    operand->field = QUERY_TAG;
    operand->key = g_strdup(words->word + 5);
    words_next(words);
    return TRUE;
}

static gboolean
read_operand(QueryReader *reader, QueryOperand *operand)
{
    return operand_take(&reader->words, operand) ||
           words_fail(&reader->words, "deviceId, moduleId, status, connectionState or tags.KEY");
}

static gboolean
add_value(QueryReader *reader, GStrvBuilder *values)
{
    g_autofree char *value = words_value(&reader->words);

    if (!value)
        return FALSE;
    if (reader->n_values++ == QUERY_VALUES_MAX)
        return words_fail(&reader->words, "at most 64 values");
    g_strv_builder_add(values, value);
    return TRUE;
}

static gboolean
read_one_value(QueryReader *reader, QueryCondition *condition)
{
    g_autoptr(GStrvBuilder) values = g_strv_builder_new();

    if (!add_value(reader, values))
        return FALSE;
    condition->values = g_strv_builder_end(values);
    return TRUE;
}

/* ['a', 'b'] */
static gboolean
read_list(QueryReader *reader, QueryCondition *condition)
{
    g_autoptr(GStrvBuilder) values = g_strv_builder_new();

    if (!words_want(&reader->words, "["))
        return FALSE;
    do {
        if (!add_value(reader, values))
            return FALSE;
    } while (words_take(&reader->words, ","));
    condition->values = g_strv_builder_end(values);
    return words_take(&reader->words, "]") || words_fail(&reader->words, ", or ]");
}

/* (tags.site, 'b'), behind the name of the function. */
static gboolean
read_call(QueryReader *reader, QueryCondition *condition, QueryTest test)
{
    condition->test = test;
    if (!words_want(&reader->words, "(") || !read_operand(reader, &condition->operand))
        return FALSE;
    if (test != QUERY_DEFINED &&
        (!words_want(&reader->words, ",") || !read_one_value(reader, condition)))
        return FALSE;
    return words_want(&reader->words, ")");
}

static gboolean
read_comparison(QueryReader *reader, QueryCondition *condition)
{
    Words *words = &reader->words;

    if (!operand_take(words, &condition->operand))
        return words_fail(words, "deviceId, moduleId, status, connectionState, tags.KEY, "
                                 "STARTSWITH, ENDSWITH, IS_DEFINED, NOT or (");
    if (words_take(words, "="))
        return read_one_value(reader, condition);
    condition->differs = words_take(words, "!=") || words_take(words, "<>");
    if (condition->differs)
        return read_one_value(reader, condition);
    condition->differs = words_take(words, "NIN");
    if (condition->differs || words_take(words, "IN"))
        return read_list(reader, condition);
    return words_fail(words, "=, !=, IN or NIN");
}

static gboolean
read_condition(QueryReader *reader)
{
    static const struct {
        const char *name;
        QueryTest test;
    } functions[] = {
        {"STARTSWITH", QUERY_STARTS}, {"ENDSWITH", QUERY_ENDS}, {"IS_DEFINED", QUERY_DEFINED}};
    Query *query = reader->query;
    QueryCondition *condition;

    if (query->n_conditions == QUERY_CONDITIONS_MAX)
        return words_fail(&reader->words, "at most 16 conditions");
    if (!add_step(reader, QUERY_CONDITION + query->n_conditions))
        return FALSE;
    condition = &query->conditions[query->n_conditions++];
    for (guint i = 0; i < G_N_ELEMENTS(functions); i++)
        if (words_take(&reader->words, functions[i].name))
            return read_call(reader, condition, functions[i].test);
    return read_comparison(reader, condition);
}

static gboolean
read_nested(QueryReader *reader, gboolean negated)
{
    gboolean ok;

    if (reader->depth == QUERY_DEPTH_MAX)
        return words_fail(&reader->words, "fewer parentheses");
    reader->depth++;
    ok = read_either(reader) && words_want(&reader->words, ")");
    reader->depth--;
    return ok && (!negated || add_step(reader, QUERY_NOT));
}

static gboolean
read_factor(QueryReader *reader)
{
    gboolean negated = FALSE;

    while (words_take(&reader->words, "NOT"))
        negated = !negated;
    if (words_take(&reader->words, "("))
        return read_nested(reader, negated);
    return read_condition(reader) && (!negated || add_step(reader, QUERY_NOT));
}

static gboolean
read_all(QueryReader *reader)
{
    if (!read_factor(reader))
        return FALSE;
    while (words_take(&reader->words, "AND"))
        if (!read_factor(reader) || !add_step(reader, QUERY_AND))
            return FALSE;
    return TRUE;
}

static gboolean
read_either(QueryReader *reader)
{
    if (!read_all(reader))
        return FALSE;
    while (words_take(&reader->words, "OR"))
        if (!read_all(reader) || !add_step(reader, QUERY_OR))
            return FALSE;
    return TRUE;
}

static gboolean
name_is_new(const Query *query, const char *name)
{
    for (guint i = 0; i + 1 < query->n_columns; i++)
        if (strcmp(query->columns[i].name, name) == 0)
            return FALSE;
    return TRUE;
}

/* A tag is called by its key, unless AS says another name. */
static gboolean
read_column(QueryReader *reader)
{
    static const char *const names[] = {
        [QUERY_DEVICE_ID] = "deviceId", [QUERY_MODULE_ID] = "moduleId",
        [QUERY_STATUS] = "status",      [QUERY_CONNECTION_STATE] = "connectionState",
        [QUERY_TAGS] = "tags",          [QUERY_COMMENT] = "comment",
    };
    Words *words = &reader->words;
    QueryColumn *column;

    if (reader->query->n_columns == QUERY_COLUMNS_MAX)
        return words_fail(words, "at most 16 fields");
    column = &reader->query->columns[reader->query->n_columns++];
    if (words_take(words, "tags"))
        column->operand.field = QUERY_TAGS;
    else if (words_take(words, "comment"))
        column->operand.field = QUERY_COMMENT;
    else if (!operand_take(words, &column->operand))
        return words_fail(words, "* or a field: deviceId, moduleId, status, connectionState, tags, "
                                 "tags.KEY or comment");
    column->name =
        g_strdup(column->operand.key ? column->operand.key : names[column->operand.field]);
    if (words_take(words, "AS")) {
        if (!words->word || words->quoted || !g_ascii_isalpha(words->word[0]))
            return words_fail(words, "a name");
        g_free(column->name);
        column->name = g_strdup(words->word);
        words_next(words);
    }
    return name_is_new(reader->query, column->name) || words_fail(words, "another name for it");
}

static gboolean
read_columns(QueryReader *reader)
{
    if (words_take(&reader->words, "*"))
        return TRUE;
    do {
        if (!read_column(reader))
            return FALSE;
    } while (words_take(&reader->words, ","));
    return TRUE;
}

static gboolean
read_all_of_it(QueryReader *reader)
{
    Words *words = &reader->words;

    if (!words_want(words, "SELECT") || !read_columns(reader))
        return FALSE;
    if (!words_take(words, "FROM"))
        return words_fail(words, reader->query->n_columns > 0 ? ", or FROM" : "FROM");
    reader->query->modules = words_take(words, "devices.modules");
    if (!reader->query->modules && !words_take(words, "devices"))
        return words_fail(words, "devices or devices.modules");
    if (words->word && (!words_want(words, "WHERE") || !read_either(reader)))
        return FALSE;
    return !words->word || words_fail(words, "AND, OR or the end");
}

gboolean
query_read(const char *text, Query *query, char **ret_why)
{
    QueryReader reader = {.query = query};
    gboolean ok;

    words_begin(&reader.words, text);
    ok = read_all_of_it(&reader) && !reader.words.why;
    words_clear(&reader.words);
    *ret_why = reader.words.why;
    return ok;
}
