/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/json-guard.h"

#include <string.h>

static const struct {
    const char *text;
    JsonGuardResult result;
} rows[] = {
    /* every kind of value */
    {"{}", JSON_GUARD_OK},
    {"[]", JSON_GUARD_OK},
    {" \t\r\n[ ] \n", JSON_GUARD_OK},
    {"null", JSON_GUARD_OK},
    {"true", JSON_GUARD_OK},
    {"false", JSON_GUARD_OK},
    {"\"\"", JSON_GUARD_OK},
    {"0", JSON_GUARD_OK},
    {"-0", JSON_GUARD_OK},
    {"{\"a\":1,\"b\":[true,null,{\"a\":\"x\"}],\"\":{}}", JSON_GUARD_OK},
    {"[[],[[]],{\"a\":[{}]}]", JSON_GUARD_OK},
    /* structure */
    {"", JSON_GUARD_SYNTAX},
    {"  ", JSON_GUARD_SYNTAX},
    {"[", JSON_GUARD_SYNTAX},
    {"]", JSON_GUARD_SYNTAX},
    {"{", JSON_GUARD_SYNTAX},
    {"}", JSON_GUARD_SYNTAX},
    {"[}", JSON_GUARD_SYNTAX},
    {"{]", JSON_GUARD_SYNTAX},
    {"[1}", JSON_GUARD_SYNTAX},
    {"{\"a\":1]", JSON_GUARD_SYNTAX},
    {"[1,]", JSON_GUARD_SYNTAX},
    {"[,1]", JSON_GUARD_SYNTAX},
    {"[1 2]", JSON_GUARD_SYNTAX},
    {"[1,,2]", JSON_GUARD_SYNTAX},
    {"{,}", JSON_GUARD_SYNTAX},
    {"{\"a\":1,}", JSON_GUARD_SYNTAX},
    {"{\"a\"}", JSON_GUARD_SYNTAX},
    {"{\"a\" 1}", JSON_GUARD_SYNTAX},
    {"{\"a\":}", JSON_GUARD_SYNTAX},
    {"{a:1}", JSON_GUARD_SYNTAX},
    {"{'a':1}", JSON_GUARD_SYNTAX},
    {"{1:1}", JSON_GUARD_SYNTAX},
    {"{\"a\":1 \"b\":2}", JSON_GUARD_SYNTAX},
    {"[1:2]", JSON_GUARD_SYNTAX},
    {"/* c */ {}", JSON_GUARD_SYNTAX},
    {"[1, // c\n2]", JSON_GUARD_SYNTAX},
    {"var x = {}", JSON_GUARD_SYNTAX},
    {"\xef\xbb\xbf{}", JSON_GUARD_SYNTAX},
    {"\xc2\xa0[]", JSON_GUARD_SYNTAX},
    {"[\v]", JSON_GUARD_SYNTAX},
    {"{} {}", JSON_GUARD_SECOND_ROOT},
    {"1 2", JSON_GUARD_SECOND_ROOT},
    {"[],", JSON_GUARD_SECOND_ROOT},
    {"{}x", JSON_GUARD_SECOND_ROOT},
    /* words */
    {"nul", JSON_GUARD_SYNTAX},
    {"True", JSON_GUARD_SYNTAX},
    {"nullx", JSON_GUARD_SECOND_ROOT},
    {"[truefalse]", JSON_GUARD_SYNTAX},
    {"NaN", JSON_GUARD_SYNTAX},
    {"Infinity", JSON_GUARD_SYNTAX},
    {"undefined", JSON_GUARD_SYNTAX},
    /* numbers */
    {"9223372036854775807", JSON_GUARD_OK},
    {"-9223372036854775808", JSON_GUARD_OK},
    {"9223372036854775808", JSON_GUARD_NUMBER},
    {"-9223372036854775809", JSON_GUARD_NUMBER},
    {"99999999999999999999", JSON_GUARD_NUMBER},
    {"1.5", JSON_GUARD_OK},
    {"-0.0", JSON_GUARD_OK},
    {"1e3", JSON_GUARD_OK},
    {"1E+3", JSON_GUARD_OK},
    {"1.25e-3", JSON_GUARD_OK},
    {"1e308", JSON_GUARD_OK},
    {"1e309", JSON_GUARD_NUMBER},
    {"-1e999999999", JSON_GUARD_NUMBER},
    {"[01]", JSON_GUARD_SYNTAX},
    {"[-01]", JSON_GUARD_SYNTAX},
    {"+1", JSON_GUARD_SYNTAX},
    {"-", JSON_GUARD_SYNTAX},
    {"--1", JSON_GUARD_SYNTAX},
    {".5", JSON_GUARD_SYNTAX},
    {"5.", JSON_GUARD_SYNTAX},
    {"1.e3", JSON_GUARD_SYNTAX},
    {"1e", JSON_GUARD_SYNTAX},
    {"1e+", JSON_GUARD_SYNTAX},
    {"[0x10]", JSON_GUARD_SYNTAX},
    {"[1_000]", JSON_GUARD_SYNTAX},
    {"0.00000000000000000000000000000000000000000000000000000000000001", JSON_GUARD_OK},
    {"0.0000000000000000000000000000000000000000000000000000000000000001", JSON_GUARD_NUMBER},
    /* strings */
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", JSON_GUARD_OK},
    {"\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"", JSON_GUARD_OK},
    {"\"\\ud83d\\ude00\"", JSON_GUARD_OK},
    {"\"\\uD83D\\uDE00\"", JSON_GUARD_OK},
    {"\"\x7f\"", JSON_GUARD_OK},
    {"\"", JSON_GUARD_SYNTAX},
    {"\"a", JSON_GUARD_SYNTAX},
    {"\"a\\\"", JSON_GUARD_SYNTAX},
    {"\"\\", JSON_GUARD_SYNTAX},
    {"'a'", JSON_GUARD_SYNTAX},
    {"\"\\x41\"", JSON_GUARD_SYNTAX},
    {"\"\\'\"", JSON_GUARD_SYNTAX},
    {"\"\\U0041\"", JSON_GUARD_SYNTAX},
    {"\"\\u\"", JSON_GUARD_SYNTAX},
    {"\"\\u004\"", JSON_GUARD_SYNTAX},
    {"\"\\u004", JSON_GUARD_SYNTAX},
    {"\"\\u00g1\"", JSON_GUARD_SYNTAX},
    {"\"a\nb\"", JSON_GUARD_SYNTAX},
    {"\"a\tb\"", JSON_GUARD_SYNTAX},
    {"\"\x1f\"", JSON_GUARD_SYNTAX},
    {"\"\\u0000\"", JSON_GUARD_NUL},
    {"\"\\u0000b\"", JSON_GUARD_NUL},
    {"{\"\\u0000\":1}", JSON_GUARD_NUL},
    {"\"\\ud83d\"", JSON_GUARD_SURROGATE},
    {"\"\\ud83d", JSON_GUARD_SURROGATE},
    {"\"\\ud83d\\n\"", JSON_GUARD_SURROGATE},
    {"\"\\ud83dx\\ude00\"", JSON_GUARD_SURROGATE},
    {"\"\\ud83d\\ud83d\"", JSON_GUARD_SURROGATE},
    {"\"\\ud83d\\u0041\"", JSON_GUARD_SURROGATE},
    {"\"\\ude00\"", JSON_GUARD_SURROGATE},
    {"\"\\ude00\\ud83d\"", JSON_GUARD_SURROGATE},
    {"\"\xc3\"", JSON_GUARD_ENCODING},
    {"\"\xc3", JSON_GUARD_ENCODING},
    {"\"\xff\"", JSON_GUARD_ENCODING},
    {"\"\x80\"", JSON_GUARD_ENCODING},
    {"\"\xc0\xaf\"", JSON_GUARD_ENCODING},
    {"\"\xe0\x80\xaf\"", JSON_GUARD_ENCODING},
    {"\"\xed\xa0\x80\"", JSON_GUARD_ENCODING},
    {"\"\xf4\x90\x80\x80\"", JSON_GUARD_ENCODING},
    {"\"\xf8\x88\x80\x80\x80\"", JSON_GUARD_ENCODING},
    {"{\"\xff\":1}", JSON_GUARD_ENCODING},
    /* names */
    {"{\"a\":1,\"a\":2}", JSON_GUARD_DUPLICATE},
    {"{\"a\":1,\"b\":2,\"a\":3}", JSON_GUARD_DUPLICATE},
    {"{\"\":1,\"\":2}", JSON_GUARD_DUPLICATE},
    {"{\"a\":1,\"\\u0061\":2}", JSON_GUARD_DUPLICATE},
    {"{\"\\u00e4\":1,\"\xc3\xa4\":2}", JSON_GUARD_DUPLICATE},
    {"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", JSON_GUARD_DUPLICATE},
    {"{\"\\/\":1,\"/\":2}", JSON_GUARD_DUPLICATE},
    {"{\"x\":{\"a\":1,\"a\":2}}", JSON_GUARD_DUPLICATE},
    {"{\"a\":{\"b\":1},\"a\":2}", JSON_GUARD_DUPLICATE},
    {"{\"a\":{\"a\":{\"a\":1}}}", JSON_GUARD_OK},
    {"[{\"a\":1},{\"a\":1}]", JSON_GUARD_OK},
    {"{\"a\":{\"x\":1},\"b\":{\"x\":1}}", JSON_GUARD_OK},
    {"{\"a\":1,\"A\":2}", JSON_GUARD_OK},
    {"{\"a\":1,\"aa\":2,\"\":3}", JSON_GUARD_OK},
    {"{\"\xc3\xa4\":1,\"a\xcc\x88\":2}", JSON_GUARD_OK},
};

static JsonGuardResult
check(const char *text, gsize len, const JsonGuardLimits *limits)
{
    g_autofree char *exact = g_memdup2(text, len);
    gsize offset = G_MAXSIZE;
    JsonGuardResult result = json_guard_check(exact, len, limits, &offset);

    g_assert_cmpint(result == JSON_GUARD_OK, ==, offset == G_MAXSIZE);
    if (result != JSON_GUARD_OK)
        g_assert_cmpuint(offset, <=, len);
    g_assert_nonnull(json_guard_text(result));
    return result;
}

static void
test_texts(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = g_strescape(rows[i].text, NULL);

        g_test_message("%s", shown);
        g_assert_cmpint(check(rows[i].text, strlen(rows[i].text), NULL), ==, rows[i].result);
    }
}

