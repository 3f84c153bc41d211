/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub certificate show|install */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "hub/admin/certificate.h"
#include "hub/admin/identity.h"
#include "hub/admin/state.h"
#include "hub/verb/json.h"

#include <unistd.h>

static void
print_certificate(JsonNode *certificate)
{
    static const char *const lines[][2] = {
        {"Issuer", "issuer"},
        {"Valid from", "notBefore"},
        {"Valid until", "notAfter"},
        {"SHA-256", "sha256"},
    };
    JsonArray *names = verb_json_array(certificate, "names");
    const char *warning = verb_json_text(certificate, "warning");

    for (guint i = 0; names && i < json_array_get_length(names); i++)
        g_print("%-13s%s\n", i == 0 ? "Names" : "", json_array_get_string_element(names, i));
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        g_print("%-13s%s\n", lines[i][0], verb_json_text(certificate, lines[i][1]));
    g_print("%-13s%" G_GINT64_FORMAT "\n", "Days left", verb_json_number(certificate, "daysLeft"));
    if (*warning)
        g_printerr("streamhub: warning: %s\n", warning);
}

gboolean
verb_certificate_show(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) answer =
        client ? admin_client_call(client, "GET", "/v1/certificate", NULL, error) : NULL;

    if (!answer)
        return FALSE;
    if (call->options->json)
        cli_print_json(answer);
    else
        print_certificate(answer);
    return TRUE;
}

/* The hub that does not run is looked at as it would be when it starts: by the names of the
 * certificate that it has, when that can be read. */
static gboolean
install_stopped(const CliCall *call, const CertificatePair *pair, GError **error)
{
    const char *state_dir = call->options->state_dir;
    g_autofree char *old = g_build_filename(state_dir, STATE_SERVER_CERT, NULL);
    g_auto(GStrv) certified = certificate_names(old, NULL);
    int lock = state_lock(state_dir, error);
    gboolean done = lock >= 0 &&
                    identity_check(pair, (const char *const *)call->options->host_names,
                                   (const char *const *)certified, error) &&
                    certificate_pair_commit(state_dir, error);

    if (lock >= 0)
        close(lock);
    if (done)
        g_print("Installed; the hub is not running, and takes it when it starts\n");
    return done;
}

/* A running hub looks at what is staged, and takes it or says why not. */
static gboolean
install_staged(const CliCall *call, const CertificatePair *pair, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) answer =
        client ? admin_client_call(client, "POST", "/v1/certificate/install", NULL, &failure)
               : NULL;

    if (!client)
        return FALSE;
    if (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE))
        return install_stopped(call, pair, error);
    if (!answer) {
        g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                                   "not installed, the old one stays: ");
        return FALSE;
    }
    g_print("Installed, and shown to whoever connects from now on\n");
    print_certificate(answer);
    return TRUE;
}

gboolean
verb_certificate_install(const CliCall *call, GError **error)
{
    const char *state_dir = call->options->state_dir;
    g_autoptr(CertificatePair) pair = NULL;

    if (!state_dir) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "which hub? Give --state-dir DIR, where its files are");
        return FALSE;
    }
    pair = certificate_pair_read(call->args[0], call->args[1], error);
    if (!pair || !certificate_pair_stage(pair, state_dir, error))
        return FALSE;
    if (install_staged(call, pair, error))
        return TRUE;
    certificate_pair_unstage(state_dir);
    return FALSE;
}
