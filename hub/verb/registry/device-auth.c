/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/registry/device-auth.h"

#include "common/net/tls-client.h"
#include "hub/cli/option.h"

#include <glib/gi18n.h>
#include <string.h>

gboolean
verb_has_auth(const Cli *cli)
{
    return cli->given[OPTION_THUMBPRINT] || cli->given[OPTION_CERTIFICATE] ||
           cli->given[OPTION_CA] || cli->given[OPTION_KEYS];
}

static gboolean
refuse(GError **error, const char *text)
{
    (void)cli_fail(error, EXIT_CODE_USAGE, "%s", text);
    return FALSE;
}

static gboolean
refuse_thumbprint(GError **error, const char *text)
{
    (void)cli_fail(error, EXIT_CODE_USAGE,
                   _("--thumbprint %s: want the SHA-1 or SHA-256 of a certificate, 40 or 64 "
                     "hexadecimal digits"),
                   text);
    return FALSE;
}

static gboolean
add_thumbprint(RegistryAuth *auth, guint *count, const RegistryThumbprint *thumbprint,
               GError **error)
{
    if (*count == REGISTRY_THUMBPRINTS_MAX)
        return refuse(error,
                      _("a device has at most two thumbprints, a primary and a secondary one"));
    auth->thumbprints[(*count)++] = *thumbprint;
    return TRUE;
}

static gboolean
add_thumbprints(const Cli *cli, RegistryAuth *auth, guint *count, GError **error)
{
    const char *const *texts = cli_list(cli, OPTION_THUMBPRINT);
    RegistryThumbprint thumbprint;

    for (; texts && *texts; texts++) {
        if (!registry_thumbprint_parse(*texts, &thumbprint))
            return refuse_thumbprint(error, *texts);
        if (!add_thumbprint(auth, count, &thumbprint, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_certificates(const Cli *cli, RegistryAuth *auth, guint *count, GError **error)
{
    const char *const *files = cli_list(cli, OPTION_CERTIFICATE);

    for (; files && *files; files++) {
        g_autoptr(TlsClient) certificate = tls_client_new_file(*files, error);
        RegistryThumbprint thumbprint = {.len = TLS_SHA256_SIZE};

        if (!certificate)
            return FALSE;
        memcpy(thumbprint.bytes, certificate->sha256, TLS_SHA256_SIZE);
        if (!add_thumbprint(auth, count, &thumbprint, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
verb_read_auth(const Cli *cli, RegistryAuth *ret, GError **error)
{
    gboolean own = cli->given[OPTION_THUMBPRINT] || cli->given[OPTION_CERTIFICATE];
    RegistryAuth auth = {.kind = own                     ? REGISTRY_AUTH_THUMBPRINT
                                 : cli->given[OPTION_CA] ? REGISTRY_AUTH_AUTHORITY
                                                         : REGISTRY_AUTH_KEYS};
    guint count = 0;

    if (own + cli->given[OPTION_CA] + cli->given[OPTION_KEYS] > 1)
        return refuse(error,
                      _("a device has thumbprints, or is known by its authority (--ca), or has "
                        "keys (--keys): one of them"));
    if (!add_thumbprints(cli, &auth, &count, error) || !add_certificates(cli, &auth, &count, error))
        return FALSE;
    if (registry_auth_fault(&auth))
        return refuse(error, registry_auth_fault(&auth));
    *ret = auth;
    return TRUE;
}
