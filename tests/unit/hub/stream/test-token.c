/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/token.h"

#include <string.h>

static void
test_life(void)
{
    g_autoptr(TokenStore) store = token_store_new();
    Token token = {0};
    char text[TOKEN_TEXT + 1] = "";
    int owner;

    g_assert_false(token_is_issued(&token));
    token_issue(store, &token, &owner, LEG_SERVICE, 100, text);
    g_assert_true(token_is_issued(&token));
    g_assert_cmpuint(strlen(text), ==, TOKEN_TEXT);
    g_assert_cmpuint(
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), ==,
        TOKEN_TEXT);
    g_assert_true(token_find(store, text, TOKEN_TEXT, 99) == &token);
    g_assert_true(token.owner == &owner && token.side == LEG_SERVICE);
    g_assert_null(token_find(store, text, TOKEN_TEXT, 100));
    token_drop(store, &token);
    g_assert_false(token_is_issued(&token));
    token_drop(store, &token);
    g_assert_null(token_find(store, text, TOKEN_TEXT, 1));
    g_assert_cmpuint(token_store_size(store), ==, 0);
}

static void
test_refused(void)
{
    g_autoptr(TokenStore) store = token_store_new();
    Token token = {0};
    char text[TOKEN_TEXT + 1];
    g_autofree char *longer = NULL;

    token_issue(store, &token, NULL, LEG_DEVICE, 100, text);
    longer = g_strconcat(text, "A", NULL);
    g_assert_null(token_find(store, longer, TOKEN_TEXT + 1, 1));
    g_assert_null(token_find(store, text, TOKEN_TEXT - 1, 1));
    g_assert_null(token_find(store, "", 0, 1));
    for (guint i = 0; i < TOKEN_TEXT; i++) {
        char before = text[i];

        text[i] = before == 'A' ? 'B' : 'A';
        g_assert_null(token_find(store, text, TOKEN_TEXT, 1));
        text[i] = '=';
        g_assert_null(token_find(store, text, TOKEN_TEXT, 1));
        text[i] = before;
    }
    /* The last character has two bits to spare: another spelling of the same bytes is none. */
    text[TOKEN_TEXT - 1]++;
    g_assert_null(token_find(store, text, TOKEN_TEXT, 1));
    token_drop(store, &token);
}

static void
test_many(void)
{
    enum { COUNT = 500 };
    g_autoptr(TokenStore) store = token_store_new();
    g_autofree Token *tokens = g_new0(Token, COUNT);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < COUNT; i++) {
        char text[TOKEN_TEXT + 1];

        token_issue(store, &tokens[i], NULL, LEG_DEVICE, 10, text);
        g_ptr_array_add(texts, g_strdup(text));
    }
    g_assert_cmpuint(token_store_size(store), ==, COUNT);
    for (guint i = 0; i < COUNT; i++) {
        g_assert_true(token_find(store, texts->pdata[i], TOKEN_TEXT, 1) == &tokens[i]);
        token_drop(store, &tokens[i]);
    }
    g_assert_cmpuint(token_store_size(store), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/token/life", test_life);
    g_test_add_func("/token/refused", test_refused);
    g_test_add_func("/token/many", test_many);
    return g_test_run();
}
