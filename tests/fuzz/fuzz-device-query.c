/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A question about devices, and a scope as it is stored: what is read is within its bounds, and a
 * scope that is written again reads the same. */
#include "hub/rest/query.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_query(const char *text, gsize len)
{
    g_autoptr(RegistryTags) tags = registry_tags_parse("site=berlin");
    const RegistryDevice device = {.id = (char *)(guintptr) "gw-1", .enabled = TRUE, .tags = tags};
    g_auto(Query) query = {0};
    g_autofree char *why = NULL;
    g_autofree char *tag = NULL;

    if (!query_parse(text, len, &query, &why)) {
        g_assert_nonnull(why);
        g_assert_cmpuint(query.n_conditions, ==, 0);
        return;
    }
    g_assert_null(why);
    g_assert_cmpuint(query.n_conditions, <=, QUERY_CONDITIONS_MAX);
    for (guint i = 0; i < query.n_conditions; i++) {
        const QueryCondition *condition = &query.conditions[i];

        g_assert_true(condition->test == QUERY_DEFINED || condition->values[0]);
        g_assert_cmpint(condition->operand.key != NULL, ==, condition->operand.field == QUERY_TAG);
    }
    for (guint i = 0; i < query.n_columns; i++)
        g_assert_nonnull(query.columns[i].name);
    (void)query_fits(&query, &device, TRUE);
    tag = query_tag(&query);
}

static void
check_scope(const char *text)
{
    g_autoptr(RegistryScope) scope = NULL;
    g_autoptr(RegistryScope) again = NULL;
    g_autoptr(RegistryTags) tags = registry_tags_parse(text);
    g_autofree char *written = NULL, *rewritten = NULL;

    if (!registry_scope_parse(text, &scope))
        return;
    written = registry_scope_format(scope);
    g_assert_true(registry_scope_parse(written, &again));
    rewritten = registry_scope_format(again);
    g_assert_cmpstr(written, ==, rewritten);
    (void)registry_scope_has_device(scope, "gw-1", tags);
    (void)registry_scope_has_stream(scope, "ssh");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = size > 0 ? g_strndup((const char *)data, size) : g_strdup("");

    check_query((const char *)data, size);
    check_scope(text);
    return 0;
}
