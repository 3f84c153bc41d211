/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub invite device|user: a name in the registry, and a file with all that its bearer needs.
 */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "hub/admin/certificate.h"
#include "hub/admin/init.h"
#include "hub/base/private-file.h"
#include "hub/verb/json.h"

#include <string.h>

/* The authority that `init` made, when the hub's certificate is of it. One that an administrator
 * put in its place is of an authority that the others trust already. */
static gboolean
read_ca(const CliCall *call, char **ret_ca, GError **error)
{
    const char *state_dir = call->options->state_dir;
    g_autofree char *ca = NULL, *server = NULL;
    g_autoptr(GError) failure = NULL;

    if (!state_dir)
        return TRUE;
    ca = g_build_filename(state_dir, STATE_CA_CERT, NULL);
    server = g_build_filename(state_dir, STATE_SERVER_CERT, NULL);
    if (!g_file_test(ca, G_FILE_TEST_EXISTS))
        return TRUE;
    if (certificate_is_signed_by(server, ca, &failure))
        return g_file_get_contents(ca, ret_ca, NULL, error);
    if (!failure)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* FILE, or NAME.invite here. */
static char *
file_name(const CliCall *call)
{
    const char *module = call->options->module;

    if (call->options->output)
        return g_strdup(call->options->output);
    return g_strconcat(call->args[0], module ? "+" : "", module ? module : "", ".invite", NULL);
}

static gboolean
write_invitation(const CliCall *call, const char *path, GError **error)
{
    g_autofree char *file = file_name(call), *ca = NULL;
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_auto(SecretText) string = client ? admin_client_get_secret(client, path, error) : NULL;
    g_autofree char *base = g_path_get_basename(file);
    g_auto(SecretText) text = NULL;

    if (!string || !read_ca(call, &ca, error))
        return FALSE;
    text = invitation_make(string, ca);
    if (!private_file_write(file, text, strlen(text), error))
        return FALSE;
    g_print("Wrote %s: a secret. Take it there, and type\n"
            "  streamctl hub add NAME %s\n",
            file, base);
    return TRUE;
}

/* One that is there already is invited again. */
static gboolean
forgive_exists(gboolean added, GError **error)
{
    if (added || !g_error_matches(*error, STREAMD_ERROR, STREAMD_ERROR_EXISTS))
        return added;
    g_clear_error(error);
    return TRUE;
}

gboolean
verb_invite_device(const CliCall *call, GError **error)
{
    g_autofree char *path =
        verb_device_path(call->args[0], call->options->module, "/connection-string");
    g_autoptr(GError) failure = NULL;

    if (forgive_exists(verb_device_add(call, &failure), &failure))
        return write_invitation(call, path, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
verb_invite_user(const CliCall *call, GError **error)
{
    g_autofree char *path = verb_policy_path(call->args[0], "/connection-string");
    CliOptions options = *call->options;
    CliCall add = {&options, call->args, call->n_args};
    g_autoptr(GError) failure = NULL;

    options.rights = (char *)"service-connect";
    if (forgive_exists(verb_policy_add(&add, &failure), &failure))
        return write_invitation(call, path, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
