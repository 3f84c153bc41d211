/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub invite device|user|group: makes an invitation, and writes a file with all that its
 * holder needs to join with a key of its own making; invite list|revoke. */
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/cli/words.h"
#include "common/codec/device-id.h"
#include "common/codec/invitation.h"
#include "hub/certificate/certificate.h"
#include "hub/base/state.h"
#include "hub/cli/json.h"
#include "hub/cli/scope.h"
#include "hub/registry/invitation.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define INVITED_RIGHTS "service-connect"
#define USES_DEFAULT 1
#define EXPIRES_DEFAULT "7d"

/* The authority in the file NAME, if the hub's certificate is from it. */
static gboolean
read_ca_of(const char *state_dir, const char *name, char **ret_ca, GError **error)
{
    g_autofree char *ca = g_build_filename(state_dir, name, NULL), *server = NULL;
    g_autoptr(GError) failure = NULL;

    server = g_build_filename(state_dir, STATE_SERVER_CERT, NULL);
    if (!g_file_test(ca, G_FILE_TEST_EXISTS))
        return TRUE;
    if (certificate_is_signed_by(server, ca, &failure)) {
        *ret_ca = file_read(ca, FILE_PEM_MAX, NULL, error);
        return *ret_ca != NULL;
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* The authority that `init` made, or while it changes the next one, whichever the hub's certificate
 * is from. If from neither, the administrator has installed a certificate whose authority the
 * clients trust already. */
static gboolean
read_ca(const Cli *cli, char **ret_ca, GError **error)
{
    const char *state_dir = verb_state_dir(cli);

    return state_dir == NULL ||
           (read_ca_of(state_dir, STATE_CA_NEXT_CERT, ret_ca, error) &&
            (*ret_ca != NULL || read_ca_of(state_dir, STATE_CA_CERT, ret_ca, error)));
}

/* The file of --output, or NAME.invite in the current folder. */
static char *
file_name(const Cli *cli)
{
    const char *module = cli->values[OPTION_MODULE];

    if (cli->given[OPTION_OUTPUT])
        return g_strdup(cli->values[OPTION_OUTPUT]);
    return g_strconcat(cli->words[0], module != NULL ? "+" : "", module != NULL ? module : "",
                       ".invite", NULL);
}

static void
print_written(const Cli *cli, const char *file, const char *key)
{
    g_autofree char *base = g_path_get_basename(file);

    if (strcmp(file, "-") == 0 || verb_print_texts(cli, "file", file, "key", key, NULL))
        return;
    (void)printf(_("Wrote %s: a secret. Take it there, and type\n  streamctl hub add NAME %s\n"),
                 file, base);
}

gboolean
verb_invitation_write(const Cli *cli, const char *first, const char *key, GError **error)
{
    g_autofree char *file = file_name(cli), *ca = NULL;
    g_auto(SecretText) text = NULL;

    if (!read_ca(cli, &ca, error))
        return FALSE;
    text = invitation_make(first, ca);
    if (!verb_write_secret(file, text, error))
        return FALSE;
    print_written(cli, file, key);
    return TRUE;
}

static void
add_text(JsonBuilder *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    json_builder_set_member_name(body, name);
    json_builder_add_string_value(body, value);
}

/* What every invitation has. */
static JsonBuilder *
body_begin(const Cli *cli, const char *name, const char *kind, GError **error)
{
    g_autoptr(JsonBuilder) body = json_builder_new();
    guint64 uses = USES_DEFAULT;

    if (!cli_number(cli, OPTION_USES, 1, REGISTRY_INVITATION_USES_MAX, &uses, error))
        return NULL;
    json_builder_begin_object(body);
    add_text(body, "name", name);
    add_text(body, "kind", kind);
    json_builder_set_member_name(body, "uses");
    json_builder_add_int_value(body, (gint64)uses);
    return verb_time_add(cli, OPTION_EXPIRES, EXPIRES_DEFAULT, body, error) ? g_steal_pointer(&body)
                                                                            : NULL;
}

/* Makes the invitation and writes its file. When that cannot be written the invitation is revoked:
 * nobody has it, and a second try replaces it. Takes BODY. */
static gboolean
invite(const Cli *cli, AdminClient *client, const char *name, JsonBuilder *body, GError **error)
{
    g_autofree char *path = verb_invitation_path(name, ""), *ticket = NULL;
    g_autoptr(JsonNode) made = NULL, revoked = NULL;
    g_autoptr(GError) failure = NULL;
    g_auto(SecretText) first = NULL;

    json_builder_end_object(body);
    made = admin_client_call(client, "POST", "/v1/invitations", body, &failure);
    if (made == NULL && g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_EXISTS))
        cli_fail(error, EXIT_CODE_EXISTS,
                 _("there is an open invitation '%s' already: use its file, or take it back by "
                   "'streamhub invite revoke %s'"),
                 name, name);
    else if (made == NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    if (made == NULL)
        return FALSE;
    ticket = verb_invitation_path(name, "/ticket");
    first = admin_client_get_secret(client, ticket, error);
    if (first != NULL && verb_invitation_write(cli, first, "own", error))
        return TRUE;
    revoked = admin_client_call(client, "DELETE", path, NULL, NULL);
    return FALSE;
}

/* --with-key: the file is good for ever, and for whoever has it. */
static gboolean
check_with_key(const Cli *cli, GError **error)
{
    if (!cli->given[OPTION_USES] && !cli->given[OPTION_EXPIRES])
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE,
             _("--uses and --expires are for invitations; a file with a key is good until the "
               "device or user is removed"));
    return FALSE;
}

static gboolean
is_with_key(const Cli *cli)
{
    return cli->given[OPTION_WITH_KEY] || cli->given[OPTION_EXISTING];
}

/* FALSE with ERROR set: there is one of that name, or the hub cannot tell. */
static gboolean
check_is_new(AdminClient *client, const char *path, const char *format, const char *name,
             GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) found = admin_client_call(client, "GET", path, NULL, &failure);
    g_autofree char *rights = NULL;
    g_autofree char *text = NULL;

    if (found == NULL && g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND))
        return TRUE;
    if (found == NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    rights = verb_user_rights(found);
    text = output_fill(format, name);
    cli_fail(error, EXIT_CODE_EXISTS, "%s%s%s%s", text, *rights ? " (" : "", rights,
             *rights ? ")" : "");
    return FALSE;
}

