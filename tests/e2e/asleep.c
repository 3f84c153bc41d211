/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: the machine seems to have slept for as many seconds as the file ASLEEP says.
 * The clock that runs on while a machine sleeps (CLOCK_BOOTTIME) is that much ahead, and a timer on
 * it, which would be due at once, fires every tenth of a second. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

static int boottime_fd = -1;

static void *
next_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static long
slept(void)
{
    const char *path = getenv("ASLEEP");
    FILE *file = path ? fopen(path, "re") : NULL;
    long seconds = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%ld", &seconds) != 1)
        seconds = 0;
    fclose(file);
    return seconds;
}

int
clock_gettime(clockid_t clock, struct timespec *time)
{
    int (*real)(clockid_t, struct timespec *) = next_of("clock_gettime");
    int r = real(clock, time);

    if (r == 0 && clock == CLOCK_BOOTTIME)
        time->tv_sec += slept();
    return r;
}

int
timerfd_create(int clock, int flags)
{
    int (*real)(int, int) = next_of("timerfd_create");
    int fd = real(clock, flags);

    if (clock == CLOCK_BOOTTIME)
        boottime_fd = fd;
    return fd;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    int (*real)(int, int, const struct itimerspec *, struct itimerspec *) =
        next_of("timerfd_settime");
    const struct itimerspec often = {{0, 100000000}, {0, 100000000}};

    return real(fd, flags, fd == boottime_fd ? &often : value, old);
}
