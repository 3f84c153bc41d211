/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/secret-input.h"
#include "client/show/done.h"
#include "client/show/hub-worry.h"
#include "client/show/properties.h"
#include "client/verb/hub-option.h"
#include "client/verb/hub-wait.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Shows what was added, as streamd understood it, and whether it works. */
static void
hub_add_show(Bus *bus, const Cli *cli, GVariant *reply)
{
    g_autoptr(GVariant) hub = NULL;
    g_autofree char *path = NULL;
    g_autofree char *problem = NULL;

    g_variant_get(reply, "(o)", &path);
    hub = hub_wait(bus, path, hub_is_tried);
    if (hub == NULL)
        return;
    problem = table_escape(bus_string(hub, "LastError"));
    if (*problem != '\0')
        (void)fprintf(stderr, _("streamctl: warning: it is kept, but not connected yet: %s\n"),
                      problem);
    if (cli->given[OPTION_JSON])
        output_json(hub, FALSE);
    else if (strcmp(bus_string(hub, "Role"), "device") == 0)
        (void)printf(_("Added hub %s: we are device %s at %s\n"), bus_string(hub, "Name"),
                     bus_string(hub, "Identity"), bus_string(hub, "HostName"));
    else
        (void)printf(_("Added hub %s: we open streams as the user %s at %s\n"),
                     bus_string(hub, "Name"), bus_string(hub, "Identity"),
                     bus_string(hub, "HostName"));
}

static ExitCode
hub_add_call(Cli *cli, Bus *bus, int fd, GVariantBuilder *options, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, BUS_ROOT, BUS_MANAGER, "AddHub",
                 g_variant_new("(sha{sv})", cli->words[0], fd, options), 0, error);

    if (reply == NULL)
        return verb_code(error);
    hub_add_show(bus, cli, reply);
    return EXIT_CODE_OK;
}

ExitCode
verb_hub_add(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(Bus) bus = NULL;
    const char *file = cli->values[OPTION_CONNECTION_STRING_FILE];
    ExitCode code;
    int fd, proxy_fd = -1;

    if (file != NULL && cli->count > 1)
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("give an invitation or --connection-string-file, not both"));
    if (file == NULL)
        file = cli->words[1];
    if (!hub_option_check_input(cli, &secret_connection_string, file, error))
        return EXIT_CODE_USAGE;
    verb_add_string(&options, "as", cli->values[OPTION_AS]);
    if (!hub_option_add(cli, &options, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus == NULL)
        return verb_code(error);
    if (!hub_option_add_proxy(cli, &options, &proxy_fd, error))
        return verb_code(error);
    fd = secret_input_open(&secret_connection_string, file, error);
    code = fd < 0 ? verb_code(error) : hub_add_call(cli, bus, fd, &options, error);
    if (fd >= 0)
        (void)close(fd);
    if (proxy_fd >= 0)
        (void)close(proxy_fd);
    return code;
}

/* What stays longest on a narrow terminal: role, identity, host, the last error, state. */
static const guint preferred[] = {1, 2, 3, 9, 4, 0};

ExitCode
verb_hub_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GPtrArray) hubs = bus != NULL ? bus_objects(bus, BUS_HUB, error) : NULL;
    g_autoptr(Table) table = NULL;

    if (hubs == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(verb_objects_variant(hubs), FALSE);
        return EXIT_CODE_OK;
    }
    table = table_new(_("NAME"), _("ROLE"), _("IDENTITY"), _("HOST"), _("STATE"), _("SINCE"),
                      _("STREAMS"), _("IN"), _("OUT"), _("LAST ERROR"), NULL);
    for (guint column = 6; column <= 8; column++)
        table_align_right(table, column);
    table_prefer(table, preferred);
    for (guint i = 0; i < hubs->len; i++) {
        GVariant *hub = ((BusObject *)g_ptr_array_index(hubs, i))->properties;
        g_autofree char *worry = show_hub_worry(hub);

        table_add(table, bus_string(hub, "Name"));
        table_add(table, words_of_code(bus_string(hub, "Role")));
        table_add(table, bus_string(hub, "Identity"));
        table_add(table, bus_string(hub, "HostName"));
        output_add_state(table, bus_string(hub, "State"), words_of_code(bus_string(hub, "State")));
        output_add_age(table, bus_number(hub, "Since"));
        table_addf(table, "%" G_GUINT64_FORMAT, bus_number(hub, "StreamsOpened"));
        output_add_size(table, bus_number(hub, "BytesIn"));
        output_add_size(table, bus_number(hub, "BytesOut"));
        table_add(table, worry);
    }
    output_table(cli, table, _("No hubs. Add one with: streamctl hub add NAME"));
    return EXIT_CODE_OK;
}

