/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The date of an HTTP field: whatever is taken as one lies in the years 1 to 9999. */
#include "common/codec/http-date.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const Slice text = {(const char *)data, size};
    gint64 seconds = 0;

    if (http_date_parse(text, &seconds)) {
        g_assert_cmpint(seconds, >=, -62135596800);
        g_assert_cmpint(seconds, <, 253402300800);
    }
    return 0;
}
