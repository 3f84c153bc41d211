/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A SAS token before anybody is known: parsed, its scope compared, its signature checked. */
#include "common/codec/device-id.h"
#include "common/codec/sas-token.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"hub.example", NULL};
    static const guint8 key[] = "0123456789abcdef";
    const char *text = (const char *)data;
    SasToken token;

    g_assert_nonnull(sas_result_text(sas_token_parse(text, size, &token)));
    if (sas_token_parse(text, size, &token) != SAS_OK)
        return 0;
    g_assert_true(token.sr.ptr > text && token.sr.ptr + token.sr.len <= text + size);
    g_assert_true(token.policy[0] == '\0' || device_id_is_valid(token.policy, -1));
    (void)sas_token_verify(&token, key, sizeof(key) - 1);
    /* A scope for one device is none for another. */
    if (sas_resource_matches(token.sr, names, "devices/device1"))
        g_assert_false(sas_resource_matches(token.sr, names, "devices/device10") &&
                       !sas_resource_matches(token.sr, names, "devices/other"));
    return 0;
}
