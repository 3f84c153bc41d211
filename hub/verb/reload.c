/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub reload: what SIGHUP does, with an answer. */
#include "hub/verb/cli.h"

#include "hub/verb/json.h"

gboolean
verb_reload(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer =
        client ? admin_client_call(client, "POST", "/v1/reload", NULL, error) : NULL;
    const char *warning = answer ? verb_json_text(answer, "warning") : "";

    if (*warning)
        g_printerr("streamhub: warning: %s\n", warning);
    return answer != NULL;
}
