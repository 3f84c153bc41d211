/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/device-pages.h"

#include "common/cli/cli.h"

#include <glib/gi18n.h>

void
device_pages_begin(DevicePages *pages, gint64 now, gint64 time)
{
    *pages = (DevicePages){
        .until = now + time,
        .count = 1,
        .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
}

void
device_pages_clear(DevicePages *pages)
{
    g_clear_pointer(&pages->names, g_hash_table_unref);
}

gboolean
device_pages_has_time(const DevicePages *pages, gint64 now, GError **error)
{
    if (now < pages->until)
        return TRUE;
    cli_fail(error, EXIT_CODE_TIMED_OUT,
             _("the hub's list of devices is too slow: %u pages came, and it was not the end"),
             pages->count - 1);
    return FALSE;
}

gboolean
device_pages_next(DevicePages *pages, const char *after, gint64 now, GError **error)
{
    if (!g_hash_table_add(pages->names, g_strdup(after))) {
        cli_fail(error, EXIT_CODE_PROTOCOL,
                 _("the hub's list of devices goes in a circle: the page after '%s' came before"),
                 after);
        return FALSE;
    }
    if (pages->count >= DEVICE_PAGES_MAX) {
        cli_fail(error, EXIT_CODE_PROTOCOL,
                 _("the hub's list of devices does not end: %d pages came, and it has more"),
                 DEVICE_PAGES_MAX);
        return FALSE;
    }
    pages->count++;
    return device_pages_has_time(pages, now, error);
}
