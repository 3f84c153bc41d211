/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/reload.h"

#include "common/log/events.h"

#include <string.h>
#include <systemd/sd-daemon.h>

struct Reload {
    ReloadDone done; /* NULL: nobody waits for it */
    void *data;
};

/* The log gets a line for each problem; the status line has room for the first one only. */
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

static void
reload_ended(gpointer object G_GNUC_UNUSED, const GError *error, void *data)
{
    g_autofree Reload *reload = data;

    if (error) {
        reload_tell(error->message);
    } else {
        event_log(EVENT_CONFIG_RELOADED, &(EventData){0});
        (void)sd_notify(0, "STATUS=Configuration reloaded\nREADY=1");
    }
    if (reload->done)
        reload->done(error, reload->data);
}

Reload *
reload_config(App *app, ReloadDone done, void *data, GError **error)
{
    g_autofree Reload *reload = g_new0(Reload, 1);
    g_autoptr(GError) refused = NULL;

    *reload = (Reload){done, data};
    (void)sd_notify(0, "RELOADING=1");
    if (app_reload(app, reload_ended, reload, &refused))
        return g_steal_pointer(&reload);
    reload_tell(refused->message);
    g_propagate_error(error, g_steal_pointer(&refused));
    return NULL;
}

void
reload_forget(Reload *reload)
{
    reload->done = NULL;
}
