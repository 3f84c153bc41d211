/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/reload.h"

#include "common/log/events.h"

#include <string.h>
#include <systemd/sd-daemon.h>

struct Reload {
    App *app;
    ReloadDone done; /* NULL: nobody waits for it */
    void *data;
};

/* The log gets a line for each problem; the status line has room for the first one only. */
static void
reload_tell(App *app, const char *problems)
{
    g_autofree char *first = NULL;
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    guint count = g_strv_length(lines);

    for (guint i = 0; i < count; i++)
        event_log(EVENT_CONFIG_REFUSED, &(EventData){.detail = lines[i]});
    first = g_strconcat(lines[0], count > 1 ? " (and more, see the log)" : "", NULL);
    app_note_reload(app, first);
    (void)sd_notify(0, "READY=1");
}

static void
reload_ended(gpointer object G_GNUC_UNUSED, const GError *error, void *data)
{
    g_autofree Reload *reload = data;

    if (error) {
        reload_tell(reload->app, error->message);
    } else {
        app_note_reload(reload->app, NULL);
        (void)sd_notify(0, "READY=1");
    }
    if (reload->done)
        reload->done(error, reload->data);
}

Reload *
reload_config(App *app, Author *author, ReloadDone done, void *data, GError **error)
{
    g_autoptr(Author) owned = author;
    AppChange *change;
    g_autofree Reload *reload = g_new0(Reload, 1);
    g_autoptr(GError) refused = NULL;

    *reload = (Reload){app, done, data};
    (void)sd_notify(0, "RELOADING=1");
    change = app_reload(app, reload_ended, reload, &refused);
    if (change && owned)
        app_change_by(change, g_steal_pointer(&owned));
    if (change)
        return g_steal_pointer(&reload);
    reload_tell(app, refused->message);
    g_propagate_error(error, g_steal_pointer(&refused));
    return NULL;
}

void
reload_forget(Reload *reload)
{
    reload->done = NULL;
}
