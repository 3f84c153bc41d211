/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: each fsync takes so many milliseconds as the file SLOW_DISK says. */
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int
delay(void)
{
    const char *path = getenv("SLOW_DISK");
    char text[16] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    (void)close(fd);
    return atoi(text);
}

int
fsync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

    (void)usleep((useconds_t)delay() * 1000);
    return real(fd);
}
