/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: a disk under the folder BAD_DISK_IN that is as the first word in the file
 * BAD_DISK says: `slow` (each sync takes three seconds), `broken` (writes: EIO),
 * `unsynced` (syncs: EIO), `half` (a write takes half
 * of what it is given, and the next one nothing: ENOSPC). */
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t (*real_write)(int fd, const void *bytes, size_t len);

static void __attribute__((constructor)) find_write(void)
{
    real_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
}

static int
is_in_it(int fd)
{
    const char *folder = getenv("BAD_DISK_IN");
    char link[64], path[4096] = "";

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return folder && readlink(link, path, sizeof path - 1) > 0 &&
           strncmp(path, folder, strlen(folder)) == 0;
}

static int
disk_is(int fd, const char *how)
{
    const char *path = getenv("BAD_DISK");
    char text[16] = "";
    int file;

    if (!path || !is_in_it(fd))
        return 0;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, text, sizeof text - 1) < 0)
        text[0] = '\0';
    (void)close(file);
    return strncmp(text, how, strlen(how)) == 0;
}

static int
fail(int number)
{
    errno = number;
    return -1;
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
    static _Thread_local int halves;

    if (disk_is(fd, "broken"))
        return fail(EIO);
    if (disk_is(fd, "half"))
        return halves++ % 2 == 0 && len > 1 ? real_write(fd, bytes, len / 2) : fail(ENOSPC);
    return real_write(fd, bytes, len);
}

int
fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    if (disk_is(fd, "unsynced"))
        return fail(EIO);
    if (disk_is(fd, "slow"))
        (void)sleep(3);
    return real(fd);
}
