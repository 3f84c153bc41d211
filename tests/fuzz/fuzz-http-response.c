/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A response's head, as an evil hub may send it to our client. */
#include "common/codec/http-head.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *buf = (const char *)data;
    HttpResponse response;
    HttpResponse again;
    HttpRefusal refusal = {0};
    HttpHeadResult result = http_response_parse(buf, size, &response, &refusal);

    if (result == HTTP_HEAD_REFUSED)
        g_assert_true(refusal.status == 502 && refusal.text);
    if (result != HTTP_HEAD_OK)
        return 0;
    g_assert_true(response.status >= 100 && response.status <= 599);
    g_assert_cmpuint(response.head_len, <=, MIN(size, HTTP_HEAD_MAX));
    g_assert_false(response.chunked && response.has_content_length);
    g_assert_cmpuint(response.content_length, <=, HTTP_RESPONSE_BODY_MAX);
    g_assert_cmpint(http_response_parse(buf, response.head_len, &again, &refusal), ==,
                    HTTP_HEAD_OK);
    g_assert_cmpint(http_response_parse(buf, response.head_len - 1, &again, &refusal), ==,
                    HTTP_HEAD_MORE);
    return 0;
}
