/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/verb.h"

#include <stdio.h>

ExitCode
verb_metrics(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;
    const char *text = "";

    if (bus == NULL)
        return verb_code(error);
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "GetMetrics", NULL, 0, error);
    if (reply == NULL)
        return verb_code(error);
    if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(s)")))
        g_variant_get(reply, "(&s)", &text);
    (void)fputs(text, stdout);
    return EXIT_CODE_OK;
}
