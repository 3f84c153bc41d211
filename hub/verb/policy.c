/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub policy add|list|remove */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/base/table.h"
#include "common/codec/device-id.h"
#include "hub/registry/registry.h"
#include "hub/verb/json.h"

static gboolean
policy_check_name(const char *name, GError **error)
{
    if (device_id_is_valid(name, -1))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "'%s' is not a name: 1 to 128 of letters, digits, '.', '_', ':', '-'", name);
    return FALSE;
}

static gboolean
check_rights(const char *rights, GError **error)
{
    RegistryRights parsed;

    if (rights && registry_rights_parse(rights, &parsed))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: --rights takes some of service-connect, device-connect, registry-read, "
                "registry-write, joined by commas",
                rights ? rights : "no rights given");
    return FALSE;
}

JsonNode *
verb_policy_create(AdminClient *client, const char *name, const char *rights, GError **error)
{
    JsonBuilder *body;

    if (!policy_check_name(name, error) || !check_rights(rights, error))
        return NULL;
    body = json_builder_new();
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "name");
    json_builder_add_string_value(body, name);
    json_builder_set_member_name(body, "rights");
    json_builder_add_string_value(body, rights);
    json_builder_end_object(body);
    return admin_client_call(client, "POST", "/v1/policies", body, error);
}

gboolean
verb_policy_add(const CliCall *call, GError **error)
{
    const char *name = call->args[0];
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer =
        client ? verb_policy_create(client, name, call->options->rights, error) : NULL;

    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(answer);
    else
        g_print("Added policy %s\n", name);
    return TRUE;
}

char *
verb_policy_rights(JsonNode *policy)
{
    JsonArray *texts = verb_json_array(policy, "rights");
    GString *joined = g_string_new(NULL);

    for (guint i = 0; texts && i < json_array_get_length(texts); i++)
        g_string_append_printf(joined, "%s%s", i ? ", " : "",
                               json_array_get_string_element(texts, i));
    return g_string_free(joined, FALSE);
}

static void
print_policies(JsonArray *policies)
{
    g_autoptr(Table) table = table_new("POLICY", "RIGHTS", NULL);

    for (guint i = 0; policies && i < json_array_get_length(policies); i++) {
        JsonNode *policy = json_array_get_element(policies, i);
        g_autofree char *rights = verb_policy_rights(policy);

        table_add(table, verb_json_text(policy, "name"));
        table_add(table, rights);
    }
    table_print(table, "No policies");
}

gboolean
verb_policy_list(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer =
        client ? admin_client_call(client, "GET", "/v1/policies", NULL, error) : NULL;

    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(json_object_get_member(json_node_get_object(answer), "policies"));
    else
        print_policies(verb_json_array(answer, "policies"));
    return TRUE;
}

gboolean
verb_policy_remove(const CliCall *call, GError **error)
{
    g_autofree char *path = verb_policy_path(call->args[0], "");
    g_autoptr(AdminClient) client = NULL;
    g_autoptr(JsonNode) answer = NULL;

    if (!policy_check_name(call->args[0], error))
        return FALSE;
    client = cli_connect(call, error);
    if (client)
        answer = admin_client_call(client, "DELETE", path, NULL, error);
    if (answer)
        g_print("Removed policy %s\n", call->args[0]);
    return answer != NULL;
}
