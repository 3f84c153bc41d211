/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

int
log_watch_open(const char *folder)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd >= 0 &&
        inotify_add_watch(fd, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void
log_watch_clear(int fd)
{
    char events[4096] __attribute__((aligned(8)));

    while (fd >= 0 && read(fd, events, sizeof events) > 0)
        continue;
}
