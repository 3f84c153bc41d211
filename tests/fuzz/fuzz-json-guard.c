/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard, with json-glib behind it: what the guard lets through, the parser takes. */
#include "common/codec/json-guard.h"

#include <json-glib/json-glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonParser) parser = NULL;
    g_autoptr(GError) error = NULL;
    gsize offset = 0;
    JsonGuardResult result = json_guard_check((const char *)data, size, NULL, &offset);

    g_assert_cmpuint(offset, <=, size);
    g_assert_nonnull(json_guard_text(result));
    if (result != JSON_GUARD_OK)
        return 0;
    parser = json_parser_new();
    g_assert_true(json_parser_load_from_data(parser, (const char *)data, (gssize)size, &error));
    g_assert_nonnull(json_parser_get_root(parser));
    return 0;
}
