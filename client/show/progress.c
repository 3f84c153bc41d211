/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/progress.h"

#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

struct Progress {
    char *what;
    gboolean terminal;
    gboolean shown;
};

Progress *
progress_new(const char *what)
{
    Progress *progress = g_new0(Progress, 1);

    progress->what = table_escape(what);
    /* A terminal that cannot erase a line gets none. */
    progress->terminal = isatty(STDERR_FILENO) == 1 && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
    return progress;
}

void
progress_show(Progress *progress, guint seconds)
{
    if (!progress->terminal)
        return;
    (void)fputs("\r\033[K", stderr);
    (void)fprintf(stderr, _("Waiting for %s, %u s so far; Ctrl-C gives up"), progress->what,
                  seconds);
    (void)fflush(stderr);
    progress->shown = TRUE;
}

void
progress_hide(Progress *progress)
{
    if (!progress->shown)
        return;
    (void)fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    progress->shown = FALSE;
}

void
progress_free(Progress *progress)
{
    if (progress == NULL)
        return;
    progress_hide(progress);
    g_free(progress->what);
    g_free(progress);
}
