/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub ca show|rotate|announce|protect */
#include "common/base/error.h"
#include "common/cli/output.h"
#include "common/codec/percent.h"
#include "hub/base/state.h"
#include "hub/certificate/succession.h"
#include "hub/base/address.h"
#include "hub/base/private-file.h"
#include "hub/cli/json.h"
#include "hub/cli/listing.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HTTPS_PORT 443

static const char *const kind_names[] = {
    [SUCCESSION_NONE] = "none",
    [SUCCESSION_LINKED] = "linked",
    [SUCCESSION_TOLD] = "told",
};

ExitCode
verb_ca_protect(Cli *cli, GError **error)
{
    static const char *const keys[] = {STATE_CA_KEY, STATE_CA_NEXT_KEY, STATE_CA_OLD_KEY};
    const char *state_dir = verb_need_state_dir(cli, error);

    if (state_dir == NULL)
        return verb_end(FALSE, error);
    if (geteuid() != 0)
        return cli_fail(error, EXIT_CODE_DENIED, _("only root can take the authority's key back"));
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *path = g_build_filename(state_dir, keys[i], NULL);

        if (!private_file_take(path, error))
            return verb_end(FALSE, error);
    }
    (void)verb_print_texts(cli, "state_dir", state_dir, NULL);
    return EXIT_CODE_OK;
}

static char *
day_text(gint64 moment)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(moment);

    return time != NULL ? g_date_time_format_iso8601(time) : g_strdup("");
}

static const char *
kind_text(SuccessionKind kind)
{
    return kind == SUCCESSION_NONE     ? _("no change")
           : kind == SUCCESSION_LINKED ? _("changing; clients of the old one are served as well")
                                       : _("changing; the old one is shown until --finish");
}

ExitCode
verb_ca_show(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error);
    g_autoptr(Succession) succession = state_dir != NULL ? succession_open(state_dir, error) : NULL;
    const CertificateAuthority *next = succession != NULL ? succession_next(succession) : NULL;
    g_autofree char *end = NULL, *next_end = NULL;
    g_autoptr(Table) table = table_new("", "", NULL);

    if (succession == NULL)
        return verb_end(FALSE, error);
    end = day_text(certificate_authority_end(succession_present(succession)));
    next_end = next != NULL ? day_text(certificate_authority_end(next)) : NULL;
    if (verb_print_texts(cli, "change", kind_names[succession_kind(succession)], "not_after", end,
                         "next_not_after", next_end, NULL))
        return EXIT_CODE_OK;
    output_add_row(table, _("Valid until"), end);
    output_add_row(table, _("Change"), kind_text(succession_kind(succession)));
    if (next_end != NULL)
        output_add_row(table, _("The next one"), next_end);
    output_rows(cli, table);
    return EXIT_CODE_OK;
}

/* Who knows the next authority: devices, page by page, and then users. */
static const char *
meaning(const char *knows)
{
    static const struct {
        const char *word, *text;
    } rows[] = {
        {"yes", N_("knows it")},
        {"told", N_("is told now; the answer is not there yet")},
        {"plain", N_("cannot be told: needs a visit before --finish")},
        {"away", N_("is away; is told when it comes, if it can be")},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].word, knows) == 0)
            return _(rows[i].text);
    return knows;
}

static void
add_row(Table *table, JsonNode *item)
{
    const char *device = verb_json_text(item, "deviceId");
    const char *module = verb_json_text(item, "moduleId");

    if (*device != '\0') {
        table_add(table, _("device"));
        table_addf(table, "%s%s%s", device, *module != '\0' ? "/" : "", module);
    } else {
        table_add(table, _("user"));
        table_add(table, verb_json_text(item, "name"));
    }
    table_add(table, meaning(verb_json_text(item, "knows")));
}

/* Of the page behind LAST. */
static char *
path_after(JsonNode *last)
{
    GString *path = g_string_new("/v1/known/devices?after=");

    percent_append(path, PERCENT_SEGMENT, verb_json_text(last, "deviceId"), -1);
    g_string_append(path, "&afterModule=");
    percent_append(path, PERCENT_SEGMENT, verb_json_text(last, "moduleId"), -1);
    return g_string_free(path, FALSE);
}

/* Prints a page of devices. *RET_PATH: that of the next one; NULL: there is none. */
static gboolean
print_page(Listing *listing, JsonNode *page, char **ret_path, GError **error)
{
    JsonArray *devices = verb_json_array(page, "devices");
    JsonNode *last = json_object_get_member(json_node_get_object(page), "last");
    gboolean more = verb_json_boolean(page, "more");

    if (devices == NULL || (more && last == NULL))
        return listing_fail(error);
    *ret_path = more ? path_after(last) : NULL;
    return listing_print(listing, devices, TRUE, error);
}

static gboolean
print_users(AdminClient *client, Listing *listing, GError **error)
{
    g_autoptr(JsonNode) users = admin_client_call(client, "GET", "/v1/known/users", NULL, error);

    if (users == NULL)
        return FALSE;
    return verb_json_array(users, "users") != NULL
               ? listing_print(listing, verb_json_array(users, "users"), FALSE, error)
               : listing_fail(error);
}

static gboolean
print_known(const Cli *cli, GError **error)
{
    g_autoptr(AdminClient) client = verb_connect(cli);
    g_autoptr(Table) table = table_new(_("KIND"), _("NAME"), _("THE NEXT AUTHORITY"), NULL);
    Listing listing = listing_begin(cli, table, add_row, _("No devices and no users"));
    g_autofree char *path = g_strdup("/v1/known/devices");

    while (path != NULL) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(JsonNode) page = admin_client_call(client, "GET", path, NULL, &failure);

        if (page == NULL && g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE)) {
            verb_warn(_("the hub does not run: who knows the next authority is asked for when it "
                        "does"));
            return TRUE;
        }
        if (page == NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        g_clear_pointer(&path, g_free);
        if (!print_page(&listing, page, &path, error))
            return FALSE;
    }
    return print_users(client, &listing, error);
}

