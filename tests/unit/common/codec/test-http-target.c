/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-target.h"

static void
test_characters(void)
{
    static const char allowed[] = "-._~!$&'()*+,;=:@/?"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    for (int c = 0; c < 256; c++) {
        char text[3] = {'/', (char)c, 'x'};

        g_assert_cmpint(http_target_is_valid((Slice){text, 3}), ==, c != 0 && strchr(allowed, c));
    }
}

static void
test_forms(void)
{
    static const char *const good[] = {"/",  "/a%2Fb", "/a?b?c", "/a?", "/$iothub/websocket?x=1",
                                       "//a"};
    static const char *const bad[] = {"",    "*",    "a/b",  "http://h/a", "h:443", "/%",
                                      "/%4", "/%4g", "/a#b", "?a",         "/a?%zz"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(http_target_is_valid(slice_of(good[i])));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(http_target_is_valid(slice_of(bad[i])));
}

static void
test_segments(void)
{
    HttpPath path = {.count = 99};
    g_autofree char *device = NULL;
    g_autofree char *stream = NULL;

    g_assert_true(http_path_split(slice_of("/twins/a%2Fb//streams/%C3%A4"), &path));
    g_assert_cmpuint(path.count, ==, 5);
    g_assert_true(http_path_is(&path, 0, slice_of("twins")));
    g_assert_false(http_path_is(&path, 0, slice_of("twin")));
    g_assert_true(http_path_is(&path, 1, slice_of("a/b")));
    g_assert_true(http_path_is(&path, 2, slice_of("")));
    g_assert_false(http_path_is(&path, 5, slice_of("")));
    device = http_path_decode(&path, 1);
    g_assert_cmpstr(device, ==, "a/b");
    g_assert_null(http_path_decode(&path, 2));
    stream = http_path_decode(&path, 4);
    g_assert_cmpstr(stream, ==, "\xc3\xa4");
    g_assert_null(http_path_decode(&path, 5));
}

static void
test_segment_limits(void)
{
    HttpPath path = {.count = 99};

    g_assert_false(http_path_split(slice_of(""), &path));
    g_assert_false(http_path_split(slice_of("a"), &path));
    g_assert_false(http_path_split(slice_of("/1/2/3/4/5/6/7/8/9/10/11/12/13"), &path));
    g_assert_cmpuint(path.count, ==, 99);
    g_assert_true(http_path_split(slice_of("/1/2/3/4/5/6/7/8/9/10/11/12"), &path));
    g_assert_cmpuint(path.count, ==, HTTP_SEGMENTS_MAX);
    g_assert_true(http_path_split(slice_of("/"), &path));
    g_assert_cmpuint(path.count, ==, 1);
    g_assert_cmpuint(path.items[0].len, ==, 0);
    g_assert_true(http_path_split(slice_of("/a/"), &path));
    g_assert_cmpuint(path.count, ==, 2);
}

static void
test_query(void)
{
    Slice query = slice_of("api-version=2020&x&y=&z=a=b&twice=1&twice=2");
    Slice value = {NULL, 7};

    g_assert_true(http_query_get(query, "api-version", &value) && slice_equal(value, "2020"));
    g_assert_true(http_query_get(query, "x", &value) && value.len == 0);
    g_assert_true(http_query_get(query, "y", &value) && value.len == 0);
    g_assert_true(http_query_get(query, "z", &value) && slice_equal(value, "a=b"));
    g_assert_false(http_query_get(query, "twice", &value));
    g_assert_false(http_query_get(query, "api", &value));
    g_assert_false(http_query_get(slice_of(""), "x", &value));
    g_assert_true(slice_equal(value, "a=b"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-target/characters", test_characters);
    g_test_add_func("/http-target/forms", test_forms);
    g_test_add_func("/http-target/segments", test_segments);
    g_test_add_func("/http-target/limits", test_segment_limits);
    g_test_add_func("/http-target/query", test_query);
    return g_test_run();
}
