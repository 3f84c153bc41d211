/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-build.h"

#include "common/codec/http-head.h"

static void
test_a_request_comes_back(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    HttpRequest request;
    HttpRefusal refusal;

    g_assert_true(http_request_line(out, "POST", "/twins/d/streams/s?api-version=1"));
    g_assert_true(http_header_append(out, "Host", "hub.example:8443"));
    g_assert_true(http_header_append(out, "X-Blank", ""));
    http_header_append_number(out, "Content-Length", 12);
    http_head_end(out);
    g_assert_cmpint(http_request_parse(out->str, out->len, &request, &refusal), ==, HTTP_HEAD_OK);
    g_assert_cmpuint(request.head_len, ==, out->len);
    g_assert_cmpuint(request.content_length, ==, 12);
    g_assert_true(slice_equal(request.query, "api-version=1"));
}

static void
test_a_response_comes_back(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    HttpResponse response;
    HttpRefusal refusal;

    http_status_line(out, 404);
    http_header_append_number(out, "Content-Length", 0);
    http_head_end(out);
    g_assert_cmpstr(out->str, ==, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    g_assert_cmpint(http_response_parse(out->str, out->len, &response, &refusal), ==, HTTP_HEAD_OK);
    g_assert_cmpstr(http_status_reason(299), ==, "");
}

static void
test_injection_is_refused(void)
{
    static const char *const values[] = {"a\r\nX: y", "a\nb", "a\rb", "\x01", "\x7f", "\r\n"};
    static const char *const names[] = {"", "A B", "A:", "A\r\nB", "A\xc3"};
    static const char *const targets[] = {"", "x", "/a b", "/a\r\nX:", "http://h/", "/%0"};
    g_autoptr(GString) out = g_string_new("kept");

    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        g_assert_false(http_header_append(out, "Name", values[i]));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_false(http_header_append(out, names[i], "value"));
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++)
        g_assert_false(http_request_line(out, "GET", targets[i]));
    g_assert_false(http_request_line(out, "G T", "/"));
    g_assert_false(http_request_line(out, "", "/"));
    g_assert_cmpstr(out->str, ==, "kept");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http-build/request", test_a_request_comes_back);
    g_test_add_func("/http-build/response", test_a_response_comes_back);
    g_test_add_func("/http-build/injection", test_injection_is_refused);
    return g_test_run();
}
