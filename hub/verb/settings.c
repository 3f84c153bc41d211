/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub settings */
#include "hub/verb/cli.h"

#include "hub/base/settings.h"

gboolean
verb_settings(const CliCall *call G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    g_autofree char *text = settings_describe();

    g_print("%s", text);
    return TRUE;
}