static gboolean
add_tags(const Cli *cli, JsonBuilder *body, GError **error)
{
    const char *const *tags = cli_list(cli, OPTION_TAG);

    json_builder_set_member_name(body, "tags");
    json_builder_begin_object(body);
    for (; tags != NULL && *tags != NULL; tags++)
        if (!verb_tag_add(body, *tags, error))
            return FALSE;
    json_builder_end_object(body);
    return TRUE;
}

static gboolean
invite_device(const Cli *cli, GError **error)
{
    const char *id = cli->words[0], *module = cli->values[OPTION_MODULE];
    g_autofree char *path = verb_device_path(id, module, "");
    g_autofree char *name = module != NULL ? g_strdup_printf("%s:%s", id, module) : g_strdup(id);
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonBuilder) body = NULL;

    if (!verb_check_name(id, error) || (module != NULL && !verb_check_name(module, error)))
        return FALSE;
    if (!check_is_new(client, path,
                      _("there is a device '%s' already, with its key. To begin anew, first "
                        "'streamhub device remove %s'; to hand out that very key, add --existing"),
                      id, error))
        return FALSE;
    body = body_begin(cli, name, "device", error);
    if (body == NULL)
        return FALSE;
    add_text(body, "subject", id);
    add_text(body, "module", module);
    return (module != NULL || add_tags(cli, body, error)) &&
           invite(cli, client, name, g_steal_pointer(&body), error);
}

ExitCode
verb_invite_device(Cli *cli, GError **error)
{
    if (!is_with_key(cli))
        return verb_end(invite_device(cli, error), error);
    if (cli->given[OPTION_TAG])
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("--tag is for invitations: a device that is there is given its tags by "
                          "'streamhub device set'"));
    return verb_end(check_with_key(cli, error) && verb_invite_device_key(cli, error), error);
}

static gboolean
invite_user(const Cli *cli, GError **error)
{
    const char *name = cli->words[0];
    g_autofree char *path = verb_user_path(name, "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonBuilder) body = NULL;

    if (!verb_check_name(name, error))
        return FALSE;
    if (!check_is_new(client, path,
                      _("there is a user '%s' already, with its key and its rights. Choose another "
                        "name for a new user; to begin anew, first 'streamhub user remove %s'; to "
                        "hand out that very key, add --existing"),
                      name, error))
        return FALSE;
    body = body_begin(cli, name, "user", error);
    if (body == NULL)
        return FALSE;
    add_text(body, "subject", name);
    add_text(body, "rights", INVITED_RIGHTS);
    return verb_scope_add(cli, body, error) &&
           invite(cli, client, name, g_steal_pointer(&body), error);
}

ExitCode
verb_invite_user(Cli *cli, GError **error)
{
    if (!is_with_key(cli))
        return verb_end(invite_user(cli, error), error);
    if (cli->given[OPTION_EXISTING] && verb_scope_is_given(cli))
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("--existing hands out the key of a user as it is: change its scope by "
                          "'streamhub user set %s'"),
                        cli->words[0]);
    return verb_end(check_with_key(cli, error) && verb_invite_user_key(cli, INVITED_RIGHTS, error),
                    error);
}

/* The ids of the file of --ids, a line each; blanks around them and empty lines are left out. */
static char *
read_ids(const char *file, GError **error)
{
    g_autofree char *text = file_read(file, REGISTRY_INVITATION_IDS_MAX, NULL, error);
    g_auto(GStrv) lines = text != NULL ? g_strsplit(text, "\n", -1) : NULL;
    GString *ids;

    if (lines == NULL)
        return NULL;
    ids = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++) {
        if (*g_strstrip(*line) == '\0')
            continue;
        if (device_id_is_valid(*line, -1)) {
            g_string_append_printf(ids, "%s\n", *line);
            continue;
        }
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--ids %s: line %d is no id: 1 to 128 of letters, digits, '.', '_', ':', '-'"),
                 file, (int)(line - lines) + 1);
        g_string_free(ids, TRUE);
        return NULL;
    }
    return g_string_free(ids, FALSE);
}

