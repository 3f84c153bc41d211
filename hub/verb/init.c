/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub init */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "hub/admin/certificate.h"
#include "hub/admin/init.h"

static gboolean
set_usage(GError **error, const char *text)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s", text);
    return FALSE;
}

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
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "--san %s: give DNS:NAME or IP:ADDRESS", san);
    return FALSE;
}

gboolean
verb_init(const CliCall *call, GError **error)
{
    const CliOptions *options = call->options;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!options->state_dir)
        return set_usage(error, "where? Give --state-dir DIR");
    if (!options->host_names)
        return set_usage(error, "what will devices call the hub? Give --host-name NAME");
    for (char **name = options->host_names; *name; name++)
        g_ptr_array_add(names, *name);
    for (char **san = options->sans; san && *san; san++)
        if (!add_san(names, *san, error))
            return FALSE;
    g_ptr_array_add(names, NULL);
    if (!init_run(options->state_dir, (const char *const *)names->pdata, error))
        return FALSE;
    g_print("Made a hub in %s\n"
            "  %s is what its clients must trust; invitations hold it\n"
            "  %s signs certificates: keep it safe, the running hub does not need it\n",
            options->state_dir, STATE_CA_CERT, STATE_CA_KEY);
    return TRUE;
}
