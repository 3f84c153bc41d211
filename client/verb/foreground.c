/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/foreground.h"

#include "client/show/progress.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* What is known of the tunnel. */
typedef struct {
    Bus *bus;
    const char *path;
    guint64 id;
    GHashTable *streams; /* paths of the streams through it that have not ended */
    GHashTable *opening; /* streams that are not open yet */
    Progress *progress;
    ExitCode code;
    const char *end; /* translated; NULL: the user ended it */
} Foreground;

static void
foreground_waiting(guint seconds, void *progress)
{
    progress_show(progress, seconds);
}

/* The time shown runs from when the first connection begins to wait until none waits. */
static void
foreground_set_opening(Foreground *foreground, const char *path, gboolean opening)
{
    guint before = g_hash_table_size(foreground->opening), now;

    if (opening)
        g_hash_table_add(foreground->opening, g_strdup(path));
    else
        g_hash_table_remove(foreground->opening, path);
    now = g_hash_table_size(foreground->opening);
    if (before == 0 && now > 0)
        bus_on_waiting(foreground->bus, foreground_waiting, foreground->progress);
    if (before > 0 && now == 0)
        bus_on_waiting(foreground->bus, NULL, NULL);
    if (!opening)
        progress_hide(foreground->progress);
}

static void
foreground_stream_changed(Foreground *foreground, const BusEvent *event)
{
    const char *reason = bus_string(event->properties, "CloseReason");
    g_autofree char *why = NULL, *text = NULL;

    if (bus_number(event->properties, "OpenedAt") != 0 || *reason != '\0')
        foreground_set_opening(foreground, event->path, FALSE);
    if (*reason == '\0' || !g_hash_table_remove(foreground->streams, event->path))
        return;
    why = words_of_reason(reason, bus_string(event->properties, "CloseText"));
    text = table_escape(why);
    if (bus_number(event->properties, "OpenedAt") == 0)
        (void)fprintf(stderr, _("streamctl: a connection failed: %s (%s)\n"), text, reason);
    else if (exit_code_of_reason(reason) != EXIT_CODE_OK)
        (void)fprintf(stderr, _("streamctl: a connection was cut: %s (%s)\n"), text, reason);
}

static void
foreground_on_stream(Foreground *foreground, const BusEvent *event)
{
    if (event->properties == NULL)
        return;
    if (event->kind == BUS_EVENT_ADDED &&
        bus_number(event->properties, "Tunnel") == foreground->id) {
        g_hash_table_add(foreground->streams, g_strdup(event->path));
        foreground_set_opening(foreground, event->path,
                               bus_number(event->properties, "OpenedAt") == 0);
    }
    if (event->kind == BUS_EVENT_CHANGED)
        foreground_stream_changed(foreground, event);
}

static gboolean
foreground_on_event(const BusEvent *event, void *data)
{
    Foreground *foreground = data;

    if (event->kind == BUS_EVENT_SIGNAL)
        return FALSE;
    if (event->kind == BUS_EVENT_GONE) {
        foreground->code = EXIT_CODE_NOT_RUNNING;
        foreground->end = _("streamd has gone, and the tunnel with it");
        return FALSE;
    }
    if (strcmp(event->interface, BUS_STREAM) == 0)
        foreground_on_stream(foreground, event);
    if (event->kind == BUS_EVENT_REMOVED && strcmp(event->path, foreground->path) == 0) {
        foreground->end = _("the tunnel was closed");
        return FALSE;
    }
    return TRUE;
}

/* The tunnel belongs to us: it ends when our connection to the bus does. */
ExitCode
foreground_stay(Bus *bus, const char *path, const char *device, GError **error)
{
    g_autoptr(GHashTable) streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) opening = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Progress) progress = progress_new(device);
    Foreground foreground = {.bus = bus,
                             .path = path,
                             .id = g_ascii_strtoull(strrchr(path, '/') + 1, NULL, 10),
                             .streams = streams,
                             .opening = opening,
                             .progress = progress};
    gboolean ok = bus_wait(bus, foreground_on_event, &foreground, error);

    bus_on_waiting(bus, NULL, NULL);
    progress_hide(progress);
    if (!ok)
        return verb_code(error);
    if (foreground.code != EXIT_CODE_OK)
        return cli_fail(error, foreground.code, "%s", foreground.end);
    if (foreground.end != NULL)
        (void)fprintf(stderr, "streamctl: %s\n", foreground.end);
    return EXIT_CODE_OK;
}
