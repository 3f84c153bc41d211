/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/glob.h"

static void
test_glob(void)
{
    static const struct {
        const char *pattern, *text;
        gboolean matches;
    } rows[] = {
        {"", "", TRUE},       {"", "a", FALSE},       {"*", "", TRUE},       {"*", "abc", TRUE},
        {"?", "", FALSE},     {"?", "a", TRUE},       {"a*c", "abbc", TRUE}, {"a*c", "abcd", FALSE},
        {"*a*", "bab", TRUE}, {"*ab", "aab", TRUE},   {"a**b", "ab", TRUE},  {"a?c", "ac", FALSE},
        {"*.?", "x.y", TRUE}, {"ssh", "ssh2", FALSE}, {"[a]", "a", FALSE},   {"ssh*", "ss", FALSE},
    };
    g_autofree char *pattern = g_strdup("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b");
    g_autofree char *text = g_strnfill(100 * 1000, 'a');

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(glob_match(rows[i].pattern, rows[i].text), ==, rows[i].matches);
    /* Exponential matching would never end here. */
    g_assert_false(glob_match(pattern, text));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/glob/rows", test_glob);
    return g_test_run();
}
