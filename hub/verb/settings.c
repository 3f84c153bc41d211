/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub settings */
#include "hub/base/settings.h"

#include "hub/verb/verb.h"

#include <stdio.h>

ExitCode
verb_settings(Cli *cli G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    g_autofree char *text = settings_describe();

    (void)fputs(text, stdout);
    return EXIT_CODE_OK;
}
