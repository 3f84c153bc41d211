/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub invite device|user: a name in the registry, and a file with all that its bearer needs.
 */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "hub/admin/certificate.h"
#include "hub/admin/state.h"
#include "hub/verb/json.h"

#include <string.h>

#define INVITED_RIGHTS "service-connect"

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
    if (certificate_is_signed_by(server, ca, &failure)) {
        *ret_ca = file_read(ca, FILE_PEM_MAX, NULL, error);
        return *ret_ca != NULL;
    }
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

/* PATH: of the connection string. */
static gboolean
write_invitation(const CliCall *call, AdminClient *client, const char *path, GError **error)
{
    g_autofree char *file = file_name(call), *ca = NULL;
    g_autofree char *base = g_path_get_basename(file);
    g_auto(SecretText) string = admin_client_get_secret(client, path, error);
    g_auto(SecretText) text = NULL;

    if (!string || !read_ca(call, &ca, error))
        return FALSE;
    text = invitation_make(string, ca);
    if (!cli_write_secret(file, text, error))
        return FALSE;
    if (strcmp(file, "-") != 0)
        g_print("Wrote %s: a secret. Take it there, and type\n"
                "  streamctl hub add NAME %s\n",
                file, base);
    return TRUE;
}

/* A name that was added for an invitation which then could not be written goes again: who asks once
 * more would hear that it is there already. */
static gboolean
write_or_remove(const CliCall *call, AdminClient *client, const char *name, GError **error)
{
    g_autofree char *path = g_strconcat(name, "/connection-string", NULL);
    g_autoptr(JsonNode) answer = NULL;

    if (write_invitation(call, client, path, error))
        return TRUE;
    answer = admin_client_call(client, "DELETE", name, NULL, NULL);
    return FALSE;
}

static gboolean
is_there_already(JsonNode *added, const GError *error)
{
    return !added && g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
}

gboolean
verb_invite_device(const CliCall *call, GError **error)
{
    g_autofree char *name = verb_device_path(call->args[0], call->options->module, "");
    g_autofree char *path = g_strconcat(name, "/connection-string", NULL);
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) added = client ? verb_device_create(call, client, &failure) : NULL;

    if (added)
        return write_or_remove(call, client, name, error);
    if (!client)
        return FALSE;
    if (!is_there_already(added, failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!write_invitation(call, client, path, error))
        return FALSE;
    g_printerr("streamhub: %s was there already, and this is its own key: of two machines that use "
               "it, only one is connected\n",
               call->args[0]);
    return TRUE;
}

/* What the policy may do; NULL: there is none of that name. */
static char *
rights_of(AdminClient *client, const char *name, GError **error)
{
    g_autoptr(JsonNode) answer = admin_client_call(client, "GET", "/v1/policies", NULL, error);
    JsonArray *policies = answer ? verb_json_array(answer, "policies") : NULL;

    for (guint i = 0; policies && i < json_array_get_length(policies); i++) {
        JsonNode *policy = json_array_get_element(policies, i);

        if (strcmp(verb_json_text(policy, "name"), name) == 0)
            return verb_policy_rights(policy);
    }
    if (answer)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                    "there is no user '%s' whose key could be handed out: without --existing a new "
                    "one is made",
                    name);
    return NULL;
}

/* Said aloud: the key of a user that somebody may have already, and what it may do. */
static gboolean
invite_existing_user(const CliCall *call, AdminClient *client, GError **error)
{
    const char *name = call->args[0];
    g_autofree char *rights = rights_of(client, name, error);
    g_autofree char *path = verb_policy_path(name, "/connection-string");

    if (!rights || !write_invitation(call, client, path, error))
        return FALSE;
    g_printerr("streamhub: %s was there already, and this is its own key, with its rights: %s\n",
               name, rights);
    return TRUE;
}

static void
refuse_existing_user(AdminClient *client, const char *name, GError **error)
{
    g_autofree char *rights = rights_of(client, name, NULL);

    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                "there is a user '%s' already (rights: %s), whose key this would hand out. Choose "
                "another name for a new user; for that very key add --existing; to begin anew, "
                "first 'streamhub policy remove %s'",
                name, rights ? rights : "unknown", name);
}

gboolean
verb_invite_user(const CliCall *call, GError **error)
{
    const char *name = call->args[0];
    g_autofree char *path = verb_policy_path(name, "");
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) added = NULL;

    if (!client)
        return FALSE;
    if (call->options->existing)
        return invite_existing_user(call, client, error);
    added = verb_policy_create(client, name, INVITED_RIGHTS, &failure);
    if (added)
        return write_or_remove(call, client, path, error);
    if (is_there_already(added, failure))
        refuse_existing_user(client, name, error);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
