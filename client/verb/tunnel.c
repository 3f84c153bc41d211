/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/show/hidden.h"
#include "client/show/done.h"
#include "client/show/properties.h"
#include "client/show/survival.h"
#include "client/verb/foreground.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static guint64
tunnel_id(const char *path)
{
    return g_ascii_strtoull(strrchr(path, '/') + 1, NULL, 10);
}

static void
tunnel_show(const Cli *cli, const char *path, const char *address)
{
    guint64 id = tunnel_id(path);

    if (cli->given[OPTION_JSON])
        output_json(g_variant_new_parsed("{'listen_address': <%s>, 'id': <%t>}", address, id),
                    TRUE);
    else
        (void)printf(_("Listening on %s\n"), address);
    if (!cli->given[OPTION_JSON] && cli->given[OPTION_BACKGROUND])
        (void)printf(_("Close it with: streamctl tunnel close %llu\n"), (unsigned long long)id);
    (void)fflush(stdout);
}

/* The path of a Unix socket is relative to our folder, not to streamd's. */
static char *
tunnel_listen(const char *listen)
{
    g_autofree char *path = NULL;

    if (listen == NULL)
        return g_strdup("");
    if (!g_str_has_prefix(listen, "unix:") || listen[5] == '\0')
        return g_strdup(listen);
    path = g_canonicalize_filename(listen + 5, NULL);
    return g_strconcat("unix:", path, NULL);
}

static GVariant *
tunnel_arguments(const Cli *cli, gint64 *ret_limit, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autofree char *listen = tunnel_listen(cli->values[OPTION_LISTEN]);
    const char *hub = cli->values[OPTION_HUB];

    if (!verb_add_times(cli, &options, ret_limit, error))
        return NULL;
    verb_add_resume(cli, &options);
    if (cli->given[OPTION_BACKGROUND])
        g_variant_builder_add(&options, "{sv}", "persistent", g_variant_new_boolean(TRUE));
    if (cli->given[OPTION_SHARED])
        g_variant_builder_add(&options, "{sv}", "shared", g_variant_new_boolean(TRUE));
    return g_variant_new("(ssssa{sv})", hub != NULL ? hub : "", cli->words[0], cli->words[1],
                         listen, &options);
}

ExitCode
verb_tunnel_open(Cli *cli, GError **error)
{
    gint64 limit; /* for the device's answer; listening itself takes no time */
    GVariant *args = tunnel_arguments(cli, &limit, error);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;
    const char *path, *address;

    if (args == NULL)
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus == NULL || (!cli->given[OPTION_BACKGROUND] && !bus_listen(bus, error))) {
        g_variant_unref(g_variant_ref_sink(args));
        return verb_code(error);
    }
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "OpenTunnel", args, 0, error);
    if (reply == NULL)
        return verb_code(error);
    g_variant_get(reply, "(&o&s)", &path, &address);
    tunnel_show(cli, path, address);
    return cli->given[OPTION_BACKGROUND] ? EXIT_CODE_OK
                                         : foreground_stay(bus, path, cli->words[0], error);
}

/* What stays longest on a narrow terminal: the last error, stream, device, where it listens. */
static const guint preferred[] = {8, 3, 2, 4, 0};

static void
tunnel_add_streams(Table *table, GVariant *tunnel, GPtrArray *streams)
{
    const guint64 count = bus_number(tunnel, "Streams");
    g_autofree char *brief = g_strdup_printf("%" G_GUINT64_FORMAT, count);
    g_autofree char *text =
        show_with_suspended(count, show_count_suspended(streams, bus_number(tunnel, "Id")));

    table_add_brief(table, text, brief);
}

static void
tunnel_add_row(Table *table, GVariant *tunnel, GPtrArray *streams)
{
    table_addf(table, "%" G_GUINT64_FORMAT, bus_number(tunnel, "Id"));
    table_add(table, bus_string(tunnel, "Hub"));
    table_add(table, bus_string(tunnel, "DeviceId"));
    table_add(table, bus_string(tunnel, "StreamName"));
    table_add(table, bus_string(tunnel, "ListenAddress"));
    table_add(table, bus_boolean(tunnel, "Persistent") ? _("background") : _("foreground"));
    tunnel_add_streams(table, tunnel, streams);
    table_addf(table, "%" G_GUINT64_FORMAT, bus_number(tunnel, "Accepted"));
    table_add(table, bus_string(tunnel, "LastError"));
}

