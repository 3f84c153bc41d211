/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's certificates before anybody is known: each is two bytes of length and its DER. */
#include "common/net/tls-client.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(TlsClient) client = NULL;
    g_autoptr(TlsTrust) trust = tls_trust_new(NULL, NULL, NULL);

    while (size >= 2 && chain->len <= TLS_CLIENT_CHAIN_MAX) {
        size_t len = MIN((size_t)(data[0] << 8 | data[1]), size - 2);

        g_ptr_array_add(chain, g_bytes_new(data + 2, len));
        data += 2 + len;
        size -= 2 + len;
    }
    client = tls_client_new(chain, trust);
    g_assert_cmpint(client->standing, !=, TLS_CLIENT_TRUSTED);
    if (client->fault)
        return 0;
    g_assert_cmpint(client->until, <=, client->not_after);
    g_assert_cmpuint(g_strv_length(client->names), <=, 1 + TLS_CLIENT_NAMES_MAX);
    for (char **name = client->names; *name; name++) {
        g_assert_cmpuint(strlen(*name), <=, TLS_CLIENT_NAME_MAX);
        g_assert_true(g_utf8_validate(*name, -1, NULL));
        g_assert_true(tls_client_has_name(client, *name));
    }
    return 0;
}
