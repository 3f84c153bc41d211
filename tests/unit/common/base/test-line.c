/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/line.h"
#include "common/base/table-fit.h"
#include "common/base/table.h"

#include <string.h>

#define GREEN "\033[32m"
#define OFF "\033[0m"

static void
test_cut(void)
{
    static const struct {
        const char *text;
        guint width;
        const char *ellipsis, *wanted;
    } rows[] = {
        {"", 3, "…", ""},
        {"abc", 3, "…", "abc"},
        {"abcd", 3, "…", "ab…"},
        {"abcdef", 5, "...", "ab..."},
        {"abcdef", 3, "...", "abc"}, /* no room for it and something else */
        {"abcdef", 1, "…", "a"},
        {"日本語", 6, "…", "日本語"},
        {"日本語", 5, "…", "日本…"},
        {"日本語", 4, "…", "日…"},
        {"e\u0301e\u0301e\u0301", 2, "…", "e\u0301…"},
        {GREEN "open" OFF " now", 8, "…", GREEN "open" OFF " now"},
        {GREEN "open" OFF " now", 4, "…", GREEN "ope…" OFF},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *cut = line_cut(rows[i].text, rows[i].width, rows[i].ellipsis);

        g_assert_cmpstr(cut, ==, rows[i].wanted);
    }
}

static void
test_fold(void)
{
    static const struct {
        const char *text;
        guint width;
        const char *wanted;
    } rows[] = {
        {"one two three", 0, "one two three"},
        {"one two three", 13, "one two three"},
        {"one two three", 12, "one two\nthree"},
        {"one two three", 7, "one two\nthree"},
        {"one two three", 3, "one\ntwo\nthr\nee"},
        {"one\n\ntwo", 5, "one\n\ntwo"},
        {"日本語", 4, "日本\n語"},
        {"日本語", 1, "日\n本\n語"}, /* there is no narrower one */
        {"", 4, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *folded = line_fold(rows[i].text, rows[i].width);

        g_assert_cmpstr(folded, ==, rows[i].wanted);
    }
}

/* A number that may be short, a name, a less important name. */
static void
check_fit(guint width, gboolean brief, guint number, guint name, guint other)
{
    TableColumn columns[] = {{.full = 9, .brief = 5},
                             {.full = 30, .brief = 30, .cut = TRUE, .rank = 1},
                             {.full = 12, .brief = 12, .cut = TRUE, .rank = 2}};

    g_assert_cmpint(table_fit(columns, G_N_ELEMENTS(columns), 2, width), ==, brief);
    g_assert_cmpuint(columns[0].width, ==, number);
    g_assert_cmpuint(columns[1].width, ==, name);
    g_assert_cmpuint(columns[2].width, ==, other);
}

static void
test_fit(void)
{
    check_fit(55, FALSE, 9, 30, 12); /* as it is */
    check_fit(54, FALSE, 9, 29, 12); /* the widest is cut */
    check_fit(41, FALSE, 9, 16, 12);
    check_fit(40, TRUE, 5, 19, 12); /* short forms before less than half of the name */
    check_fit(25, TRUE, 5, 8, 8);
    check_fit(24, TRUE, 5, 17, 0); /* what is worth least is left out */
    check_fit(15, TRUE, 5, 8, 0);
    check_fit(14, TRUE, 5, 0, 0);
    check_fit(4, TRUE, 4, 0, 0); /* the first stays, cut */
}

static void
test_table(void)
{
    static const guint preferred[] = {2, 0};
    g_autoptr(Table) table = table_new("ID", "NAME", "SIZE", "REST", NULL);
    g_autofree char *text = NULL;

    table_align_right(table, 0);
    table_align_right(table, 2);
    table_prefer(table, preferred);
    table_add(table, "7");
    table_add(table, "a-name-of-some-length");
    table_add_brief(table, "68.4 KiB", "68.4K");
    table_add(table, "the rest of it");
    text = table_format(table, &(TableStyle){.width = 20, .ellipsis = "..."});
    g_assert_cmpstr(text, ==, "ID  NAME        SIZE\n 7  a-name...  68.4K\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/line/cut", test_cut);
    g_test_add_func("/line/fold", test_fold);
    g_test_add_func("/line/fit", test_fit);
    g_test_add_func("/line/table", test_table);
    return g_test_run();
}
