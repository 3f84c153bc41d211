/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub reload: what SIGHUP does, with an answer. */
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

ExitCode
verb_reload(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "POST", "/v1/reload", error);

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    verb_warn(verb_json_text(answer, "warning"));
    return EXIT_CODE_OK;
}
