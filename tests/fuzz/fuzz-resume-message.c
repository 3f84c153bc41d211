/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text message on a leg: what is taken is written as it was, but for the code of a reason that is
 * not known. */
#include "common/resume/message.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ResumeMessage message;
    char text[RESUME_TEXT_MAX];
    gsize len;

    if (!resume_message_parse(data, size, &message))
        return 0;
    g_assert_cmpuint(size, <=, RESUME_TEXT_MAX);
    len = resume_message_write(text, &message);
    if (message.word == RESUME_CLOSE && message.reason == REASON_CUT)
        return 0;
    g_assert_cmpuint(len, ==, size);
    g_assert_true(memcmp(text, data, size) == 0);
    return 0;
}
