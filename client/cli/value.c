/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/value.h"

#include "client/cli/option.h"
#include "common/codec/quantity.h"

#include <glib/gi18n.h>
#include <string.h>

gboolean
value_time(const Cli *cli, Option option, guint64 *ret, GError **error)
{
    if (!cli->given[option] || quantity_parse_time(cli->values[option], ret))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("--%s is a time such as 30s, 10min or 2h, not '%.64s'"),
             option_row(&streamctl_options, option)->name, cli->values[option]);
    return FALSE;
}

gboolean
value_yes_no(const Cli *cli, Option option, gboolean *ret, GError **error)
{
    const char *value = cli->values[option];

    if (value == NULL)
        return TRUE;
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0) {
        *ret = strcmp(value, "yes") == 0;
        return TRUE;
    }
    cli_fail(error, EXIT_CODE_USAGE, _("--%s is yes or no, not '%.64s'"),
             option_row(&streamctl_options, option)->name, value);
    return FALSE;
}
