/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/rest/query.h"

#include "hub/edge/route.h"
#include "hub/rest/members.h"
#include "hub/rest/query-read.h"

#include <string.h>

gboolean
query_parse(const char *body, gsize len, Query *ret, char **ret_why)
{
    g_autoptr(JsonParser) parser = members_parse(body, len, ROUTE_QUERY_MAX, ret_why);
    g_auto(Query) query = {0};
    JsonNode *root = parser ? json_parser_get_root(parser) : NULL;
    JsonNode *text = NULL;

    if (!root)
        return FALSE;
    if (JSON_NODE_HOLDS_OBJECT(root))
        text = json_object_get_member(json_node_get_object(root), "query");
    if (!text || json_node_get_value_type(text) != G_TYPE_STRING) {
        *ret_why = g_strdup("The body is {\"query\": \"SELECT * FROM devices\"}.");
        return FALSE;
    }
    if (!query_read(json_node_get_string(text), &query, ret_why))
        return FALSE;
    *ret = query;
    query = (Query){0};
    return TRUE;
}

void
query_clear(Query *query)
{
    for (guint i = 0; i < query->n_conditions; i++) {
        g_free(query->conditions[i].operand.key);
        g_strfreev(query->conditions[i].values);
    }
    for (guint i = 0; i < query->n_columns; i++) {
        g_free(query->columns[i].operand.key);
        g_free(query->columns[i].name);
    }
    *query = (Query){0};
}

/* Only where all conditions are joined by AND, each must hold. */
static gboolean
query_is_plain(const Query *query)
{
    for (guint i = 0; i < query->n_steps; i++)
        if (query->steps[i] == QUERY_OR || query->steps[i] == QUERY_NOT)
            return FALSE;
    return TRUE;
}

char *
query_tag(const Query *query)
{
    for (guint i = 0; query_is_plain(query) && i < query->n_conditions; i++) {
        const QueryCondition *condition = &query->conditions[i];

        if (condition->operand.field == QUERY_TAG && condition->test == QUERY_IS &&
            !condition->differs && !condition->values[1])
            return g_strconcat(condition->operand.key, "=", condition->values[0], NULL);
    }
    return NULL;
}

const char *
query_value(const QueryOperand *operand, const RegistryDevice *device, gboolean connected)
{
    switch (operand->field) {
    case QUERY_DEVICE_ID:
        return device->id;
    case QUERY_MODULE_ID:
        return device->module;
    case QUERY_STATUS:
        return device->enabled ? "enabled" : "disabled";
    case QUERY_CONNECTION_STATE:
        return connected ? "Connected" : "Disconnected";
    case QUERY_COMMENT:
        return device->comment;
    case QUERY_TAG:
    case QUERY_TAGS:
        break;
    }
    return operand->key ? registry_tags_get(device->tags, operand->key) : NULL;
}

static gboolean
condition_holds(const QueryCondition *condition, const char *value)
{
    if (!value)
        return condition->differs;
    switch (condition->test) {
    case QUERY_STARTS:
        return g_str_has_prefix(value, condition->values[0]);
    case QUERY_ENDS:
        return g_str_has_suffix(value, condition->values[0]);
    case QUERY_DEFINED:
        return TRUE;
    case QUERY_IS:
        break;
    }
    return g_strv_contains((const char *const *)condition->values, value) != condition->differs;
}

/* The reader has made the steps, so that each finds its operands. */
gboolean
query_fits(const Query *query, const RegistryDevice *device, gboolean connected)
{
    gboolean stack[QUERY_CONDITIONS_MAX + 1] = {TRUE};
    guint top = 0;

    if (query->modules != (device->module != NULL))
        return FALSE;
    for (guint i = 0; i < query->n_steps; i++) {
        guint step = query->steps[i];

        if (step >= QUERY_CONDITION) {
            const QueryCondition *condition = &query->conditions[step - QUERY_CONDITION];

            stack[++top] =
                condition_holds(condition, query_value(&condition->operand, device, connected));
        } else if (step == QUERY_NOT) {
            stack[top] = !stack[top];
        } else {
            top--;
            stack[top] =
                step == QUERY_AND ? stack[top] && stack[top + 1] : stack[top] || stack[top + 1];
        }
    }
    return stack[top];
}