static void
test_nul_bytes(void)
{
    g_assert_cmpint(check("\0", 1, NULL), ==, JSON_GUARD_NUL);
    g_assert_cmpint(check("[]\0", 3, NULL), ==, JSON_GUARD_SECOND_ROOT);
    g_assert_cmpint(check("[\0]", 3, NULL), ==, JSON_GUARD_NUL);
    g_assert_cmpint(check("\"\0\"", 3, NULL), ==, JSON_GUARD_NUL);
    g_assert_cmpint(check("\"\\\0\"", 4, NULL), ==, JSON_GUARD_SYNTAX);
    g_assert_cmpint(check("{\"a\0\":1}", 8, NULL), ==, JSON_GUARD_NUL);
}

static char *
nested(gsize depth)
{
    g_autofree char *open = g_strnfill(depth, '[');
    g_autofree char *close = g_strnfill(depth, ']');

    return g_strconcat(open, close, NULL);
}

static void
test_depth(void)
{
    const JsonGuardLimits unlimited = {G_MAXSIZE, G_MAXUINT};
    const JsonGuardLimits two = {100, 2};
    g_autofree char *sixteen = nested(16);
    g_autofree char *seventeen = nested(17);
    g_autofree char *cap = nested(JSON_GUARD_DEPTH_CAP);
    g_autofree char *more = nested(JSON_GUARD_DEPTH_CAP + 1);

    g_assert_cmpint(check(sixteen, strlen(sixteen), NULL), ==, JSON_GUARD_OK);
    g_assert_cmpint(check(seventeen, strlen(seventeen), NULL), ==, JSON_GUARD_TOO_DEEP);
    g_assert_cmpint(check(cap, strlen(cap), &unlimited), ==, JSON_GUARD_OK);
    g_assert_cmpint(check(more, strlen(more), &unlimited), ==, JSON_GUARD_TOO_DEEP);
    g_assert_cmpint(check("[{}]", 4, &two), ==, JSON_GUARD_OK);
    g_assert_cmpint(check("[{\"a\":[]}]", 10, &two), ==, JSON_GUARD_TOO_DEEP);
    g_assert_cmpint(check("[[],[],[]]", 10, &two), ==, JSON_GUARD_OK);
}

