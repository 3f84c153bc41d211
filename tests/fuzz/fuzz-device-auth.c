/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is stored of how a device proves who it is, and the thumbprints that people give. */
#include "hub/registry/device-auth.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    RegistryThumbprint thumbprint = {0};
    RegistryAuth auth = {0};

    if (registry_thumbprint_parse(text, &thumbprint)) {
        RegistryThumbprint again = {0};
        g_autofree char *shown = registry_thumbprint_format(&thumbprint);

        g_assert_true(thumbprint.len == 20 || thumbprint.len == REGISTRY_THUMBPRINT_SIZE);
        g_assert_true(registry_thumbprint_parse(shown, &again) && again.len == thumbprint.len);
    }
    if (registry_auth_parse(text, &auth)) {
        RegistryAuth again = {0};
        g_autofree char *shown = registry_auth_format(&auth);

        g_assert_null(registry_auth_fault(&auth));
        g_assert_true(registry_auth_parse(shown, &again) && registry_auth_equal(&auth, &again));
    }
    return 0;
}
