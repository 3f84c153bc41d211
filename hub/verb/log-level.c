/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub log-level: as streamctl log-level, for the hub. */
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <stdio.h>

static JsonNode *
ask_log_level(const Cli *cli, const char *level, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    JsonBuilder *body = NULL;

    if (level == NULL)
        return admin_client_call(client, "GET", "/v1/log-level", NULL, error);
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "level");
    json_builder_add_string_value(body, level);
    json_builder_end_object(body);
    return admin_client_call(client, "PUT", "/v1/log-level", body, error);
}

ExitCode
verb_log_level(Cli *cli, GError **error)
{
    const char *level = cli->words[0];
    g_autoptr(JsonNode) answer = ask_log_level(cli, level, error);

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    else if (level == NULL)
        (void)puts(verb_json_text(answer, "level"));
    return EXIT_CODE_OK;
}