/* Ten megabytes of brackets are refused at the seventeenth, whatever the size limit. */
static void
test_depth_is_seen_at_once(void)
{
    const JsonGuardLimits large = {G_MAXSIZE, JSON_GUARD_DEPTH_MAX};
    const gsize len = (gsize)10 * 1000 * 1000;
    g_autofree char *text = g_strnfill(len, '[');
    gsize offset = 0;

    g_assert_cmpint(json_guard_check(text, len, &large, &offset), ==, JSON_GUARD_TOO_DEEP);
    g_assert_cmpuint(offset, ==, JSON_GUARD_DEPTH_MAX);
    g_assert_cmpint(json_guard_check(text, len, NULL, &offset), ==, JSON_GUARD_TOO_LARGE);
    g_assert_cmpuint(offset, ==, 0);
}

static void
test_size(void)
{
    g_autofree char *text = g_strnfill(JSON_GUARD_SIZE_MAX + 1, ' ');
    const JsonGuardLimits three = {3, 4};

    text[0] = '1';
    g_assert_cmpint(check(text, JSON_GUARD_SIZE_MAX, NULL), ==, JSON_GUARD_OK);
    g_assert_cmpint(check(text, JSON_GUARD_SIZE_MAX + 1, NULL), ==, JSON_GUARD_TOO_LARGE);
    g_assert_cmpint(check("[1]", 3, &three), ==, JSON_GUARD_OK);
    g_assert_cmpint(check("[1] ", 4, &three), ==, JSON_GUARD_TOO_LARGE);
}

