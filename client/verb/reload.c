/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/done.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define RELOAD_LIMIT (60 * G_TIME_SPAN_SECOND)

/* Prints each problem on a line of its own, in streamd's words. */
static void
reload_print(const char *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *text = table_escape(*line);

        (void)fprintf(stderr, "streamctl: %s\n", text);
    }
}

ExitCode
verb_reload(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;
    ExitCode code;

    if (bus == NULL)
        return verb_code(error);
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "Reload", NULL, RELOAD_LIMIT, error);
    if (reply != NULL)
        return show_done(cli, g_variant_new_parsed("{'result': <'reloaded'>}"),
                         _("streamd has read its configuration again"));
    code = verb_code(error);
    if (code == EXIT_CODE_DENIED || code == EXIT_CODE_NOT_RUNNING)
        return code; /* nothing was read, and there is a hint */
    reload_print((*error)->message);
    g_clear_error(error);
    return code;
}
