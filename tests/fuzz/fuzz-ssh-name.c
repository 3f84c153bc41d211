/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host names for ssh: what is taken apart has a valid device, and is the whole name. */
#include "client/verb/ssh-name.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hubs[] = {"a", "b.a", "office", "", NULL};
    g_autofree char *host = g_strndup((const char *)data, size);
    g_autofree char *device = NULL;
    const char *hub = NULL;

    if (ssh_name_parse(host, hubs, &device, &hub)) {
        g_autofree char *again = ssh_name_make(device, hub);

        g_assert_true(ssh_name_is_device(device));
        g_assert_cmpstr(again, ==, host);
    } else {
        g_assert_null(device);
    }
    return 0;
}
