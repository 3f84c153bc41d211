/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hub's answer to the POST: whatever it says, the user gets one error with a short text. */
#include "common/base/error.h"
#include "daemon/link/service-open.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    Reason reason = REASON_NONE;
    HttpResponse response;
    HttpRefusal refusal;

    if (http_response_parse((const char *)data, size, &response, &refusal) != HTTP_HEAD_OK)
        return 0;
    if (service_answer_check(&response, &reason, &error)) {
        g_assert_null(error);
        return 0;
    }
    g_assert_true(error->domain == STREAMD_ERROR);
    g_assert_cmpint(reason, !=, REASON_NONE);
    g_assert_cmpuint(strlen(error->message), <=, 256);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    return 0;
}
