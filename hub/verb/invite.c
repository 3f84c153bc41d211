/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub invite device|user: adds a name to the registry, and writes a file with all that its
 * holder needs. */
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "common/cli/output.h"
#include "hub/admin/certificate.h"
#include "hub/admin/state.h"
#include "hub/cli/json.h"
#include "hub/cli/scope.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define INVITED_RIGHTS "service-connect"

/* The authority that `init` made, if the hub's certificate is from it. If not, the administrator
 * has installed a certificate whose authority the clients trust already. */
static gboolean
read_ca(const Cli *cli, char **ret_ca, GError **error)
{
    const char *state_dir = verb_state_dir(cli);
    g_autofree char *ca = NULL, *server = NULL;
    g_autoptr(GError) failure = NULL;

    if (state_dir == NULL)
        return TRUE;
    ca = g_build_filename(state_dir, STATE_CA_CERT, NULL);
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
print_written(const Cli *cli, const char *file, gboolean existing)
{
    g_autofree char *base = g_path_get_basename(file);

    if (strcmp(file, "-") == 0 ||
        verb_print_texts(cli, "file", file, "key", existing ? "existing" : "new", NULL))
        return;
    (void)printf(_("Wrote %s: a secret. Take it there, and type\n  streamctl hub add NAME %s\n"),
                 file, base);
}

/* SUBJECT: the path of the invited device or user. */
static gboolean
write_invitation(const Cli *cli, AdminClient *client, const char *subject, gboolean existing,
                 GError **error)
{
    g_autofree char *path = g_strconcat(subject, "/connection-string", NULL);
    g_autofree char *file = file_name(cli), *ca = NULL;
    g_auto(SecretText) string = admin_client_get_secret(client, path, error);
    g_auto(SecretText) text = NULL;

    if (string == NULL || !read_ca(cli, &ca, error))
        return FALSE;
    text = invitation_make(string, ca);
    if (!verb_write_secret(file, text, error))
        return FALSE;
    print_written(cli, file, existing);
    return TRUE;
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
invite_device(const Cli *cli, GError **error)
{
    const char *id = cli->words[0];
    g_autofree char *subject = verb_device_path(id, cli->values[OPTION_MODULE], "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) added = verb_device_create(cli, client, &failure);

    if (added != NULL)
        return write_or_remove(cli, client, subject, error);
    if (!g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!write_invitation(cli, client, subject, TRUE, error))
        return FALSE;
    (void)fprintf(
        stderr,
        _("streamhub: %s was there already, and this is its own key: of two machines that "
          "use it, only one is connected\n"),
        id);
    return TRUE;
}

ExitCode
verb_invite_device(Cli *cli, GError **error)
{
    return verb_end(invite_device(cli, error), error);
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

static gboolean
refuse_existing_user(AdminClient *client, const char *name, GError **error)
{
    g_autofree char *rights = rights_of(client, name, NULL);

    cli_fail(error, EXIT_CODE_EXISTS,
             _("there is a user '%s' already (rights: %s), whose key this would hand out. Choose "
               "another name for a new user; for that very key add --existing; to begin anew, "
               "first 'streamhub user remove %s'"),
             name, rights != NULL ? rights : _("unknown"), name);
    return FALSE;
}

static gboolean
invite_user(const Cli *cli, GError **error)
{
    const char *name = cli->words[0];
    g_autofree char *subject = verb_user_path(name, "");
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) added = NULL;

    if (cli->given[OPTION_EXISTING] && verb_scope_is_given(cli)) {
        cli_fail(
            error, EXIT_CODE_USAGE,
            _("--existing hands out the key of a user as it is: change its scope by 'streamhub "
              "user set %s'"),
            name);
        return FALSE;
    }
    if (cli->given[OPTION_EXISTING])
        return invite_existing_user(cli, client, error);
    added = verb_user_create(cli, client, INVITED_RIGHTS, &failure);
    if (added != NULL)
        return write_or_remove(cli, client, subject, error);
    if (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_EXISTS))
        return refuse_existing_user(client, name, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

ExitCode
verb_invite_user(Cli *cli, GError **error)
{
    return verb_end(invite_user(cli, error), error);
}
