/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub certificate show|renew|install, and reload: what SIGHUP does, with an answer. */
#include "common/base/error.h"
#include "common/cli/output.h"
#include "hub/certificate/certificate.h"
#include "hub/admin/identity.h"
#include "hub/base/state.h"
#include "hub/certificate/succession.h"
#include "hub/cli/json.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

#define AUTHORITY_WARN_DAYS                                                                        \
    730 /* what a server's certificate may be good for, less its renewal                           \
         */

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
install_stopped(const Cli *cli, const CertificatePair *pair, gboolean quiet, GError **error)
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
    if (done && !quiet && !verb_print_texts(cli, "installed", "at-start", NULL))
        (void)puts(_("Installed; the hub is not running, and takes it when it starts"));
    return done;
}

/* A running hub checks the staged pair, and takes it or says why not. */
static gboolean
install_staged(const Cli *cli, const CertificatePair *pair, gboolean quiet, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) answer = verb_ask(cli, "POST", "/v1/certificate/install", &failure);

    if (answer != NULL) {
        if (!quiet)
            print_installed(cli, answer);
        return TRUE;
    }
    if (g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE))
        return install_stopped(cli, pair, quiet, error);
    g_propagate_prefixed_error(error, g_steal_pointer(&failure), "%s",
                               _("not installed, the old one stays: "));
    return FALSE;
}

gboolean
verb_give_certificate(const Cli *cli, const CertificatePair *pair, gboolean quiet, GError **error)
{
    const char *state_dir = verb_state_dir(cli);

    if (!certificate_pair_stage(pair, state_dir, error))
        return FALSE;
    if (install_staged(cli, pair, quiet, error))
        return TRUE;
    certificate_pair_unstage(state_dir);
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
    return verb_end(pair != NULL && verb_give_certificate(cli, pair, FALSE, error), error);
}

static gint64
days_left(gint64 end)
{
    return (end - g_get_real_time() / G_USEC_PER_SEC) / (24 * 60 * 60);
}

/* Whether the hub's certificate is one that 'renew' may replace. Without --due, another's is an
 * error: the administrator has taken it for the one of the hub's own authority. */
static gboolean
is_ours(const Cli *cli, const Succession *succession, const CertificatePair *pair, GError **error)
{
    if (succession_has_signed(succession, pair) || cli_list(cli, OPTION_HOST_NAME) != NULL)
        return TRUE;
    if (cli->given[OPTION_DUE])
        verb_print_texts(cli, "renewed", "no", "issuer", certificate_pair_issuer(pair), NULL);
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    _("the hub's certificate was issued by '%s' and not by the hub's own "
                      "authority: get another one there and 'streamhub certificate install CERT "
                      "KEY', or give --host-name NAME to go back to the hub's own authority"),
                    certificate_pair_issuer(pair));
    return FALSE;
}

static gboolean
is_due(const Cli *cli, const CertificatePair *pair)
{
    gint64 left = days_left(certificate_pair_end(pair));
    g_autofree char *days = g_strdup_printf("%" G_GINT64_FORMAT, left);

    if (!cli->given[OPTION_DUE] || left < IDENTITY_WARN_DAYS)
        return TRUE;
    if (!verb_print_texts(cli, "renewed", "no", "days_left", days, NULL))
        (void)printf(_("Not renewed: the certificate is good for %s more days\n"), days);
    return FALSE;
}

/* A server's certificate is of no use when its authority has ended. */
static void
warn_of_authority(const Succession *succession)
{
    gint64 left = days_left(certificate_authority_end(succession_present(succession)));
    g_autofree char *days = g_strdup_printf("%" G_GINT64_FORMAT, left);
    g_autofree char *text = g_strdup_printf(
        _("the hub's authority ends in %s days: 'streamhub ca rotate' begins its change"), days);

    if (left < AUTHORITY_WARN_DAYS && succession_kind(succession) == SUCCESSION_NONE)
        verb_warn(text);
}

ExitCode
verb_certificate_renew(Cli *cli, GError **error)
{
    const char *const *names = cli_list(cli, OPTION_HOST_NAME);
    const char *state_dir = verb_check_hosts(names, error) ? verb_need_state_dir(cli, error) : NULL;
    g_autoptr(CertificatePair) old =
        state_dir != NULL ? certificate_pair_open(state_dir, error) : NULL;
    g_autoptr(Succession) succession = old != NULL ? succession_open(state_dir, error) : NULL;
    g_autoptr(CertificatePair) pair = NULL;

    if (succession == NULL || !is_ours(cli, succession, old, error) || !is_due(cli, old))
        return verb_end(error == NULL || *error == NULL, error);
    pair = succession_issue(succession, names != NULL ? names : certificate_pair_names(old), error);
    if (pair == NULL || !verb_give_certificate(cli, pair, FALSE, error))
        return verb_end(FALSE, error);
    warn_of_authority(succession);
    return EXIT_CODE_OK;
}

ExitCode
verb_reload(Cli *cli, GError **error)
{
    g_autoptr(JsonNode) answer = verb_ask(cli, "POST", "/v1/reload", error);

    if (answer == NULL)
        return verb_end(FALSE, error);
    if (cli->given[OPTION_JSON])
        output_json_node(answer, FALSE);
    verb_warn(verb_json_text(answer, "warning"));
    return EXIT_CODE_OK;
}
