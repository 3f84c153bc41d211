/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

guint
descriptors_capacity(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return G_MAXUINT;
    return (guint)MIN(limit.rlim_cur - limit.rlim_cur / 10, (rlim_t)G_MAXUINT);
}

gboolean
descriptors_are_scarce(int fd)
{
    return (guint)fd >= descriptors_capacity();
}

/* The kernel gives the lowest number that is free. */
guint
descriptors_used(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return descriptors_capacity();
    close(fd);
    return (guint)fd;
}

void
descriptors_raise_limit(guint64 wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= MIN(limit.rlim_max, wanted))
        return;
    limit.rlim_cur = MIN(limit.rlim_max, wanted);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        g_warning("Cannot raise the limit of open files: %s", g_strerror(errno));
}
