/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-field.h"

static void
parse(const char *lines, HttpHeaders *ret)
{
    HttpRefusal refusal = {0};

    g_assert_true(http_headers_parse(slice_of(lines), ret, &refusal));
}

static void
test_find(void)
{
    HttpHeaders headers;
    Slice value = {NULL, 7};

    parse("Host:h\r\nX-One: \t a b \t\r\nEmpty:\r\nX-ONE: second\r\n", &headers);
    g_assert_cmpuint(headers.count, ==, 4);
    g_assert_true(http_headers_get(&headers, "x-one", &value));
    g_assert_true(slice_equal(value, "a b"));
    g_assert_true(http_headers_get(&headers, "EMPTY", &value));
    g_assert_cmpuint(value.len, ==, 0);
    value.len = 7;
    g_assert_false(http_headers_get(&headers, "X-On", &value));
    g_assert_cmpuint(value.len, ==, 7);
    g_assert_null(http_headers_find(&headers, "X-One2"));
}

static void
test_tokens(void)
{
    HttpHeaders headers;

    parse("Connection: keep-alive , Upgrade\r\nConnection:, ,x\r\nOther: close\r\n", &headers);
    g_assert_true(http_headers_have_token(&headers, "Connection", "upgrade"));
    g_assert_true(http_headers_have_token(&headers, "connection", "Keep-Alive"));
    g_assert_true(http_headers_have_token(&headers, "Connection", "X"));
    g_assert_false(http_headers_have_token(&headers, "Connection", "keep"));
    g_assert_false(http_headers_have_token(&headers, "Connection", "close"));
}

static void
test_lists(void)
{
    Slice list = slice_of(" a, b ,,c");
    Slice token;

    g_assert_true(http_list_next(&list, &token) && slice_equal(token, "a"));
    g_assert_true(http_list_next(&list, &token) && slice_equal(token, "b"));
    g_assert_true(http_list_next(&list, &token) && slice_equal(token, "c"));
    g_assert_false(http_list_next(&list, &token));
    g_assert_cmpuint(list.len, ==, 0);
    list = slice_of("a, b c, d");
    g_assert_true(http_list_next(&list, &token));
    g_assert_false(http_list_next(&list, &token));
    g_assert_cmpuint(list.len, >, 0);
}

static void
test_decimals(void)
{
    static const char *const bad[] = {"",
                                      "+5",
                                      "-1",
                                      " 5",
                                      "5 ",
                                      "05",
                                      "00",
                                      "0x5",
                                      "5,5",
                                      "5.",
                                      "1e3",
                                      "1234567890123456789",
                                      "99999999999999999999"};
    guint64 value = 7;

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(http_decimal_parse(slice_of(bad[i]), G_MAXUINT64, &value));
    g_assert_false(http_decimal_parse(slice_of("11"), 10, &value));
    g_assert_cmpuint(value, ==, 7);
    g_assert_true(http_decimal_parse(slice_of("0"), 10, &value));
    g_assert_cmpuint(value, ==, 0);
    g_assert_true(http_decimal_parse(slice_of("10"), 10, &value));
    g_assert_cmpuint(value, ==, 10);
    g_assert_true(http_decimal_parse(slice_of("999999999999999999"), G_MAXUINT64, &value));
    g_assert_cmpuint(value, ==, 999999999999999999);
}

static void
test_seconds(void)
{
    static const struct {
        const char *text;
        gint64 usec; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"30", 30000000},
        {"1.5", 1500000},
        {"007", 7000000},
        {"0.000001", 1},
        {"0.0000019", 1},
        {"0.30000000000000004", 300000},
        {"9999999", G_GINT64_CONSTANT(9999999000000)},
        {"10000000", -1},
        {"", -1},
        {".", -1},
        {".5", -1},
        {"5.", -1},
        {"1.2.3", -1},
        {"-1", -1},
        {"+1", -1},
        {"1e3", -1},
        {"1,5", -1},
        {" 1", -1},
        {"NaN", -1},
        {"0.123456789012345678901", -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 usec = -1;

        g_test_message("%s", rows[i].text);
        g_assert_cmpint(http_seconds_parse(slice_of(rows[i].text), &usec), ==, rows[i].usec >= 0);
        g_assert_cmpint(usec, ==, rows[i].usec);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-field/find", test_find);
    g_test_add_func("/http-field/tokens", test_tokens);
    g_test_add_func("/http-field/lists", test_lists);
    g_test_add_func("/http-field/decimals", test_decimals);
    g_test_add_func("/http-field/seconds", test_seconds);
    return g_test_run();
}