static gboolean
add_group(const Cli *cli, JsonBuilder *body, GError **error)
{
    const char *const *patterns = cli_list(cli, OPTION_DEVICES);
    g_autofree char *ids = NULL;

    json_builder_set_member_name(body, "scope");
    json_builder_begin_object(body);
    json_builder_set_member_name(body, "devices");
    json_builder_begin_array(body);
    for (; *patterns != NULL; patterns++)
        json_builder_add_string_value(body, *patterns);
    json_builder_end_array(body);
    json_builder_end_object(body);
    json_builder_set_member_name(body, "approve");
    json_builder_add_boolean_value(body, cli->given[OPTION_APPROVE]);
    if (cli->given[OPTION_IDS] && (ids = read_ids(cli->values[OPTION_IDS], error)) == NULL)
        return FALSE;
    add_text(body, "ids", ids);
    return add_tags(cli, body, error);
}

static gboolean
invite_group(const Cli *cli, GError **error)
{
    const char *name = cli->words[0];
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonBuilder) body = NULL;

    if (!verb_check_name(name, error))
        return FALSE;
    if (cli_list(cli, OPTION_DEVICES) == NULL || !cli->given[OPTION_USES]) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("invite group: say which ids may join, as in --devices 'gw-*', and how many, as "
                   "in --uses 300"));
        return FALSE;
    }
    body = body_begin(cli, name, "group", error);
    return body != NULL && add_group(cli, body, error) &&
           invite(cli, client, name, g_steal_pointer(&body), error);
}

ExitCode
verb_invite_group(Cli *cli, GError **error)
{
    return verb_end(invite_group(cli, error), error);
}

/* Whom it is for: "gw-1", "gw-1/m", "alice", or of a group "gw-*, box-?". Caller frees. */
static char *
invited_text(JsonNode *invitation)
{
    const char *subject = verb_json_text(invitation, "subject");
    const char *module = verb_json_text(invitation, "module");
    JsonNode *scope = json_object_get_member(json_node_get_object(invitation), "scope");
    JsonArray *patterns = scope != NULL ? verb_json_array(scope, "devices") : NULL;
    GString *text = g_string_new(subject);

    if (*module != '\0')
        g_string_append_printf(text, "/%s", module);
    if (strcmp(verb_json_text(invitation, "kind"), "group") != 0)
        return g_string_free(text, FALSE);
    for (guint i = 0; patterns != NULL && i < json_array_get_length(patterns); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               json_array_get_string_element(patterns, i));
    return g_string_free(text, FALSE);
}

static void
add_row(Table *table, JsonNode *invitation)
{
    const char *expires = verb_json_text(invitation, "expires");
    const char *state = verb_json_text(invitation, "state");
    g_autofree char *whom = invited_text(invitation);
    g_autofree char *tags = json_object_has_member(json_node_get_object(invitation), "tags")
                                ? verb_device_tags(invitation)
                                : g_strdup("");

    table_add(table, verb_json_text(invitation, "name"));
    table_add(table, verb_json_text(invitation, "kind"));
    table_add(table, whom);
    output_add_state(table, state, words_of_code(state));
    table_addf(table, "%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
               verb_json_number(invitation, "used"), verb_json_number(invitation, "uses"));
    table_add(table, *expires != '\0' ? expires : _("never"));
    table_add(table, verb_json_boolean(invitation, "approve") ? _("by approval") : "");
    table_add(table, tags);
}

ExitCode
verb_invite_list(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "GET", "/v1/invitations", error);
    JsonArray *list = answer != NULL ? verb_json_array(answer, "invitations") : NULL;
    g_autoptr(Table) table = NULL;

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON] && list != NULL) {
        output_json_node(json_object_get_member(json_node_get_object(answer), "invitations"),
                         FALSE);
        return EXIT_CODE_OK;
    }
    table = table_new(_("NAME"), _("KIND"), _("FOR"), _("STATE"), _("USED"), _("EXPIRES"),
                      _("JOINS"), _("TAGS"), NULL);
    for (guint i = 0; list != NULL && i < json_array_get_length(list); i++)
        add_row(table, json_array_get_element(list, i));
    output_table(cli, table, _("No invitations"));
    return EXIT_CODE_OK;
}

ExitCode
verb_invite_revoke(Cli *cli, GError **error)
{
    const char *name = cli->words[0];
    g_autofree char *path = verb_invitation_path(name, "");
    g_autoptr(JsonNode) revoked =
        verb_check_name(name, error) ? verb_ask(cli, "DELETE", path, error) : NULL;

    if (revoked == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(revoked, FALSE);
    else
        (void)printf(_("Revoked invitation %s: nobody joins by it any more\n"), name);
    return EXIT_CODE_OK;
}
