/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-date.h"

static void
test_good(void)
{
    static const struct {
        const char *text;
        gint64 seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"Xxx, 01 Jan 1970 00:00:01 GMT", 1}, /* the day of the week follows from the date */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 seconds = -1;

        g_assert_true(http_date_parse(slice_of(rows[i].text), &seconds));
        g_assert_cmpint(seconds, ==, rows[i].seconds);
    }
}

static void
test_bad(void)
{
    static const char *const rows[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6  Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:-7 GMT",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 seconds = -1;

        g_assert_false(http_date_parse(slice_of(rows[i]), &seconds));
        g_assert_cmpint(seconds, ==, -1);
    }
}

static void
test_there_and_back(void)
{
    static const gint64 rows[] = {0, 784111777, 951782400, 1709251199, 4102444799, 253402300799};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) field = g_string_new(NULL);
        gint64 seconds = -1;

        http_date_append(field, rows[i]);
        g_assert_true(g_str_has_prefix(field->str, "Date: "));
        g_assert_true(g_str_has_suffix(field->str, "\r\n"));
        g_assert_true(http_date_parse((Slice){field->str + 6, field->len - 8}, &seconds));
        g_assert_cmpint(seconds, ==, rows[i]);
        if (rows[i] == 784111777)
            g_assert_cmpstr(field->str, ==, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-date/good", test_good);
    g_test_add_func("/http-date/bad", test_bad);
    g_test_add_func("/http-date/there-and-back", test_there_and_back);
    return g_test_run();
}
