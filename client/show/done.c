/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/done.h"

#include "common/base/table.h"
#include "common/cli/output.h"

#include <stdio.h>

ExitCode
show_done(const Cli *cli, GVariant *json, const char *format, ...)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(json);
    g_autofree char *text = NULL, *shown = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    shown = table_escape(text);
    if (cli->given[OPTION_JSON])
        output_json(owned, FALSE);
    else
        (void)puts(shown);
    (void)fflush(stdout);
    return EXIT_CODE_OK;
}
