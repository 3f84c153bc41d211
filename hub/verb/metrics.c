/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub metrics */
#include "common/base/secret.h"
#include "hub/verb/verb.h"

#include <stdio.h>

ExitCode
verb_metrics(Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_auto(SecretText) text = admin_client_get_secret(client, "/v1/metrics", error);

    if (text == NULL)
        return verb_end(FALSE, error);
    (void)fputs(text, stdout);
    return EXIT_CODE_OK;
}