static void
tunnel_tell_hidden(Bus *bus)
{
    show_hidden(bus, "HiddenTunnels", _("Tunnels of others are not shown; --all asks for them."));
}

ExitCode
verb_tunnel_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);
    g_autoptr(GPtrArray) tunnels = bus != NULL ? bus_objects(bus, BUS_TUNNEL, error) : NULL;
    g_autoptr(GPtrArray) streams = NULL;
    g_autoptr(Table) table = NULL;

    if (tunnels == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(verb_objects_variant(tunnels), FALSE);
        tunnel_tell_hidden(bus);
        return EXIT_CODE_OK;
    }
    table = table_new(_("ID"), _("HUB"), _("DEVICE"), _("STREAM"), _("LISTENS ON"), _("KIND"),
                      _("STREAMS"), _("SO FAR"), _("LAST ERROR"), NULL);
    table_align_right(table, 0);
    table_align_right(table, 6);
    table_align_right(table, 7);
    table_prefer(table, preferred);
    streams = tunnels->len > 0 ? bus_objects(bus, BUS_STREAM, error) : g_ptr_array_new();
    if (streams == NULL)
        return verb_code(error);
    for (guint i = 0; i < tunnels->len; i++)
        tunnel_add_row(table, ((BusObject *)g_ptr_array_index(tunnels, i))->properties, streams);
    output_table(cli, table, _("No tunnels. Open one with: streamctl tunnel open DEVICE STREAM"));
    tunnel_tell_hidden(bus);
    return EXIT_CODE_OK;
}

ExitCode
verb_tunnel_show(Cli *cli, GError **error)
{
    guint64 id;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    return verb_show_object(cli, BUS_PATH_TUNNEL, BUS_TUNNEL, cli->words[0],
                            _("there is no tunnel %s"), error);
}

/* One that has gone meanwhile is closed as well. */
static gboolean
tunnel_close_one(Bus *bus, const BusObject *tunnel, GVariantBuilder *closed, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) reply = bus_call(bus, tunnel->path, BUS_TUNNEL, "Close", NULL, 0, &failure);

    if (reply == NULL && !g_error_matches(failure, EXIT_ERROR, EXIT_CODE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (reply != NULL)
        g_variant_builder_add(closed, "t", bus_number(tunnel->properties, "Id"));
    return TRUE;
}

/* Those of the caller, whatever else is shown. */
static ExitCode
tunnel_close_all(const Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) closed = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("at"));
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GPtrArray) tunnels = bus != NULL ? bus_objects(bus, BUS_TUNNEL, error) : NULL;
    g_autoptr(GVariant) ids = NULL;

    if (tunnels == NULL)
        return verb_code(error);
    for (guint i = 0; i < tunnels->len; i++) {
        const BusObject *tunnel = g_ptr_array_index(tunnels, i);

        if (bus_number(tunnel->properties, "OwnerUid") == getuid() &&
            !tunnel_close_one(bus, tunnel, &closed, error))
            return verb_code(error);
    }
    ids = g_variant_ref_sink(g_variant_builder_end(&closed));
    return show_done(
        cli, g_variant_new_parsed("{'tunnels': <%@at>, 'result': <'closed'>}", ids),
        ngettext("Closed %d tunnel", "Closed %d tunnels", (gulong)g_variant_n_children(ids)),
        (int)g_variant_n_children(ids));
}

ExitCode
verb_tunnel_close(Cli *cli, GError **error)
{
    ExitCode code;
    guint64 id;

    if (cli->given[OPTION_ALL] == (cli->count > 0))
        return cli_fail(error, EXIT_CODE_USAGE, _("give the ID of a tunnel, or --all"));
    if (cli->given[OPTION_ALL])
        return tunnel_close_all(cli, error);
    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    code = verb_call_object(cli, BUS_PATH_TUNNEL, BUS_TUNNEL, cli->words[0], "Close",
                            _("there is no tunnel %s"), error);
    if (code != EXIT_CODE_OK)
        return code;
    return show_done(cli, g_variant_new_parsed("{'tunnels': <[%t]>, 'result': <'closed'>}", id),
                     _("Closed tunnel %s"), cli->words[0]);
}
