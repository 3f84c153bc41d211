/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hub set */
#include "client/cli/secret-input.h"
#include "client/show/done.h"
#include "client/verb/hub-option.h"
#include "client/verb/hub-wait.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* streamd tries the new settings before it answers: a look-up, a proxy, a connection and the
 * identity have ten seconds each at most; and then it is saved. */
#define TRIAL_LIMIT (90 * G_TIME_SPAN_SECOND)

#define SET_WHAT                                                                                   \
    OPTION_CONNECTION_STRING_FILE, OPTION_SHARED_ACCESS_KEY_FILE, OPTION_HOST, OPTION_CA,          \
    OPTION_CERTIFICATE, OPTION_KEY, OPTION_KEY_PIN_FILE, OPTION_TRANSPORT, OPTION_MQTT_PORT,       \
    OPTION_PROXY, OPTION_PROXY_CREDENTIALS_FILE, OPTION_NO_PROXY, OPTION_ALLOWED_USERS,            \
    OPTION_STREAM_HOSTS, OPTION_RESUME, OPTION_RESUME_TIME

/* What goes into one call; the descriptors are borrowed by it. */
typedef struct {
    GVariantBuilder options;
    int identity, key, proxy; /* -1: none */
} Setting;

static void
setting_clear(Setting *setting)
{
    const int fds[] = {setting->identity, setting->key, setting->proxy};

    g_variant_builder_clear(&setting->options);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Setting, setting_clear)

static gboolean
setting_add_secret(const Cli *cli, Setting *setting, Option option, const SecretKind *kind,
                   const char *name, int *ret_fd, GError **error)
{
    if (!cli->given[option])
        return TRUE;
    *ret_fd = secret_input_open(kind, cli->values[option], error);
    if (*ret_fd >= 0)
        g_variant_builder_add(&setting->options, "{sv}", name, g_variant_new_handle(*ret_fd));
    return *ret_fd >= 0;
}

static gboolean
setting_fill(const Cli *cli, Setting *setting, GError **error)
{
    verb_add_string(&setting->options, "host", cli->values[OPTION_HOST]);
    if (cli->given[OPTION_FORCE])
        g_variant_builder_add(&setting->options, "{sv}", "force", g_variant_new_boolean(TRUE));
    return hub_option_check_input(cli, &secret_connection_string,
                                  cli->values[OPTION_CONNECTION_STRING_FILE], error) &&
           hub_option_check_input(cli, &secret_access_key,
                                  cli->values[OPTION_SHARED_ACCESS_KEY_FILE], error) &&
           hub_option_add(cli, &setting->options, error) &&
           hub_option_add_proxy(cli, &setting->options, &setting->proxy, error) &&
           setting_add_secret(cli, setting, OPTION_CONNECTION_STRING_FILE,
                              &secret_connection_string, "connection-string", &setting->identity,
                              error) &&
           setting_add_secret(cli, setting, OPTION_SHARED_ACCESS_KEY_FILE, &secret_access_key,
                              "key", &setting->key, error);
}

/* "disconnected" without an error: it stays away from its hub until 'hub connect'. */
static gboolean
set_is_away(GVariant *hub)
{
    return strcmp(bus_string(hub, "State"), "disconnected") == 0 &&
           *bus_string(hub, "LastError") == '\0';
}

static ExitCode
set_show(const Cli *cli, Bus *bus, const char *path, gboolean away, GError **error)
{
    g_autoptr(GVariant) hub =
        away ? bus_properties(bus, path, BUS_HUB, error) : hub_wait(bus, path, hub_is_tried);

    if (hub == NULL)
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("the hub was removed meanwhile"));
    if (away)
        return show_done(cli, hub, _("%s: changed; it is used and tried with 'hub connect'"),
                         cli->words[0]);
    if (strcmp(bus_string(hub, "State"), "connected") != 0) {
        g_autofree char *problem = table_escape(bus_string(hub, "LastError"));

        (void)fprintf(stderr, _("streamctl: warning: it is changed, but not connected yet: %s\n"),
                      *problem != '\0' ? problem : words_of_code(bus_string(hub, "State")));
    }
    return show_done(cli, hub, _("%s: changed; now %s"), cli->words[0],
                     words_of_code(bus_string(hub, "State")));
}

static ExitCode
set_call(const Cli *cli, Bus *bus, Setting *setting, GError **error)
{
    g_autofree char *path = bus_path(BUS_PATH_HUB, cli->words[0]);
    g_autoptr(GVariant) before = bus_properties(bus, path, BUS_HUB, error);
    g_autoptr(GVariant) reply = NULL;
    gboolean away = before != NULL && set_is_away(before);

    if (before != NULL)
        reply = bus_call(bus, path, BUS_HUB, "Update", g_variant_new("(a{sv})", &setting->options),
                         TRIAL_LIMIT, error);
    if (reply == NULL)
        return verb_missing(cli->words[0], _("there is no hub %s"), error);
    return set_show(cli, bus, path, away, error);
}

/* Whether the next authority is in force. */
static gboolean
hub_is_accepted(GVariant *hub)
{
    return *bus_string(hub, "NextAuthority") == '\0';
}

static ExitCode
set_accept(Cli *cli, GError **error)
{
    g_autofree char *path = bus_path(BUS_PATH_HUB, cli->words[0]);
    g_autoptr(Bus) bus = NULL;
    g_autoptr(GVariant) hub = NULL;
    ExitCode code = verb_call_object(cli, BUS_PATH_HUB, BUS_HUB, cli->words[0], "AcceptAuthority",
                                     _("there is no hub %s"), error);

    bus = code == EXIT_CODE_OK ? verb_open_bus(cli, error) : NULL;
    if (bus == NULL)
        return code == EXIT_CODE_OK ? verb_code(error) : code;
    hub = hub_wait(bus, path, hub_is_accepted);
    if (hub == NULL || !hub_is_accepted(hub))
        return cli_fail(error, EXIT_CODE_OTHER, _("streamd could not save this; its log says why"));
    return show_done(cli, hub, _("%s: the next authority alone is trusted now"), cli->words[0]);
}

static gboolean
set_is_given(const Cli *cli)
{
    static const Option what[] = {SET_WHAT, OPTION_NONE};

    return cli_has_any(cli, what);
}

ExitCode
verb_hub_set(Cli *cli, GError **error)
{
    g_auto(Setting) setting = {G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT), -1, -1, -1};
    g_autoptr(Bus) bus = NULL;

    if (cli->given[OPTION_ACCEPT_CA] && !set_is_given(cli))
        return set_accept(cli, error);
    if (cli->given[OPTION_ACCEPT_CA])
        return cli_fail(error, EXIT_CODE_USAGE, _("--accept-ca is given alone"));
    if (!set_is_given(cli))
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("what is to be set? Give for example --ca, --host, --proxy, "
                          "--shared-access-key-file or --accept-ca"));
    if (cli->given[OPTION_CONNECTION_STRING_FILE] && cli->given[OPTION_SHARED_ACCESS_KEY_FILE])
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("a connection string has the key in it: give one of the two"));
    if (!setting_fill(cli, &setting, error))
        return verb_code(error);
    bus = verb_open_bus(cli, error);
    return bus != NULL ? set_call(cli, bus, &setting, error) : verb_code(error);
}