/* `count` members, behind `before`. */
static char *
members(const char *before, guint count, const char *after)
{
    GString *text = g_string_new(before);

    g_string_append_c(text, '{');
    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, "%s\"k%u\":%u", i > 0 ? "," : "", i, i);
    g_string_append(text, "}");
    g_string_append(text, after);
    return g_string_free(text, FALSE);
}

static void
test_member_limit(void)
{
    g_autofree char *most = members("", JSON_GUARD_OPEN_MEMBERS_MAX, "");
    g_autofree char *more = members("", JSON_GUARD_OPEN_MEMBERS_MAX + 1, "");
    g_autofree char *twice = members("[", JSON_GUARD_OPEN_MEMBERS_MAX, ",{\"a\":1}]");
    g_autofree char *open = members("{\"a\":", JSON_GUARD_OPEN_MEMBERS_MAX, "}");

    g_assert_cmpint(check(most, strlen(most), NULL), ==, JSON_GUARD_OK);
    g_assert_cmpint(check(more, strlen(more), NULL), ==, JSON_GUARD_TOO_MANY_MEMBERS);
    g_assert_cmpint(check(twice, strlen(twice), NULL), ==, JSON_GUARD_OK);
    g_assert_cmpint(check(open, strlen(open), NULL), ==, JSON_GUARD_TOO_MANY_MEMBERS);
}

static void
test_offsets(void)
{
    gsize offset = 0;

    g_assert_cmpint(json_guard_check("{\"a\":01}", 8, NULL, &offset), ==, JSON_GUARD_SYNTAX);
    g_assert_cmpuint(offset, ==, 6);
    g_assert_cmpint(json_guard_check("[1, x]", 6, NULL, &offset), ==, JSON_GUARD_SYNTAX);
    g_assert_cmpuint(offset, ==, 4);
    g_assert_cmpint(json_guard_check("[1, x]", 6, NULL, NULL), ==, JSON_GUARD_SYNTAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-guard/texts", test_texts);
    g_test_add_func("/json-guard/nul", test_nul_bytes);
    g_test_add_func("/json-guard/depth", test_depth);
    g_test_add_func("/json-guard/brackets", test_depth_is_seen_at_once);
    g_test_add_func("/json-guard/size", test_size);
    g_test_add_func("/json-guard/members", test_member_limit);
    g_test_add_func("/json-guard/offsets", test_offsets);
    return g_test_run();
}
