/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub init */
#include "hub/admin/init.h"

#include "hub/certificate/certificate.h"
#include "hub/base/state.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

/* "DNS:x" is a host name, "IP:y" an address. */
static gboolean
add_san(GPtrArray *names, const char *san, GError **error)
{
    gboolean dns = g_str_has_prefix(san, "DNS:");
    gboolean ip = g_str_has_prefix(san, "IP:");
    const char *name = san + (dns ? 4 : ip ? 3 : 0);

    if ((dns || ip) && g_hostname_is_ip_address(name) == ip && certificate_name_is_valid(name)) {
        g_ptr_array_add(names, (void *)(guintptr)name);
        return TRUE;
    }
    cli_fail(error, EXIT_CODE_USAGE, _("--san %s: give DNS:NAME or IP:ADDRESS"), san);
    return FALSE;
}

/* All names of the hub, NULL-terminated; NULL with ERROR set. */
static GPtrArray *
names_of(const Cli *cli, GError **error)
{
    const char *const *hosts = cli_list(cli, OPTION_HOST_NAME), *const * sans;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (hosts == NULL) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("what will devices call the hub? Give --host-name NAME"));
        return NULL;
    }
    if (!verb_check_hosts(hosts, error))
        return NULL;
    for (; *hosts != NULL; hosts++)
        g_ptr_array_add(names, (void *)(guintptr)*hosts);
    for (sans = cli_list(cli, OPTION_SAN); sans != NULL && *sans != NULL; sans++)
        if (!add_san(names, *sans, error))
            return NULL;
    g_ptr_array_add(names, NULL);
    return g_steal_pointer(&names);
}

static void
print_made(const Cli *cli, const char *state_dir)
{
    g_autofree char *certificate = g_build_filename(state_dir, STATE_CA_CERT, NULL);
    g_autofree char *key = g_build_filename(state_dir, STATE_CA_KEY, NULL);

    if (verb_print_texts(cli, "state_dir", state_dir, "ca_certificate", certificate, "ca_key", key,
                         NULL))
        return;
    (void)printf(_("Made a hub in %s\n"), state_dir);
    (void)printf(_("  %s is what its clients must trust; invitations hold it\n"), STATE_CA_CERT);
    (void)printf(_("  %s signs certificates: keep it safe, the running hub does not need it\n"),
                 STATE_CA_KEY);
}

ExitCode
verb_init(Cli *cli, GError **error)
{
    const char *state_dir = verb_need_state_dir(cli, error);
    g_autoptr(GPtrArray) names = state_dir != NULL ? names_of(cli, error) : NULL;

    if (names == NULL || !init_run(state_dir, (const char *const *)names->pdata, error))
        return verb_end(FALSE, error);
    print_made(cli, state_dir);
    return EXIT_CODE_OK;
}
