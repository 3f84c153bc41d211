/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read from a file or prompt: whatever is accepted comes back the same. */
#include "common/base/secret.h"
#include "common/codec/connection-string.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConnectionString) parts =
        connection_string_parse((const char *)data, (gssize)size, &error);
    g_autoptr(ConnectionString) again = NULL;
    g_auto(SecretText) text = NULL;
    g_auto(SecretText) same = NULL;

    if (!parts) {
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    text = connection_string_format(parts);
    again = connection_string_parse(text, -1, &error);
    g_assert_no_error(error);
    same = connection_string_format(again);
    g_assert_cmpstr(text, ==, same);
    return 0;
}
