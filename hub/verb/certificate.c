/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub certificate show|install */
#include "common/base/error.h"
#include "common/cli/output.h"
#include "hub/admin/certificate.h"
#include "hub/admin/identity.h"
#include "hub/admin/state.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

static void
print_certificate(const Cli *cli, JsonNode *certificate)
{
    static const struct {
        const char *label, *member;
    } rows[] = {
        {N_("Issuer"), "issuer"},
        {N_("Valid from"), "notBefore"},
        {N_("Valid until"), "notAfter"},
        {N_("SHA-256"), "sha256"},
    };
    g_autoptr(Table) table = table_new("", "", NULL);
    JsonArray *names = verb_json_array(certificate, "names");
    g_autofree char *days =
        g_strdup_printf("%" G_GINT64_FORMAT, verb_json_number(certificate, "daysLeft"));

    for (guint i = 0; names != NULL && i < json_array_get_length(names); i++)
        output_add_row(table, i == 0 ? _("Names") : "", json_array_get_string_element(names, i));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        output_add_row(table, _(rows[i].label), verb_json_text(certificate, rows[i].member));
    output_add_row(table, _("Days left"), days);
    output_rows(cli, table);
    verb_warn(verb_json_text(certificate, "warning"));
}

ExitCode
verb_certificate_show(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "GET", "/v1/certificate", error);

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    else
        print_certificate(cli, answer);
    return EXIT_CODE_OK;
}

static void
print_installed(const Cli *cli, JsonNode *answer)
{
    if (cli->given[OPTION_JSON]) {
        output_json_node(answer, FALSE);
        return;
    }
    (void)puts(_("Installed, and shown to whoever connects from now on"));
    print_certificate(cli, answer);
}

/* The hub does not run: checks the pair as the hub would at its start, against the names of its
 * present certificate when that can be read. */
static gboolean
install_stopped(const Cli *cli, const CertificatePair *pair, GError **error)
{
    const char *state_dir = verb_state_dir(cli);
    g_autofree char *old = g_build_filename(state_dir, STATE_SERVER_CERT, NULL);
    g_auto(GStrv) certified = certificate_names(old, NULL);
    int lock = state_lock(state_dir, error);
    gboolean done = lock >= 0 &&
                    identity_check(pair, cli_list(cli, OPTION_HOST_NAME),
                                   (const char *const *)certified, error) &&
                    certificate_pair_commit(state_dir, error);

    if (lock >= 0)
        (void)close(lock);
    if (done && !verb_print_texts(cli, "installed", "at-start", NULL))
        (void)puts(_("Installed; the hub is not running, and takes it when it starts"));
    return done;
}

/* A running hub checks the staged pair, and takes it or says why not. */
static gboolean
install_staged(const Cli *cli, const CertificatePair *pair, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) answer = verb_ask(cli, "POST", "/v1/certificate/install", &failure);

    if (answer != NULL) {
        print_installed(cli, answer);
        return TRUE;
    }
    if (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE))
        return install_stopped(cli, pair, error);
    g_propagate_prefixed_error(error, g_steal_pointer(&failure), "%s",
                               _("not installed, the old one stays: "));
    return FALSE;
}

ExitCode
verb_certificate_install(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error);
    g_autoptr(CertificatePair) pair = NULL;

    if (state_dir == NULL)
        return verb_end(FALSE, error);
    pair = certificate_pair_read(cli->words[0], cli->words[1], error);
    if (pair == NULL || !certificate_pair_stage(pair, state_dir, error))
        return verb_end(FALSE, error);
    if (install_staged(cli, pair, error))
        return EXIT_CODE_OK;
    certificate_pair_unstage(state_dir);
    return verb_end(FALSE, error);
}
