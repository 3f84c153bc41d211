/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and the text pieces around them. */
#include "client/output.h"
#include "common/table.h"

static void
test_columns_are_aligned(void)
{
    g_autoptr(Table) table = table_new("NAME", "N", "STATE", NULL);
    g_autofree char *text = NULL;

    table_align_right(table, 1);
    table_add(table, "a");
    table_add(table, "7");
    table_add(table, "on");
    table_add(table, "longer");
    table_addf(table, "%d", 1234);
    table_add(table, NULL);
    text = table_format(table, FALSE);
    g_assert_cmpuint(table_rows(table), ==, 2);
    g_assert_cmpstr(text, ==,
                    "NAME       N  STATE\n"
                    "a          7  on\n"
                    "longer  1234\n");
}

static void
test_width_is_what_a_terminal_takes(void)
{
    g_autoptr(Table) table = table_new("A", "B", NULL);
    g_autofree char *text = NULL;

    g_assert_cmpuint(table_width("abc"), ==, 3);
    g_assert_cmpuint(table_width("\u6771\u4eac"), ==, 4); /* two wide characters */
    g_assert_cmpuint(table_width("e\u0301"), ==, 1);      /* a combining accent */
    table_add(table, "\u6771\u4eac");
    table_add(table, "x");
    table_add(table, "abcdef");
    table_add(table, "y");
    text = table_format(table, FALSE);
    g_assert_cmpstr(text, ==, "A       B\n\u6771\u4eac    x\nabcdef  y\n");
}

static void
test_empty_columns_are_left_out(void)
{
    g_autoptr(Table) table = table_new("A", "ERROR", "B", NULL);
    g_autofree char *text = NULL;

    table_add(table, "1");
    table_add(table, "");
    table_add(table, "2");
    text = table_format(table, FALSE);
    g_assert_cmpstr(text, ==, "A  B\n1  2\n");
}

static void
test_bold_is_for_titles_only(void)
{
    g_autoptr(Table) table = table_new("A", NULL);
    g_autofree char *text = NULL;

    table_add(table, "1");
    text = table_format(table, TRUE);
    g_assert_cmpstr(text, ==, "\033[1mA\033[0m\n1\n");
}

static void
test_foreign_text_cannot_drive_the_terminal(void)
{
    g_autofree char *escape = table_escape("a\033[2Jb\n\tc\x7f");
    g_autofree char *broken = table_escape("x\xffy");
    g_autofree char *bidi = table_escape("a\u202eb\xc2\x85");

    g_assert_cmpstr(escape, ==, "a\\x1b[2Jb\\x0a\\x09c\\x7f");
    g_assert_cmpstr(broken, ==, "x\ufffdy");
    g_assert_cmpstr(bidi, ==, "a\\u202eb\\x85");
}

static void
test_names_in_json(void)
{
    g_autofree char *host = output_snake_case("HostName");
    g_autofree char *plain = output_snake_case("reason");
    g_autofree char *port = output_snake_case("mqtt-port");

    g_assert_cmpstr(host, ==, "host_name");
    g_assert_cmpstr(plain, ==, "reason");
    g_assert_cmpstr(port, ==, "mqtt_port");
}

static void
test_ages(void)
{
    const guint64 now = (guint64)g_get_real_time();
    const struct {
        guint64 ago;
        const char *text;
    } rows[] = {{30, "30 s"}, {90, "1 min"}, {3 * 3600 + 30, "3 h"}, {5 * 86400, "5 days"}};
    g_autofree char *never = output_age(0);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = output_age(now - rows[i].ago * G_USEC_PER_SEC);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
    g_assert_cmpstr(never, ==, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/aligned", test_columns_are_aligned);
    g_test_add_func("/table/width", test_width_is_what_a_terminal_takes);
    g_test_add_func("/table/empty-columns", test_empty_columns_are_left_out);
    g_test_add_func("/table/bold", test_bold_is_for_titles_only);
    g_test_add_func("/table/escape", test_foreign_text_cannot_drive_the_terminal);
    g_test_add_func("/output/names", test_names_in_json);
    g_test_add_func("/output/ages", test_ages);
    return g_test_run();
}
