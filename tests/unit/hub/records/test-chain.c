/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/chain.h"

#include <string.h>

/* printf '%064d{"a":1' 0 | sha256sum */
#define FIRST "a6fc8d7dbf738917ee8344e1cd5486b01255b25fe5de4df9be7af29689f6a1aa"

static void
test_append(void)
{
    Chain chain = {CHAIN_NONE};
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *second = NULL, *sum = NULL;

    chain_append(&chain, out, "{\"a\":1", 6);
    g_assert_cmpstr(out->str, ==, "{\"a\":1,\"hash\":\"" FIRST "\"}\n");
    g_assert_cmpstr(chain.head, ==, FIRST);
    g_assert_cmpuint(out->len, ==, 6 + CHAIN_TAIL);
    second = g_strconcat(FIRST, "{\"b\":2", NULL);
    sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, second, -1);
    chain_append(&chain, out, "{\"b\":2", 6);
    g_assert_cmpstr(chain.head, ==, sum);
}

static void
test_tail(void)
{
#define ONE "{\"a\":1,\"hash\":\"" FIRST "\"}\n"
    static const struct {
        const char *text, *head;
        gboolean torn, open;
        gsize surplus;
    } cases[] = {
        {"", CHAIN_NONE, FALSE, FALSE, 0},
        {ONE, FIRST, FALSE, FALSE, 0},
        {ONE ONE, FIRST, FALSE, FALSE, 0},
        {ONE "{\"ti", FIRST, TRUE, TRUE, 0},
        {ONE "{\"ti\n", FIRST, TRUE, FALSE, 0},         /* the newline came, the start did not */
        {ONE "{\"ti\n{\"time\"", FIRST, TRUE, TRUE, 7}, /* or came in part */
        {"{\"ti", CHAIN_NONE, TRUE, TRUE, 0},
        {"{\"ti\n", CHAIN_NONE, TRUE, FALSE, 0},
        {"\n", CHAIN_NONE, TRUE, FALSE, 0},
        {"\n\n\nx", CHAIN_NONE, TRUE, TRUE, 3},
        {",\"hash\":\"" FIRST "\"}\n", CHAIN_NONE, TRUE, FALSE, 0}, /* nothing before it */
        {"{,\"hash\":\"" FIRST "\"}", CHAIN_NONE, TRUE, TRUE, 0},
        {"{\"a\":1,\"hash\":\"A6FC8D7DBF738917EE8344E1CD5486B01255B25FE5DE4DF9BE7AF29689F6A1AA\"}"
         "\n",
         CHAIN_NONE, TRUE, FALSE, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *copy = g_memdup2(cases[i].text, strlen(cases[i].text) + 1);
        ChainTail tail = chain_tail(copy, strlen(copy));

        g_test_message("case %zu", i);
        g_assert_cmpstr(tail.chain.head, ==, cases[i].head);
        g_assert_cmpint(tail.torn, ==, cases[i].torn);
        g_assert_cmpint(tail.open, ==, cases[i].open);
        g_assert_cmpuint(tail.surplus, ==, cases[i].surplus);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chain/append", test_append);
    g_test_add_func("/chain/tail", test_tail);
    return g_test_run();
}
