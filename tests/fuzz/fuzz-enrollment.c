/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an enrolment: a key that is taken has an allowed length and is taken again from what
 * it makes; nothing is written for a body that is refused, and its fault is said. */
#include "hub/registry/invitation.h"
#include "hub/rest/enroll-body.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *body = g_memdup2(data, size); /* no NUL behind it */
    g_autofree char *text = NULL, *made = NULL;
    g_auto(RegistryKey) key = {0}, again = {0};
    const char *why = NULL;

    if (!enroll_body_parse(body, size, &key, &why)) {
        g_assert_cmpuint(key.len, ==, 0);
        g_assert_nonnull(why);
        return 0;
    }
    g_assert_cmpuint(key.len, >=, REGISTRY_ENROLLED_KEY_MIN);
    g_assert_cmpuint(key.len, <=, REGISTRY_KEY_MAX);
    text = g_base64_encode(key.bytes, key.len);
    made = g_strdup_printf(" { \"key\" : \"%s\" } ", text);
    g_assert_true(enroll_body_parse(made, strlen(made), &again, &why));
    g_assert_cmpuint(again.len, ==, key.len);
    g_assert_true(memcmp(again.bytes, key.bytes, key.len) == 0);
    return 0;
}
