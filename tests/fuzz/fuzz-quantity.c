/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times and sizes: what is taken is shown in a form that means the same. */
#include "common/codec/quantity.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    guint64 value, again;

    if (quantity_parse_time(text, &value)) {
        g_autofree char *shown = quantity_format_time(value);

        g_assert_true(quantity_parse_time(shown, &again));
        g_assert_cmpuint(again, ==, value);
    }
    if (quantity_parse_size(text, &value)) {
        g_autofree char *shown = quantity_format_size(value);

        g_assert_true(quantity_parse_size(shown, &again));
        g_assert_cmpuint(again, ==, value);
    }
    return 0;
}
