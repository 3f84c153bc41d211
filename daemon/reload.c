/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/reload.h"

#include "common/log/events.h"

#include <string.h>
#include <systemd/sd-daemon.h>

/* Every problem has a line of the log; the status line has room for the first. */
static void
reload_tell(const char *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    guint count = g_strv_length(lines);

    for (guint i = 0; i < count; i++)
        event_log(EVENT_CONFIG_REFUSED, &(EventData){.detail = lines[i]});
    (void)sd_notifyf(0, "STATUS=Not reloaded, the old configuration stays: %s%s\nREADY=1", lines[0],
                     count > 1 ? " (and more, see the log)" : "");
}

gboolean
reload_config(App *app, GError **error)
{
    g_autoptr(GError) problems = NULL;

    (void)sd_notify(0, "RELOADING=1");
    if (!app_reload(app, &problems)) {
        reload_tell(problems->message);
        g_propagate_error(error, g_steal_pointer(&problems));
        return FALSE;
    }
    event_log(EVENT_CONFIG_RELOADED, &(EventData){0});
    (void)sd_notify(0, "STATUS=Configuration reloaded\nREADY=1");
    return TRUE;
}
