/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/hub-option.h"

#include "client/cli/secret-input.h"
#include "client/cli/value.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Splits "alice,@ops". streamd reports what is wrong with a name. */
static void
option_add_list(const Cli *cli, Option option, const char *name, GVariantBuilder *builder)
{
    const char *list = cli->values[option];
    g_auto(GStrv) words = list != NULL ? g_strsplit(list, ",", -1) : NULL;

    if (words != NULL)
        g_variant_builder_add(builder, "{sv}", name,
                              g_variant_new_strv((const char *const *)words, -1));
}

/* The caller need not be able to read it. A URL is left as it is, and so is nothing. */
static void
option_add_path(const Cli *cli, Option option, const char *name, GVariantBuilder *builder)
{
    const char *value = cli->values[option];
    g_autofree char *path = NULL;

    if (value == NULL)
        return;
    path = *value == '\0' || g_str_has_prefix(value, "pkcs11:")
               ? g_strdup(value)
               : g_canonicalize_filename(value, NULL);
    verb_add_string(builder, name, path);
}

static gboolean
option_add_ca(const Cli *cli, GVariantBuilder *builder, GError **error)
{
    const char *value = cli->values[OPTION_CA];
    g_autofree char *path = NULL;

    if (value != NULL && *value == '\0')
        verb_add_string(builder, "ca-file", "");
    if (value == NULL || *value == '\0')
        return TRUE;
    path = g_canonicalize_filename(value, NULL);
    if (access(path, R_OK) != 0) {
        cli_fail(error, EXIT_CODE_USAGE, _("cannot read '%s'"), path);
        return FALSE;
    }
    verb_add_string(builder, "ca-file", path);
    return TRUE;
}

static gboolean
option_add_resume(const Cli *cli, GVariantBuilder *builder, GError **error)
{
    gboolean resume = TRUE;
    guint64 time = 0;

    if (!value_yes_no(cli, OPTION_RESUME, &resume, error) ||
        !value_time(cli, OPTION_RESUME_TIME, &time, error))
        return FALSE;
    if (cli->given[OPTION_RESUME])
        g_variant_builder_add(builder, "{sv}", "resume", g_variant_new_boolean(resume));
    if (cli->given[OPTION_RESUME_TIME])
        g_variant_builder_add(builder, "{sv}", "resume-time", g_variant_new_uint64(time));
    return TRUE;
}

gboolean
hub_option_add(const Cli *cli, GVariantBuilder *builder, GError **error)
{
    guint64 port = 0;

    if (!cli_number(cli, OPTION_MQTT_PORT, 1, 65535, &port, error) ||
        !option_add_ca(cli, builder, error) || !option_add_resume(cli, builder, error))
        return FALSE;
    verb_add_string(builder, "transport", cli->values[OPTION_TRANSPORT]);
    if (port != 0)
        g_variant_builder_add(builder, "{sv}", "mqtt-port", g_variant_new_uint16((guint16)port));
    option_add_path(cli, OPTION_CERTIFICATE, "certificate-file", builder);
    option_add_path(cli, OPTION_KEY, "key-file", builder);
    option_add_path(cli, OPTION_KEY_PIN_FILE, "key-pin-file", builder);
    option_add_list(cli, OPTION_ALLOWED_USERS, "allowed-users", builder);
    option_add_list(cli, OPTION_STREAM_HOSTS, "stream-hosts", builder);
    return TRUE;
}

gboolean
hub_option_check_input(const Cli *cli, const SecretKind *kind, const char *file, GError **error)
{
    const char *proxy = cli->values[OPTION_PROXY_CREDENTIALS_FILE];
    g_autofree char *text = NULL;

    if (g_strcmp0(file, "-") != 0 || g_strcmp0(proxy, "-") != 0)
        return TRUE;
    text = g_strdup_printf(_("cannot read %s"), _("standard input"));
    cli_fail(error, EXIT_CODE_USAGE, "%s -, %s -: %s", kind->option,
             secret_proxy_credentials.option, text);
    return FALSE;
}

gboolean
hub_option_add_proxy(const Cli *cli, GVariantBuilder *builder, int *ret_fd, GError **error)
{
    verb_add_string(builder, "proxy", cli->values[OPTION_PROXY]);
    verb_add_string(builder, "no-proxy", cli->values[OPTION_NO_PROXY]);
    if (!cli->given[OPTION_PROXY_CREDENTIALS_FILE])
        return TRUE;
    *ret_fd = secret_input_open(&secret_proxy_credentials,
                                cli->values[OPTION_PROXY_CREDENTIALS_FILE], error);
    if (*ret_fd >= 0)
        g_variant_builder_add(builder, "{sv}", "proxy-credentials", g_variant_new_handle(*ret_fd));
    return *ret_fd >= 0;
}
