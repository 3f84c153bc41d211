/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/file-watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

#define CHANGES (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB)

struct FileWatch {
    int fd; /* inotify; -1: there is none */
    guint source, rest;
    void (*func)(void *data);
    void *data;
};

static gboolean
watch_rested(gpointer data)
{
    FileWatch *watch = data;

    watch->rest = 0;
    watch->func(watch->data);
    return G_SOURCE_REMOVE;
}

/* What has changed does not matter: whoever is told looks at the files. */
static gboolean
watch_ready(int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    FileWatch *watch = data;
    char events[4096];

    while (read(fd, events, sizeof events) > 0 || errno == EINTR)
        ;
    if (!watch->rest)
        watch->rest =
            g_timeout_add((guint)(FILE_WATCH_REST / G_TIME_SPAN_MILLISECOND), watch_rested, watch);
    return G_SOURCE_CONTINUE;
}

FileWatch *
file_watch_new(const char *const *files, void (*func)(void *data), void *data)
{
    FileWatch *watch = g_new0(FileWatch, 1);

    watch->func = func;
    watch->data = data;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0)
        return watch;
    for (; *files; files++) {
        g_autofree char *folder = g_path_get_dirname(*files);

        (void)inotify_add_watch(watch->fd, folder, CHANGES);
    }
    watch->source = g_unix_fd_add(watch->fd, G_IO_IN, watch_ready, watch);
    return watch;
}

void
file_watch_free(FileWatch *watch)
{
    if (!watch)
        return;
    if (watch->rest)
        g_source_remove(watch->rest);
    if (watch->source)
        g_source_remove(watch->source);
    if (watch->fd >= 0)
        close(watch->fd);
    g_free(watch);
}
