/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: the program is killed just before its DIES_AT-th call that changes a file or
 * a folder, as by SIGKILL or a power cut at that moment. Calls are counted from 1; with DIES_IN
 * those alone that concern what is in that folder. */
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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
count(const char *path)
{
    static atomic_int calls;
    const char *at = getenv("DIES_AT"), *in = getenv("DIES_IN");

    if (at && (!in || strncmp(path, in, strlen(in)) == 0) &&
        atomic_fetch_add(&calls, 1) + 1 == atoi(at))
        (void)kill(getpid(), SIGKILL);
}

static void
count_fd(int fd)
{
    char link[64], path[4096] = "";

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        path[0] = '\0';
    count(path);
}

/* RETURN NAME(PARAMETERS), which passes ARGUMENTS on. */
#define COUNTED(type, name, counts, parameters, arguments)                                         \
    type name parameters                                                                           \
    {                                                                                              \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                      \
                                                                                                   \
        counts;                                                                                    \
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
            count(path);                                                                           \
        }                                                                                          \
        return real(path, flags, mode);                                                            \
    }

COUNTED_OPEN(open)
COUNTED_OPEN(open64)
COUNTED(ssize_t, write, count_fd(fd), (int fd, const void *bytes, size_t len), (fd, bytes, len))
COUNTED(ssize_t, pwrite, count_fd(fd), (int fd, const void *bytes, size_t len, off_t at),
        (fd, bytes, len, at))
COUNTED(ssize_t, pwrite64, count_fd(fd), (int fd, const void *bytes, size_t len, off64_t at),
        (fd, bytes, len, at))
COUNTED(int, ftruncate, count_fd(fd), (int fd, off_t len), (fd, len))
COUNTED(int, ftruncate64, count_fd(fd), (int fd, off64_t len), (fd, len))
COUNTED(int, fsync, count_fd(fd), (int fd), (fd))
COUNTED(int, fdatasync, count_fd(fd), (int fd), (fd))
COUNTED(int, fchmod, count_fd(fd), (int fd, mode_t mode), (fd, mode))
COUNTED(int, mkdir, count(path), (const char *path, mode_t mode), (path, mode))
COUNTED(int, unlink, count(path), (const char *path), (path))
COUNTED(int, rename, count(from), (const char *from, const char *to), (from, to))
COUNTED(int, link, count(from), (const char *from, const char *to), (from, to))
