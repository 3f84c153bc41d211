/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub user add|list|show|set|remove */
#include "common/base/table.h"
#include "common/cli/output.h"
#include "hub/registry/registry.h"
#include "hub/cli/json.h"
#include "hub/cli/scope.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

static gboolean
user_check_rights(const char *rights, GError **error)
{
    RegistryRights parsed;

    if (rights != NULL && registry_rights_parse(rights, &parsed))
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE,
             _("%s: --rights takes some of service-connect, device-connect, registry-read, "
               "registry-write, joined by commas"),
             rights != NULL ? rights : _("no rights given"));
    return FALSE;
}

JsonNode *
verb_user_create(const Cli *cli, AdminClient *client, const char *rights, GError **error)
{
    g_autoptr(JsonBuilder) body = json_builder_new();
    const char *name = cli->words[0];

    if (!verb_check_name(name, error) || !user_check_rights(rights, error))
        return NULL;
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "name");
    json_builder_add_string_value(body, name);
    json_builder_set_member_name(body, "rights");
    json_builder_add_string_value(body, rights);
    if (!verb_scope_add(cli, body, error))
        return NULL;
    json_builder_end_object(body);
    return admin_client_call(client, "POST", "/v1/users", g_steal_pointer(&body), error);
}

char *
verb_user_rights(JsonNode *user)
{
    JsonArray *texts = verb_json_array(user, "rights");
    GString *joined = g_string_new(NULL);

    for (guint i = 0; texts != NULL && i < json_array_get_length(texts); i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "",
                               json_array_get_string_element(texts, i));
    return g_string_free(joined, FALSE);
}

/* TEXT has one %s for the user's name. */
static void
user_print_done(const Cli *cli, JsonNode *user, const char *text)
{
    g_autofree char *line = output_fill(text, cli->words[0]);

    if (cli->given[OPTION_JSON])
        output_json_node(user, FALSE);
    else
        (void)puts(line);
}

ExitCode
verb_user_add(Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonNode) user = verb_user_create(cli, client, cli->values[OPTION_RIGHTS], error);

    if (user != NULL)
        user_print_done(cli, user, _("Added user %s"));
    return verb_end(user != NULL, error);
}

static void
user_print_list(const Cli *cli, JsonArray *users)
{
    g_autoptr(Table) table = table_new(_("USER"), _("RIGHTS"), _("SCOPE"), NULL);

    for (guint i = 0; users != NULL && i < json_array_get_length(users); i++) {
        JsonNode *user = json_array_get_element(users, i);
        g_autofree char *rights = verb_user_rights(user);
        g_autofree char *scope = verb_scope_text(user);

        table_add(table, verb_json_text(user, "name"));
        table_add(table, rights);
        table_add(table, scope);
    }
    output_table(cli, table, _("No users"));
}

ExitCode
verb_user_list(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "GET", "/v1/users", error);
    JsonArray *users = answer != NULL ? verb_json_array(answer, "users") : NULL;

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON] && users != NULL)
        output_json_node(json_object_get_member(json_node_get_object(answer), "users"), FALSE);
    else
        user_print_list(cli, users);
    return EXIT_CODE_OK;
}

/* Asks the hub about the user that the arguments name. */
static JsonNode *
user_ask(const Cli *cli, const char *method, GError **error)
{
    g_autofree char *path = verb_user_path(cli->words[0], "");

    return verb_check_name(cli->words[0], error) ? verb_ask(cli, method, path, error) : NULL;
}

ExitCode
verb_user_show(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) user = user_ask(cli, "GET", error);
    g_autoptr(Table) table = table_new("", "", NULL);
    g_autofree char *rights = user != NULL ? verb_user_rights(user) : NULL;
    g_autofree char *scope = user != NULL ? verb_scope_text(user) : NULL;

    if (user == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON]) {
        output_json_node(user, FALSE);
        return EXIT_CODE_OK;
    }
    output_add_row(table, _("User"), verb_json_text(user, "name"));
    output_add_row(table, _("Rights"), rights);
    output_add_row(table, _("Scope"), scope);
    output_rows(cli, table);
    return EXIT_CODE_OK;
}

ExitCode
verb_user_set(Cli *cli, GError **error)
{
    g_autofree char *path = verb_user_path(cli->words[0], "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonBuilder) body = json_builder_new();
    g_autoptr(JsonNode) user = NULL;

    if (!verb_scope_is_given(cli))
        return cli_fail(error, EXIT_CODE_USAGE, _("user set: nothing to change is named"));
    if (!verb_check_name(cli->words[0], error))
        return verb_end(FALSE, error);
    json_builder_begin_object(body);
    if (!verb_scope_add(cli, body, error))
        return verb_end(FALSE, error);
    json_builder_end_object(body);
    user = admin_client_call(client, "PATCH", path, g_steal_pointer(&body), error);
    if (user != NULL)
        user_print_done(cli, user, _("Changed user %s"));
    return verb_end(user != NULL, error);
}

ExitCode
verb_user_remove(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) user = user_ask(cli, "DELETE", error);

    if (user != NULL)
        user_print_done(cli, user, _("Removed user %s"));
    return verb_end(user != NULL, error);
}