ExitCode
verb_hub_show(Cli *cli, GError **error)
{
    return verb_show_object(cli, BUS_PATH_HUB, BUS_HUB, cli->words[0], _("there is no hub %s"),
                            error);
}

/* Shows how the attempt went, if it is known soon. */
static ExitCode
hub_connect_show(const Cli *cli, Bus *bus, const char *path, GError **error)
{
    g_autoptr(GVariant) hub = hub_wait(bus, path, hub_is_decided);
    const char *state = hub != NULL ? bus_string(hub, "State") : "";

    if (hub == NULL)
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("the hub was removed meanwhile"));
    if (strcmp(state, "refused") == 0)
        return cli_fail(error, EXIT_CODE_UNAUTHORIZED, "%s", bus_string(hub, "LastError"));
    if (strcmp(state, "connected") == 0)
        return show_done(cli, hub, "%s: %s", cli->words[0], words_of_code(state));
    if (*bus_string(hub, "LastError") == '\0')
        return cli_fail(error, EXIT_CODE_TIMED_OUT,
                        _("not connected within %d seconds; streamd goes on trying"),
                        (int)(HUB_WAIT_MOST / G_TIME_SPAN_SECOND));
    return cli_fail(error, EXIT_CODE_UNREACHABLE,
                    _("not connected, and streamd goes on trying: %s"),
                    bus_string(hub, "LastError"));
}

ExitCode
verb_hub_connect(Cli *cli, GError **error)
{
    g_autofree char *path = bus_path(BUS_PATH_HUB, cli->words[0]);
    g_autoptr(Bus) bus = NULL;
    ExitCode code = verb_call_object(cli, BUS_PATH_HUB, BUS_HUB, cli->words[0], "Connect",
                                     _("there is no hub %s"), error);

    if (code != EXIT_CODE_OK)
        return code;
    bus = verb_open_bus(cli, error);
    return bus != NULL ? hub_connect_show(cli, bus, path, error) : verb_code(error);
}

ExitCode
verb_hub_disconnect(Cli *cli, GError **error)
{
    ExitCode code = verb_call_object(cli, BUS_PATH_HUB, BUS_HUB, cli->words[0], "Disconnect",
                                     _("there is no hub %s"), error);

    if (code != EXIT_CODE_OK)
        return code;
    return show_done(
        cli, g_variant_new_parsed("{'hub': <%s>, 'result': <'disconnected'>}", cli->words[0]),
        _("%s: disconnected until 'streamctl hub connect'"), cli->words[0]);
}

/* How many streams that came in through the hub have not ended, of those that one may see. */
static guint
hub_count_streams(const Cli *cli, const char *name)
{
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, NULL);
    g_autoptr(GPtrArray) streams = bus != NULL ? bus_objects(bus, BUS_STREAM, NULL) : NULL;
    guint count = 0;

    for (guint i = 0; streams != NULL && i < streams->len; i++) {
        GVariant *stream = ((BusObject *)g_ptr_array_index(streams, i))->properties;

        count += strcmp(bus_string(stream, "Hub"), name) == 0 &&
                         strcmp(bus_string(stream, "Role"), "device") == 0 &&
                         bus_number(stream, "ClosedAt") == 0
                     ? 1
                     : 0;
    }
    return count;
}

/* Whoever has come in through the hub, as by ssh, shuts himself out when he removes it. Which of
 * the streams is his own cannot be told where sudo or a terminal multiplexer is in between. */
static ExitCode
hub_check_removal(const Cli *cli, GError **error)
{
    const guint streams = cli->given[OPTION_FORCE] ? 0 : hub_count_streams(cli, cli->words[0]);

    if (streams == 0)
        return EXIT_CODE_OK;
    return cli_fail(error, EXIT_CODE_OTHER,
                    ngettext("%u stream that came in through this hub is open, perhaps the one you "
                             "work through; --force removes the hub all the same",
                             "%u streams that came in through this hub are open, perhaps the one "
                             "you work through; --force removes the hub all the same",
                             streams),
                    streams);
}

ExitCode
verb_hub_remove(Cli *cli, GError **error)
{
    ExitCode code = hub_check_removal(cli, error);

    if (code == EXIT_CODE_OK)
        code = verb_call_object(cli, BUS_PATH_HUB, BUS_HUB, cli->words[0], "Remove",
                                _("there is no hub %s"), error);
    if (code != EXIT_CODE_OK)
        return code;
    return show_done(cli,
                     g_variant_new_parsed("{'hub': <%s>, 'result': <'removed'>}", cli->words[0]),
                     _("Removed the hub %s"), cli->words[0]);
}
