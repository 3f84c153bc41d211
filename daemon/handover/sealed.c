/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/handover/sealed.h"

#include "common/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Linux 6.3; where vm.memfd_noexec is 2, memory that could be run is refused. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static gboolean
sealed_fail(const char *what, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "cannot %s: %s", what,
                g_strerror(errno));
    return FALSE;
}

static gboolean
sealed_fill(int fd, gsize size, SealedWrite write, const void *data, GError **error)
{
    void *out;

    if (ftruncate(fd, (off_t)size) < 0)
        return sealed_fail("size the memory of the state", error);
    out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (out == MAP_FAILED)
        return sealed_fail("map the memory of the state", error);
    write(out, size, data);
    (void)munmap(out, size); /* a mapping that may be written keeps it from being sealed */
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0 || sealed_fail("seal the memory of the state", error);
}

/* An older kernel does not know the flag. */
static int
sealed_open(void)
{
    const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const int fd = memfd_create("streamd-state", flags | MFD_NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? memfd_create("streamd-state", flags) : fd;
}

gboolean
sealed_make(gsize size, SealedWrite write, const void *data, int *ret, GError **error)
{
    int fd;

    if (size == 0) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the state is beyond what can be kept");
        return FALSE;
    }
    fd = sealed_open();
    if (fd < 0)
        return sealed_fail("make memory for the state", error);
    if (!sealed_fill(fd, size, write, data, error)) {
        close(fd);
        return FALSE;
    }
    *ret = fd;
    return TRUE;
}

static void
sealed_unmap(gpointer data)
{
    struct iovec *map = data;

    (void)munmap(map->iov_base, map->iov_len);
    g_free(map);
}

GBytes *
sealed_read(int fd, gsize most, GError **error)
{
    const int seals = fcntl(fd, F_GET_SEALS);
    struct iovec map, *kept;
    struct stat status;

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) < 0 || status.st_size <= 0 ||
        (guint64)status.st_size > most) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "the state is not in sealed memory, or too large");
        return NULL;
    }
    map.iov_len = (gsize)status.st_size;
    map.iov_base = mmap(NULL, map.iov_len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map.iov_base == MAP_FAILED) {
        (void)sealed_fail("map the memory of the state", error);
        return NULL;
    }
    kept = g_memdup2(&map, sizeof map);
    return g_bytes_new_with_free_func(map.iov_base, map.iov_len, sealed_unmap, kept);
}
