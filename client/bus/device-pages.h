/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device pages: how far a list that comes in pages is followed. The hub names the next page, so a
 * broken or bad hub could keep its user waiting for ever. These end it: a page name that came
 * before, too many pages, or too much time. The caller gives the times; one thread. */
#pragma once

#include <glib.h>

#define DEVICE_PAGES_MAX 1000
#define DEVICE_PAGES_TIME (2 * 60 * G_TIME_SPAN_SECOND)
#define DEVICE_PAGES_TIME_QUIETLY (2 * G_TIME_SPAN_SECOND) /* while the user types */

typedef struct {
    gint64 until;
    guint count;
    GHashTable *names; /* of all pages so far */
} DevicePages;

void device_pages_begin(DevicePages *pages, gint64 now, gint64 time);
void device_pages_clear(DevicePages *pages);

/* Whether there is time for another page; if not, EXIT_CODE_TIMED_OUT. */
gboolean device_pages_has_time(const DevicePages *pages, gint64 now, GError **error);

/* Whether the page AFTER may be requested; if not, EXIT_CODE_PROTOCOL or EXIT_CODE_TIMED_OUT. */
gboolean device_pages_next(DevicePages *pages, const char *after, gint64 now, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DevicePages, device_pages_clear)
