/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a restart hands over: any bytes are refused, or are a state that is written as they are. */
#include "common/resume/stored.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Stored) stored = NULL;
    g_autofree guint8 *again = NULL;

    if (stored_parse(data, size, &stored) != STORED_OK)
        return 0;
    g_assert_cmpuint(stored_size(stored), ==, size);
    again = g_malloc(size);
    stored_write(stored, again, size);
    g_assert_true(memcmp(again, data, size) == 0);
    return 0;
}
