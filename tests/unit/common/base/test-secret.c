/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/secret.h"

#define BEGIN "Authorization: "
#define END "key\0of all"
#define LEN(text) (sizeof(text) - 1)

/* What is taken off leaves nothing behind, also where the rest was before it moved. */
static void
test_erase(void)
{
    for (gsize len = 0; len <= LEN(BEGIN END); len++) {
        GString *string = g_string_new_len(BEGIN END, LEN(BEGIN END));

        secret_erase(string, len);
        g_assert_cmpuint(string->len, ==, LEN(BEGIN END) - len);
        g_assert_true(memcmp(string->str, &(BEGIN END)[len], string->len) == 0);
        for (gsize at = string->len; at <= LEN(BEGIN END); at++)
            g_assert_cmpint(string->str[at], ==, '\0');
        secret_string_free(string);
    }
}

/* Piece by piece, with bytes of any value, as a connection brings them. */
static void
test_append(void)
{
    GString *string = g_string_new(NULL);
    gsize left = 0;

    for (guint i = 0; i < 3000; i++) {
        const char piece[] = {(char)i, '\0', (char)~i};

        secret_append(&string, piece, sizeof piece);
        left += sizeof piece;
        g_assert_cmpuint(string->len, ==, left);
        if (i % 3)
            continue;
        secret_erase(string, 2);
        left -= 2;
        g_assert_cmpint(string->str[left - 1], ==, (char)~i);
    }
    secret_string_free(string);
    secret_string_free(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/erase", test_erase);
    g_test_add_func("/secret/append", test_append);
    return g_test_run();
}
