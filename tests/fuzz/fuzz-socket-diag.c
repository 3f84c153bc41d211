/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's answer of whose a socket is: nothing is read past its end, and nobody is told of a
 * socket without an inode that is said to be root's. */
#include "daemon/local/socket-diag.h"

#include <errno.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const SocketAddress v4 = {.v4 = {.sin_family = AF_INET, .sin_port = 0x1234}};
    const SocketAddress v6 = {.v6 = {.sin6_family = AF_INET6, .sin6_port = 0x1234}};
    const SocketAddress *ends[] = {&v4, &v6};
    g_autofree void *bytes = g_memdup2(data, size); /* aligned, and its end is known */

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        SocketOwner owner;
        guint32 uid = 0;
        int r = socket_diag_parse(bytes, size, ends[i], ends[i], &owner);

        if (r == 0 && socket_owner_uid(&owner, &uid) == 0)
            g_assert_true(owner.inode != 0 || uid != 0);
    }
    return 0;
}
