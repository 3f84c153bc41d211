/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: the program is killed just before its DIES_AT-th call that changes a file or
 * a folder, as by SIGKILL or a power cut at that moment. Calls are counted from 1. */
/* Each name as it is in the C library. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
count(void)
{
    static atomic_int calls;
    const char *at = getenv("DIES_AT");

    if (at && atomic_fetch_add(&calls, 1) + 1 == atoi(at))
        (void)kill(getpid(), SIGKILL);
}

/* RETURN NAME(PARAMETERS), which passes ARGUMENTS on. */
#define COUNTED(type, name, parameters, arguments)                                                 \
    type name parameters                                                                           \
    {                                                                                              \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                      \
                                                                                                   \
        count();                                                                                   \
        return real arguments;                                                                     \
    }

#define COUNTED_OPEN(name)                                                                         \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        int (*real)(const char *, int, ...) =                                                      \
            (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                              \
        mode_t mode = 0;                                                                           \
        va_list args;                                                                              \
                                                                                                   \
        if (flags & O_CREAT) {                                                                     \
            va_start(args, flags);                                                                 \
            mode = va_arg(args, mode_t);                                                           \
            va_end(args);                                                                          \
            count();                                                                               \
        }                                                                                          \
        return real(path, flags, mode);                                                            \
    }

COUNTED_OPEN(open)
COUNTED_OPEN(open64)
COUNTED(ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len))
COUNTED(ssize_t, pwrite, (int fd, const void *bytes, size_t len, off_t at), (fd, bytes, len, at))
COUNTED(ssize_t, pwrite64, (int fd, const void *bytes, size_t len, off64_t at),
        (fd, bytes, len, at))
COUNTED(int, ftruncate, (int fd, off_t len), (fd, len))
COUNTED(int, ftruncate64, (int fd, off64_t len), (fd, len))
COUNTED(int, fsync, (int fd), (fd))
COUNTED(int, fdatasync, (int fd), (fd))
COUNTED(int, fchmod, (int fd, mode_t mode), (fd, mode))
COUNTED(int, mkdir, (const char *path, mode_t mode), (path, mode))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(int, rename, (const char *from, const char *to), (from, to))
COUNTED(int, link, (const char *from, const char *to), (from, to))
