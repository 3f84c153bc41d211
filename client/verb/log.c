/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/show/done.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

/* As `systemctl service-log-level`, which works only for services of the system manager. */
static ExitCode
log_level_print(const Cli *cli, Bus *bus, GError **error)
{
    g_autoptr(GVariant) log = bus_properties(bus, BUS_PATH_LOG, BUS_LOG, error);

    if (log == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON])
        output_json(log, FALSE);
    else
        (void)puts(bus_string(log, "LogLevel"));
    return EXIT_CODE_OK;
}

ExitCode
verb_log_level(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;

    if (bus == NULL)
        return verb_code(error);
    if (cli->count == 0)
        return log_level_print(cli, bus, error);
    reply = bus_call(
        bus, BUS_PATH_LOG, BUS_PROPERTIES, "Set",
        g_variant_new("(ssv)", BUS_LOG, "LogLevel", g_variant_new_string(cli->words[0])), 0, error);
    if (reply == NULL)
        return verb_code(error);
    return show_done(cli, g_variant_new_parsed("{'log_level': <%s>}", cli->words[0]),
                     _("The log level is %s"), cli->words[0]);
}
