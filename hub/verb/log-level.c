/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub log-level: as streamctl log-level, for the hub. */
#include "hub/verb/cli.h"

#include "hub/verb/json.h"

static JsonNode *
ask_log_level(AdminClient *client, const char *level, GError **error)
{
    JsonBuilder *body = NULL;

    if (!level)
        return admin_client_call(client, "GET", "/v1/log-level", NULL, error);
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "level");
    json_builder_add_string_value(body, level);
    json_builder_end_object(body);
    return admin_client_call(client, "PUT", "/v1/log-level", body, error);
}

gboolean
verb_log_level(const CliCall *call, GError **error)
{
    const char *level = call->n_args > 0 ? call->args[0] : NULL;
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer = client ? ask_log_level(client, level, error) : NULL;

    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(answer);
    else if (!level)
        g_print("%s\n", verb_json_text(answer, "level"));
    return TRUE;
}
