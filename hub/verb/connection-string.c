/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub connection-string device|user: the only verbs that show a key. */
#include "common/base/secret.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

static ExitCode
hand_out(const Cli *cli, const char *path, GError **error)
{
    const char *file = cli->given[OPTION_OUTPUT] ? cli->values[OPTION_OUTPUT] : "-";
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_auto(SecretText) text = admin_client_get_secret(client, path, error);
    g_auto(SecretText) line = text != NULL ? g_strconcat(text, "\n", NULL) : NULL;

    return verb_end(line != NULL && verb_write_secret(file, line, error), error);
}

static const char *
tail(const Cli *cli)
{
    return cli->given[OPTION_SECONDARY] ? "/connection-string?key=secondary" : "/connection-string";
}

ExitCode
verb_connection_string_device(Cli *cli, GError **error)
{
    g_autofree char *path = verb_device_path(cli->words[0], cli->values[OPTION_MODULE], tail(cli));

    return hand_out(cli, path, error);
}

ExitCode
verb_connection_string_user(Cli *cli, GError **error)
{
    g_autofree char *path = verb_user_path(cli->words[0], tail(cli));

    return hand_out(cli, path, error);
}
