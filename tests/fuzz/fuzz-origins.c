/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Origins: one that passes names the hub right behind its scheme. */
#include "hub/base/origins.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"hub", NULL};
    g_autoptr(Origins) origins = origins_new(names, NULL, NULL);
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *lower = g_ascii_strdown(text, -1);

    if (origins_have(origins, (Slice){(const char *)data, size}))
        g_assert_nonnull(strstr(lower, "://hub"));
    if (origins_are_good(text)) {
        g_autoptr(Origins) listed = origins_new(names, NULL, text);

        g_assert_nonnull(listed);
    }
    return 0;
}