static gint64
now_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

/* What the hub shows now; its names are those that clients know. NULL with ERROR set. */
static CertificatePair *
open_pair(const Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error);

    return state_dir != NULL ? certificate_pair_open(state_dir, error) : NULL;
}

/* A hub that runs reads again what it has to tell. */
static gboolean
tell_hub(const Cli *cli, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(JsonNode) answer = verb_ask(cli, "POST", "/v1/reload", &failure);

    if (answer != NULL || g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_UNREACHABLE))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Gives the hub a certificate of NEXT, unless it has one. */
static gboolean
give_next(const Cli *cli, const Succession *succession, const CertificatePair *old, GError **error)
{
    g_autoptr(CertificatePair) pair = NULL;

    if (certificate_authority_has_signed(succession_next(succession), old))
        return TRUE;
    pair = succession_issue(succession, certificate_pair_names(old), error);
    return pair != NULL && verb_give_certificate(cli, pair, TRUE, error);
}

static void
print_kind(const Cli *cli, SuccessionKind kind)
{
    if (cli->given[OPTION_JSON])
        return;
    (void)puts(kind == SUCCESSION_LINKED
                   ? _("The next authority is in use. Clients that know only the present one are "
                       "served as well, until 'streamhub ca rotate --finish'.")
                   : _("The next authority is made. The present one cannot vouch for it towards "
                       "every client, so it stays in use until 'streamhub ca rotate --finish'."));
}

static gboolean
begin(const Cli *cli, Succession *succession, const CertificatePair *old, GError **error)
{
    if (!succession_has_signed(succession, old)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    _("the hub's certificate was issued by '%s' and not by the hub's own "
                      "authority, which no client needs: there is nothing to change"),
                    certificate_pair_issuer(old));
        return FALSE;
    }
    if (!succession_begin(succession, certificate_pair_names(old), now_seconds(), error))
        return FALSE;
    if (succession_kind(succession) == SUCCESSION_LINKED && !give_next(cli, succession, old, error))
        return FALSE;
    if (!tell_hub(cli, error))
        return FALSE;
    print_kind(cli, succession_kind(succession));
    return print_known(cli, error);
}

/* The certificate first: until its files have their places, the change can be finished again. */
static gboolean
finish(const Cli *cli, Succession *succession, const CertificatePair *old, GError **error)
{
    g_autoptr(CertificatePair) pair = NULL;

    if (succession_kind(succession) == SUCCESSION_NONE) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                            _("no change of the authority has begun: 'streamhub ca rotate' begins "
                              "one"));
        return FALSE;
    }
    pair = succession_issue_last(succession, certificate_pair_names(old), error);
    if (pair == NULL || !verb_give_certificate(cli, pair, TRUE, error) ||
        !succession_finish(succession, error) || !tell_hub(cli, error))
        return FALSE;
    if (!verb_print_texts(cli, "change", kind_names[SUCCESSION_NONE], NULL))
        (void)puts(_("The next authority is the present one now, and the only one in use"));
    return TRUE;
}

ExitCode
verb_ca_rotate(Cli *cli, GError **error)
{
    g_autoptr(CertificatePair) old = open_pair(cli, error);
    g_autoptr(Succession) succession =
        old != NULL ? succession_open(verb_state_dir(cli), error) : NULL;

    if (succession == NULL)
        return verb_end(FALSE, error);
    return verb_end(cli->given[OPTION_FINISH] ? finish(cli, succession, old, error)
                                              : begin(cli, succession, old, error),
                    error);
}

/* The new name must be in the certificate, or nobody could come there. */
static gboolean
announce(const Cli *cli, const Succession *succession, const CertificatePair *pair,
         const char *host, guint16 port, GError **error)
{
    const char *const wanted[] = {host, NULL};

    if (!certificate_pair_check(pair, wanted, now_seconds(), error)) {
        g_prefix_error(error, "%s", _("nobody could come there: "));
        return FALSE;
    }
    return succession_announce(succession, certificate_pair_names(pair), host, port, now_seconds(),
                               error) &&
           tell_hub(cli, error);
}

static gboolean
withdraw(const Cli *cli, const Succession *succession, GError **error)
{
    if (!succession_withdraw_address(succession)) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                            _("no address is announced"));
        return FALSE;
    }
    if (!tell_hub(cli, error))
        return FALSE;
    (void)verb_print_texts(cli, "host", "", "port", "", NULL);
    return TRUE;
}

ExitCode
verb_ca_announce(Cli *cli, GError **error)
{
    const char *word = cli->words[0];
    g_autoptr(CertificatePair) pair = open_pair(cli, error);
    g_autoptr(Succession) succession =
        pair != NULL ? succession_open(verb_state_dir(cli), error) : NULL;
    g_autofree char *host = NULL, *number = NULL;
    guint16 port;

    if (succession == NULL)
        return verb_end(FALSE, error);
    if (strcmp(word, "-") == 0)
        return verb_end(withdraw(cli, succession, error), error);
    if (!address_is_good(word))
        return cli_fail(error, EXIT_CODE_USAGE, _("'%s' is not NAME or NAME:PORT"), word);
    host = address_host(word);
    port = address_port(word, HTTPS_PORT);
    if (!announce(cli, succession, pair, host, port, error))
        return verb_end(FALSE, error);
    number = g_strdup_printf("%u", port);
    (void)verb_print_texts(cli, "host", host, "port", number, NULL);
    return EXIT_CODE_OK;
}
