/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub device|user regenerate */
#include "common/base/secret.h"
#include "common/cli/output.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Before the keys change: whether what the options ask for is possible. */
static gboolean
check_options(const Cli *cli, GError **error)
{
    const char *which = cli->words[1], *file = cli->values[OPTION_OUTPUT];

    if (strcmp(which, "primary") != 0 && strcmp(which, "secondary") != 0 &&
        strcmp(which, "both") != 0)
        cli_fail(error, EXIT_CODE_USAGE, _("'%s': want primary, secondary or both"), which);
    else if (file && strcmp(file, "-") == 0 && cli->given[OPTION_JSON])
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--json and --output - exclude each other: give --output a FILE"));
    else if (file && strcmp(file, "-") != 0 && g_file_test(file, G_FILE_TEST_EXISTS))
        cli_fail(error, EXIT_CODE_EXISTS, _("%s is there already, and no key was changed"), file);
    else
        return TRUE;
    return FALSE;
}

static JsonNode *
ask(AdminClient *client, const char *path, const char *which, GError **error)
{
    JsonBuilder *body = json_builder_new();

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "regenerate");
    json_builder_add_string_value(body, which);
    json_builder_end_object(body);
    return admin_client_call(client, "POST", path, body, error);
}

/* Says on standard error who has lost a connection. */
static void
warn_of_cut(JsonNode *answer, const char *subject)
{
    JsonNode *cut = json_object_get_member(json_node_get_object(answer), "cut");
    gint64 devices = cut ? verb_json_number(cut, "devices") : 0;
    gint64 streams = cut ? verb_json_number(cut, "streams") : 0;
    g_autofree char *text = NULL;

    if (devices == 0 && streams == 0)
        return;
    text = g_strdup_printf(
        _("what was connected with a replaced key of %s was cut: devices: %lld, streams: %lld"),
        subject, (long long)devices, (long long)streams);
    verb_warn(text);
}

/* PATH: of the connection string. */
static gboolean
hand_out(const Cli *cli, AdminClient *client, const char *path, GError **error)
{
    const char *file = cli->values[OPTION_OUTPUT];
    g_auto(SecretText) text = NULL;
    g_auto(SecretText) line = NULL;

    if (!file)
        return TRUE;
    text = admin_client_get_secret(client, path, error);
    line = text != NULL ? g_strconcat(text, "\n", NULL) : NULL;
    return line != NULL && verb_write_secret(file, line, error);
}

static void
print_done(const Cli *cli, JsonNode *answer, const char *subject)
{
    const char *file = cli->values[OPTION_OUTPUT];

    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    else if (!file || strcmp(file, "-") != 0)
        (void)printf(_("Made new keys for %s: %s\n"), subject, cli->words[1]);
}

static const char *
string_tail(const Cli *cli)
{
    return strcmp(cli->words[1], "secondary") == 0 ? "/connection-string?key=secondary"
                                                   : "/connection-string";
}

static gboolean
regenerate(const Cli *cli, const char *subject, const char *path, const char *string_path,
           GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonNode) answer = ask(client, path, cli->words[1], error);

    if (answer == NULL)
        return FALSE;
    warn_of_cut(answer, subject);
    print_done(cli, answer, subject);
    return hand_out(cli, client, string_path, error);
}

ExitCode
verb_device_regenerate(Cli *cli, GError **error)
{
    g_autofree char *id = NULL, *module = NULL, *subject = NULL, *path = NULL, *string = NULL;

    if (!check_options(cli, error) || !verb_take_device(cli, cli->words[0], &id, &module, error))
        return verb_end(FALSE, error);
    subject = g_strjoin("/", id, module, NULL);
    path = verb_device_path(id, module, "/keys");
    string = verb_device_path(id, module, string_tail(cli));
    return verb_end(regenerate(cli, subject, path, string, error), error);
}

ExitCode
verb_user_regenerate(Cli *cli, GError **error)
{
    g_autofree char *path = verb_user_path(cli->words[0], "/keys");
    g_autofree char *string = verb_user_path(cli->words[0], string_tail(cli));

    if (!check_options(cli, error) || !verb_check_name(cli->words[0], error))
        return verb_end(FALSE, error);
    return verb_end(regenerate(cli, cli->words[0], path, string, error), error);
}
