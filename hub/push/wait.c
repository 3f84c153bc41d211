/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/wait.h"

#include "hub/log/watch.h"

#include <glib-unix.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

struct Waiter {
    int watch;
    gboolean stopping, over;
    guint signals[2];
    guint alive; /* 0: nobody wants to know */
    void (*stop)(void *data);
    void *data;
};

static gboolean
on_signal(gpointer data)
{
    Waiter *waiter = data;

    if (!waiter->stopping)
        waiter->stop(waiter->data);
    waiter->stopping = TRUE;
    return G_SOURCE_CONTINUE;
}

Waiter *
waiter_new(const char *records, void (*stop)(void *data), void *data)
{
    Waiter *waiter = g_new0(Waiter, 1);

    waiter->watch = log_watch_open(records);
    waiter->stop = stop;
    waiter->data = data;
    waiter->signals[0] = g_unix_signal_add(SIGTERM, on_signal, waiter);
    waiter->signals[1] = g_unix_signal_add(SIGINT, on_signal, waiter);
    return waiter;
}

void
waiter_free(Waiter *waiter)
{
    if (!waiter)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(waiter->signals); i++)
        (void)g_source_remove(waiter->signals[i]);
    if (waiter->alive)
        (void)g_source_remove(waiter->alive);
    if (waiter->watch >= 0)
        close(waiter->watch);
    g_free(waiter);
}

static gboolean
on_alive(gpointer data G_GNUC_UNUSED)
{
    (void)sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

void
waiter_ready(Waiter *waiter)
{
    guint64 limit = 0;

    (void)sd_notify(0, "READY=1");
    if (waiter->alive == 0 && sd_watchdog_enabled(0, &limit) > 0)
        waiter->alive = g_timeout_add((guint)(limit / 3 / 1000 + 1), on_alive, NULL);
}

void
waiter_tell(const Waiter *waiter G_GNUC_UNUSED, const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

static gboolean
on_time(gpointer data)
{
    ((Waiter *)data)->over = TRUE;
    return G_SOURCE_CONTINUE; /* removed by who waits */
}

static gboolean
on_records(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    log_watch_clear(fd);
    ((Waiter *)data)->over = TRUE;
    return G_SOURCE_CONTINUE;
}

void
waiter_wait(Waiter *waiter, gint64 usec, gboolean to_records)
{
    guint timer = g_timeout_add((guint)(MAX(usec, 0) / 1000 + 1), on_time, waiter);
    guint watch = to_records && waiter->watch >= 0
                      ? g_unix_fd_add(waiter->watch, G_IO_IN, on_records, waiter)
                      : 0;

    waiter->over = FALSE;
    while (!waiter->over && !waiter->stopping)
        (void)g_main_context_iteration(NULL, TRUE);
    (void)g_source_remove(timer);
    if (watch)
        (void)g_source_remove(watch);
}

gboolean
waiter_is_stopping(const Waiter *waiter)
{
    return waiter->stopping;
}
