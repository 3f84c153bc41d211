/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables and the text pieces around them. */
#include "common/cli/wrap.h"
#include "common/cli/output.h"
#include "common/base/table.h"

#include <string.h>

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
    text = table_format(table, NULL);
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
    text = table_format(table, NULL);
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
    text = table_format(table, NULL);
    g_assert_cmpstr(text, ==, "A  B\n1  2\n");
}

static void
test_colour_is_for_titles_and_painted_cells(void)
{
    g_autoptr(Table) table = table_new("A", "STATE", "N", NULL);
    const TableStyle color = {.color = TRUE}, untitled = {.untitled = TRUE};
    g_autofree char *text = NULL, *plain = NULL;

    table_align_right(table, 2);
    table_add(table, "1");
    table_add(table, "on");
    table_paint(table, TABLE_GOOD);
    table_add(table, "10");
    text = table_format(table, &color);
    plain = table_format(table, &untitled);
    g_assert_cmpstr(text, ==,
                    "\033[1mA\033[0m  \033[1mSTATE\033[0m   \033[1mN\033[0m\n"
                    "1  \033[32mon\033[0m     10\n");
    g_assert_cmpstr(plain, ==, "1  on     10\n");
}

static void
test_long_cells_are_cut_to_the_terminal(void)
{
    g_autoptr(Table) table = table_new("NAME", "N", "TEXT", NULL);
    const TableStyle narrow = {.width = 27}, hopeless = {.width = 3};
    g_autofree char *text = NULL, *least = NULL;

    table_align_right(table, 1);
    table_add(table, "short");
    table_add(table, "1234567890");
    table_add(table, "\u6771\u4eac\u6771\u4eac\u6771\u4eac abc");
    text = table_format(table, &narrow);
    least = table_format(table, &hopeless);
    /* 5 + 2 + 10 + 2 leave 8 columns. A wide character that would stick out by half is left out. */
    g_assert_cmpstr(text, ==,
                    "NAME            N  TEXT\n"
                    "short  1234567890  \u6771\u4eac\u6771\u2026\n");
    g_assert_cmpstr(least, ==, "NA\u2026\nsh\u2026\n");
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
test_wrapping(void)
{
    const struct {
        const char *text;
        const char *lines;
    } rows[] = {
        {"", ""},
        {"one two three", "one two\n  three"},
        {"one  two", "one two"},
        {"first\nsecond", "first\n  second"},
        {"unbreakable-word x", "unbreakable-word\n  x"},
        {"\u6771\u4eac\u6771\u4eac\u6771\u4eac", "\u6771\u4eac\u6771\u4eac\u6771\n  \u4eac"},
        {"\u6771\u4eac\u6771\u4eac\u6771\u3002", "\u6771\u4eac\u6771\u4eac\n  \u6771\u3002"},
        {"a \u6771\u4eac b", "a \u6771\u4eac b"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *lines = wrap_text(rows[i].text, 10, "  ");

        g_assert_cmpstr(lines, ==, rows[i].lines);
    }
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

/* What a hub answers has names of its own; values stay as they are, names in them included. */
static void
test_names_of_a_document(void)
{
    g_autoptr(JsonNode) node = json_from_string(
        "{\"deviceId\":\"gwOne\",\"etag\":null,\"last-error\":[],\"inner\":[{\"notAfter\":"
        "7,\"sha256\":true},[\"hostName\"]],\"x_y\":{\"aB\":{}},\"tags\":{\"rackNo\":\"7\",\"a-b\":"
        "\"c\"}}",
        NULL);
    g_autofree char *text = output_format_node(node, TRUE);
    g_autofree char *before = json_to_string(node, FALSE);

    g_assert_cmpstr(
        text, ==,
        "{\"device_id\":\"gwOne\",\"etag\":null,\"last_error\":[],\"inner\":[{\"not_after\":7,"
        "\"sha256\":true},[\"hostName\"]],\"x_y\":{\"a_b\":{}},\"tags\":{\"rackNo\":\"7\",\"a-b\":"
        "\"c\"}}");
    g_assert_nonnull(strstr(before, "deviceId"));
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

/* In pieces: the titles once, the widths of the first piece, and nothing cut or left out later. */
static void
test_pieces(void)
{
    g_autoptr(Table) table = table_new("ID", "PART", "STATE", NULL);
    const char *const cells[][4] = {{"first", "", "on", "ID     PART  STATE\nfirst        on\n"},
                                    {"a", "b", "off", "a      b     off\n"},
                                    {"longer", "module", "on", "longer  module  on\n"}};

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autofree char *text = NULL;

        for (guint column = 0; column < 3; column++)
            table_add(table, cells[i][column]);
        text = table_take(table, &(TableStyle){0});
        g_assert_cmpstr(text, ==, cells[i][3]);
        g_assert_cmpuint(table_rows(table), ==, 0);
    }
}

static void
test_fill(void)
{
    static const struct {
        const char *format, *text;
    } rows[] = {
        {"no user '%s'", "no user 'gw'"}, {"'%1$s' is not there", "'gw' is not there"},
        {"%2$s, %s", "gw, gw"},           {"100 %, %", "100 %, %"},
        {"%1$d %1s %$s", "%1$d %1s %$s"}, {"", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = output_fill(rows[i].format, "gw");

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/aligned", test_columns_are_aligned);
    g_test_add_func("/table/width", test_width_is_what_a_terminal_takes);
    g_test_add_func("/table/empty-columns", test_empty_columns_are_left_out);
    g_test_add_func("/table/colour", test_colour_is_for_titles_and_painted_cells);
    g_test_add_func("/table/cut", test_long_cells_are_cut_to_the_terminal);
    g_test_add_func("/table/escape", test_foreign_text_cannot_drive_the_terminal);
    g_test_add_func("/table/pieces", test_pieces);
    g_test_add_func("/wrap", test_wrapping);
    g_test_add_func("/output/names", test_names_in_json);
    g_test_add_func("/output/document", test_names_of_a_document);
    g_test_add_func("/output/ages", test_ages);
    g_test_add_func("/output/fill", test_fill);
    return g_test_run();
}
