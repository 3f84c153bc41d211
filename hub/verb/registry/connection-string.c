/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub connection-string device|user, and invite device|user --with-key, for a client that
 * cannot make a key of its own: the only verbs that hand out a key. */
#include "common/base/error.h"
#include "common/base/secret.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

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

/* SUBJECT: the path of the new or existing device or user. */
static gboolean
write_invitation(const Cli *cli, AdminClient *client, const char *subject, gboolean existing,
                 GError **error)
{
    g_autofree char *path = g_strconcat(subject, "/connection-string", NULL);
    g_auto(SecretText) string = admin_client_get_secret(client, path, error);

    return string != NULL &&
           verb_invitation_write(cli, string, existing ? "existing" : "new", error);
}

/* When the invitation cannot be written, removes the name that was added for it. Otherwise a second
 * try would fail because the name exists. */
static gboolean
write_or_remove(const Cli *cli, AdminClient *client, const char *subject, GError **error)
{
    g_autoptr(JsonNode) answer = NULL;

    if (write_invitation(cli, client, subject, FALSE, error))
        return TRUE;
    answer = admin_client_call(client, "DELETE", subject, NULL, NULL);
    return FALSE;
}

static gboolean
invite_existing_device(const Cli *cli, AdminClient *client, const char *subject, GError **error)
{
    if (!write_invitation(cli, client, subject, TRUE, error))
        return FALSE;
    (void)fprintf(
        stderr,
        _("streamhub: %s was there already, and this is its own key: of two machines that "
          "use it, only one is connected\n"),
        cli->words[0]);
    return TRUE;
}

gboolean
verb_invite_device_key(const Cli *cli, GError **error)
{
    g_autofree char *subject = verb_device_path(cli->words[0], cli->values[OPTION_MODULE], "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonNode) added = NULL;

    if (cli->given[OPTION_EXISTING])
        return invite_existing_device(cli, client, subject, error);
    added = verb_device_create(cli, client, error);
    return added != NULL && write_or_remove(cli, client, subject, error);
}

/* The user's rights; NULL with ERROR set: there is no such user. */
static char *
rights_of(AdminClient *client, const char *name, GError **error)
{
    g_autofree char *path = verb_user_path(name, "");
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) user = admin_client_call(client, "GET", path, NULL, &failure);

    if (user != NULL)
        return verb_user_rights(user);
    if (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND))
        cli_fail(error, EXIT_CODE_NOT_FOUND,
                 _("there is no user '%s' whose key could be handed out: without --existing a new "
                   "one is made"),
                 name);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* Says on standard error that this is the key of an existing user, and what that user may do. */
static gboolean
invite_existing_user(const Cli *cli, AdminClient *client, GError **error)
{
    const char *name = cli->words[0];
    g_autofree char *rights = rights_of(client, name, error);
    g_autofree char *subject = verb_user_path(name, "");

    if (rights == NULL || !write_invitation(cli, client, subject, TRUE, error))
        return FALSE;
    (void)fprintf(stderr,
                  _("streamhub: %s was there already, and this is its own key, with its rights: "
                    "%s\n"),
                  name, rights);
    return TRUE;
}

gboolean
verb_invite_user_key(const Cli *cli, const char *rights, GError **error)
{
    g_autofree char *subject = verb_user_path(cli->words[0], "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(JsonNode) added = NULL;

    if (cli->given[OPTION_EXISTING])
        return invite_existing_user(cli, client, error);
    added = verb_user_create(cli, client, rights, error);
    return added != NULL && write_or_remove(cli, client, subject, error);
}
