/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration file: what is wrong with it is said with its path, and half of it is nothing.
 */
#include "daemon/config.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreState) state = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(write(fd, data, size) == (ssize_t)size);
    state = config_load(path, &error);
    close(fd);
    g_assert_true((state == NULL) == (error != NULL));
    if (error)
        g_assert_nonnull(strstr(error->message, path));
    return 0;
}
