/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each name as it is in the C library. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "tests/unit/daemon/config/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    const char *folder; /* NULL: nothing is counted */
    guint at, calls;
    gboolean for_good;
    int error;
    gboolean sync; /* one has failed */
    char order[8192];
} faults;

void
faults_arm(const char *folder, guint at, gboolean for_good, int error)
{
    faults.folder = folder;
    faults.at = at;
    faults.calls = 0;
    faults.for_good = for_good;
    faults.error = error;
    faults.sync = FALSE;
    faults.order[0] = '\0';
}

const char *
faults_order(void)
{
    return faults.order;
}

gboolean
faults_failed_sync(void)
{
    return faults.sync;
}

guint
faults_disarm(void)
{
    faults.folder = NULL;
    return faults.calls;
}

static void
note(const char *what, const char *path)
{
    const char *name = path + strlen(faults.folder), *beside = strstr(name, ".new.");
    gsize len = strlen(faults.order), size = beside ? (gsize)(beside - name) : strlen(name);

    (void)g_snprintf(faults.order + len, sizeof faults.order - len, "%s %.*s\n", what,
                     size > 1 ? (int)size - 1 : 1, size > 1 ? name + 1 : ".");
}

/* WHAT NULL: it changes nothing. */
static gboolean
fails(const char *what, const char *path)
{
    if (!faults.folder || strncmp(path, faults.folder, strlen(faults.folder)) != 0)
        return FALSE;
    faults.calls++;
    if (faults.calls != faults.at && !(faults.for_good && faults.at && faults.calls > faults.at)) {
        if (what)
            note(what, path);
        return FALSE;
    }
    errno = faults.error;
    return TRUE;
}

static gboolean
fd_fails(const char *what, int fd)
{
    char link[64], path[4096] = "";

    if (!faults.folder)
        return FALSE;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && fails(what, path);
}

#define FAILING_OPEN(name, more)                                                                   \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, flags);                                                                     \
        if (flags & O_CREAT)                                                                       \
            mode = va_arg(args, mode_t);                                                           \
        va_end(args);                                                                              \
        return fails(flags & O_CREAT ? "open" : NULL, path)                                        \
                   ? -1                                                                            \
                   : (int)syscall(SYS_openat, AT_FDCWD, path, flags | (more), mode);               \
    }

FAILING_OPEN(open, 0)
FAILING_OPEN(open64, O_LARGEFILE)

ssize_t
write(int fd, const void *bytes, size_t len)
{
    return fd_fails("write", fd) ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, len);
}

/* Nobody cuts the power here: it is not waited for the real disk. */
int
fsync(int fd)
{
    if (!fd_fails("sync", fd))
        return 0;
    faults.sync = TRUE;
    return -1;
}

int
rename(const char *from, const char *to)
{
    return fails("rename", from) ? -1
                                 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlink(const char *path)
{
    return fails("remove", path) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
mkdir(const char *path, mode_t mode)
{
    return fails("make", path) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
