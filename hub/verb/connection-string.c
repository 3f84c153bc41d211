/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub connection-string device|policy: the only verbs that show a key. */
#include "hub/verb/cli.h"

#include "common/base/secret.h"
#include "hub/verb/json.h"

static gboolean
hand_out(const CliCall *call, const char *path, GError **error)
{
    const char *file = call->options->output;
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_auto(SecretText) text = client ? admin_client_get_secret(client, path, error) : NULL;
    g_auto(SecretText) line = text ? g_strconcat(text, "\n", NULL) : NULL;

    if (!line)
        return FALSE;
    return cli_write_secret(file ? file : "-", line, error);
}

static const char *
tail(const CliCall *call)
{
    return call->options->secondary ? "/connection-string?key=secondary" : "/connection-string";
}

gboolean
verb_connection_string_device(const CliCall *call, GError **error)
{
    g_autofree char *path = verb_device_path(call->args[0], call->options->module, tail(call));

    return hand_out(call, path, error);
}

gboolean
verb_connection_string_policy(const CliCall *call, GError **error)
{
    g_autofree char *path = verb_policy_path(call->args[0], tail(call));

    return hand_out(call, path, error);
}
