/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A statement of a hub's authority: what is taken is in its bounds, and is the same when it is
 * written again. */
#include "common/extension/statement.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const Statement *one, const Statement *two)
{
    g_assert_cmpint(one->kind, ==, two->kind);
    g_assert_cmpuint(one->serial, ==, two->serial);
    g_assert_cmpstr(one->host, ==, two->host);
    g_assert_cmpuint(one->port, ==, two->port);
    g_assert_true(g_strv_equal((const char *const *)one->names, (const char *const *)two->names));
    g_assert_cmpuint(one->root_len, ==, two->root_len);
    g_assert_true(one->root_len == 0 || memcmp(one->root, two->root, one->root_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) statement = statement_parse((const char *)data, size, &error);
    g_autoptr(Statement) again = NULL;
    g_autofree char *part = NULL, *text = NULL;

    g_autofree char *as_text = g_strndup((const char *)data, size);
    guint64 serials[STATEMENT_KINDS];
    StatementKind kind;

    (void)statement_ack_parse((Slice){(const char *)data, size}, &kind, serials);
    (void)statement_known_parse(as_text, serials);
    g_assert_true((statement == NULL) == (error != NULL));
    if (!statement)
        return 0;
    g_assert_cmpuint(statement->signed_len, <, size);
    g_assert_cmpuint(g_strv_length(statement->names), >=, 1);
    g_assert_cmpuint(g_strv_length(statement->names), <=, STATEMENT_NAMES_MAX);
    g_assert_cmpuint(statement->serial, >=, 1);
    g_assert_cmpuint(statement->signature_len, <=, STATEMENT_SIGNATURE_MAX);
    g_assert_true(statement_is_for(statement, statement->names[0]));
    part = statement_format(statement);
    text = statement_seal(part, statement->signature, statement->signature_len);
    again = statement_parse(text, strlen(text), NULL);
    if (again) /* names that were in capitals may have become a longer text */
        same(statement, again);
    return 0;
}
