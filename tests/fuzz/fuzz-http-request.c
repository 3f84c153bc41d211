/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's head and all that is done with it before anybody is trusted. */
#include "common/codec/http-head.h"
#include "common/codec/http-target.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_inside(Slice slice, const char *buf, gsize len)
{
    if (slice.len > 0)
        g_assert_true(slice.ptr >= buf && slice.ptr + slice.len <= buf + len);
}

static void
check_target(const HttpRequest *request)
{
    static const char *const names[] = {"api-version", "x", ""};
    HttpPath path;
    Slice value;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (http_query_get(request->query, names[i], &value))
            check_inside(value, request->query.ptr, request->query.len);
    if (!http_path_split(request->path, &path))
        return;
    for (guint i = 0; i < path.count; i++) {
        g_autofree char *segment = http_path_decode(&path, i);

        g_assert_true(!segment || g_utf8_validate(segment, -1, NULL));
    }
}

static void
check_request(const char *buf, const HttpRequest *request)
{
    gint64 usec = 0;

    g_assert_cmpuint(request->head_len, <=, HTTP_HEAD_MAX);
    g_assert_cmpuint(request->content_length, <=, HTTP_REQUEST_BODY_MAX);
    g_assert_cmpint(http_headers_find(&request->headers, "Transfer-Encoding") != NULL, ==,
                    request->chunked);
    g_assert_false(request->chunked && http_headers_find(&request->headers, "Content-Length"));
    check_inside(request->target, buf, request->head_len);
    check_inside(request->host, buf, request->head_len);
    g_assert_true(request->path.len > 0 && request->path.ptr[0] == '/');
    for (guint i = 0; i < request->headers.count; i++) {
        const HttpHeader *header = &request->headers.items[i];

        check_inside(header->name, buf, request->head_len);
        check_inside(header->value, buf, request->head_len);
        g_assert_null(memchr(header->value.ptr, '\r', header->value.len));
        if (http_seconds_parse(header->value, &usec))
            g_assert_cmpint(usec, >=, 0);
    }
    check_target(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *buf = (const char *)data;
    HttpRequest request;
    HttpRequest again;
    HttpRefusal refusal = {0};
    HttpHeadResult result = http_request_parse(buf, size, &request, &refusal);

    if (result == HTTP_HEAD_REFUSED)
        g_assert_true(refusal.status >= 400 && refusal.status <= 505 && refusal.text);
    if (result != HTTP_HEAD_OK)
        return 0;
    check_request(buf, &request);
    /* The head says by itself where it ends: less is not enough, and what follows changes nothing.
     */
    g_assert_cmpint(http_request_parse(buf, request.head_len, &again, &refusal), ==, HTTP_HEAD_OK);
    g_assert_cmpint(http_request_parse(buf, request.head_len - 1, &again, &refusal), ==,
                    HTTP_HEAD_MORE);
    return 0;
}
