/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/configuration.h"

#include "hub/base/address.h"
#include "hub/base/paths.h"
#include "hub/base/state.h"

Settings *
configuration_load(const ServeOptions *options, GError **error)
{
    g_autoptr(Settings) settings =
        options->config ? settings_load(options->config, error) : settings_new();

    if (settings && options->streaming_host) {
        g_free(settings->streaming_host);
        settings->streaming_host = g_strdup(options->streaming_host);
    }
    return g_steal_pointer(&settings);
}

char *
configuration_public_name(const Settings *settings)
{
    return settings->public_address ? address_host(settings->public_address) : NULL;
}

const char *
configuration_streaming_host(const Settings *settings)
{
    return settings->streaming_host ? settings->streaming_host : settings->public_address;
}

gboolean
configuration_read_trust(const Settings *settings, TlsTrust **ret, GError **error)
{
    g_auto(GStrv) authorities = paths_split(settings->device_ca);
    g_auto(GStrv) lists = paths_split(settings->device_crl);

    *ret = NULL;
    if (!settings->client_certificates)
        return TRUE;
    *ret = tls_trust_new((const char *const *)authorities, (const char *const *)lists, error);
    if (*ret && tls_trust_warning(*ret))
        g_warning("%s", tls_trust_warning(*ret));
    return *ret != NULL;
}

Records *
configuration_records(const ServeOptions *options, const Settings *settings)
{
    g_autofree char *usual = g_build_filename(options->state_dir, STATE_RECORDS, NULL);
    const char *folder = settings->records_folder ? settings->records_folder : usual;

    if (g_strcmp0(settings->records, "off") == 0)
        return NULL;
    return records_new(folder, STREAMD_VERSION, settings->records_size, settings->records_files);
}
