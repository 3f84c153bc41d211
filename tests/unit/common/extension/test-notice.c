/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notices: what is taken, what is dropped and why, at each bound and one past it; and what is built
 * is taken. */
#include "common/extension/notice.h"

static gboolean
parse(const char *text, Notice *ret)
{
    const char *fault = "";
    gboolean taken = notice_parse(slice_of(text), ret, &fault);

    g_assert_cmpint(taken, ==, fault == NULL);
    return taken;
}

static void
test_taken(void)
{
    g_auto(Notice) notice = {0};

    g_assert_true(parse(
        "{\"kind\": \"taken-over\", \"times\": 3, \"text\": \"a b\", \"more\": [{}]}", &notice));
    g_assert_cmpstr(notice.kind, ==, "taken-over");
    g_assert_cmpint(notice_number(&notice, "times", 7), ==, 3);
    g_assert_cmpint(notice_number(&notice, "text", 7), ==, 7);
    g_assert_cmpint(notice_number(&notice, "none", 7), ==, 7);
    g_assert_cmpstr(notice_text(&notice, "text", 3), ==, "a b");
    g_assert_null(notice_text(&notice, "text", 2));
    g_assert_null(notice_text(&notice, "times", 100));
    g_assert_null(notice_text(&notice, "more", 100));
    g_assert_null(notice_text(&notice, "none", 100));
}

static void
test_members(void)
{
    g_auto(Notice) notice = {0};

    g_assert_true(
        parse("{\"kind\":\"k\",\"n\":-1,\"d\":1.5,\"t\":\"a\\u0007b\",\"z\":null}", &notice));
    g_assert_cmpint(notice_number(&notice, "n", 7), ==, 7);
    g_assert_cmpint(notice_number(&notice, "d", 7), ==, 7);
    g_assert_cmpint(notice_number(&notice, "z", 7), ==, 7);
    g_assert_null(notice_text(&notice, "t", 100));
    g_assert_null(notice_text(&notice, "z", 100));
}

static void
test_dropped(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "\"taken-over\"",
        "{\"kind\":null}",
        "{\"kind\":1}",
        "{\"kind\":\"\"}",
        "{\"kind\":\"Taken\"}",
        "{\"kind\":\"a b\"}",
        "{\"kind\":[\"a\"]}",
        "{\"kind\":\"a\",\"kind\":\"b\"}",
        "{\"kind\":\"a\"} {}",
        "{\"kind\":\"a\"",
        "{\"kind\":\"a\",\"x\":[[[[[[[[1]]]]]]]]}",
        "{\"kind\":\"a\",\"x\":\"\xff\"}",
    };
    Notice notice = {0};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_test_message("text %u", i);
        g_assert_false(parse(texts[i], &notice));
        g_assert_null(notice.fields);
    }
}

/* A kind, and a payload, of LEN bytes. */
static gboolean
parse_kind_of(gsize len)
{
    g_autofree char *kind = g_strnfill(len, 'k');
    g_autofree char *text = g_strdup_printf("{\"kind\":\"%s\"}", kind);
    g_auto(Notice) notice = {0};

    return parse(text, &notice);
}

static gboolean
parse_payload_of(gsize len)
{
    const char head[] = "{\"kind\":\"k\",\"x\":\"", tail[] = "\"}";
    g_autofree char *fill = g_strnfill(len - strlen(head) - strlen(tail), 'x');
    g_autofree char *text = g_strconcat(head, fill, tail, NULL);
    g_auto(Notice) notice = {0};

    g_assert_cmpuint(strlen(text), ==, len);
    return parse(text, &notice);
}

static void
test_bounds(void)
{
    g_assert_true(parse_kind_of(NOTICE_KIND_MAX));
    g_assert_false(parse_kind_of(NOTICE_KIND_MAX + 1));
    g_assert_true(parse_payload_of(NOTICE_MAX));
    g_assert_false(parse_payload_of(NOTICE_MAX + 1));
}

static void
test_built(void)
{
    g_autoptr(JsonObject) fields = json_object_new();
    g_autofree char *plain = notice_build("ca", NULL);
    g_autofree char *made = NULL, *fill = g_strnfill(NOTICE_MAX, 'x');
    g_auto(Notice) notice = {0};

    g_assert_cmpstr(plain, ==, "{\"kind\":\"ca\"}");
    json_object_set_int_member(fields, "times", 2);
    json_object_set_string_member(fields, "kind", "another");
    made = notice_build("ca", fields);
    g_assert_cmpstr(made, ==, "{\"kind\":\"ca\",\"times\":2}");
    g_assert_true(parse(made, &notice));
    g_assert_cmpstr(json_object_get_string_member(fields, "kind"), ==, "another");
    g_assert_null(notice_build("A", NULL));
    g_assert_null(notice_build("", NULL));
    json_object_set_string_member(fields, "fill", fill);
    g_assert_null(notice_build("ca", fields));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notice/taken", test_taken);
    g_test_add_func("/notice/members", test_members);
    g_test_add_func("/notice/dropped", test_dropped);
    g_test_add_func("/notice/bounds", test_bounds);
    g_test_add_func("/notice/built", test_built);
    return g_test_run();
}
