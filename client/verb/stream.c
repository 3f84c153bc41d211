/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hidden.h"
#include "client/show/inspection.h"
#include "client/show/properties.h"
#include "client/show/done.h"
#include "client/show/survival.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <string.h>

/* What stays longest on a narrow terminal: initiator, age, bytes, the names of stream and device,
 * state. */
static const guint preferred[] = {5, 11, 10, 9, 4, 3, 8, 0};

static void
stream_add_row(Table *table, GVariant *stream)
{
    g_autofree char *state = show_stream_state(stream);
    guint64 tunnel = bus_number(stream, "Tunnel");

    table_addf(table, "%" G_GUINT64_FORMAT, bus_number(stream, "Id"));
    table_add(table, words_of_code(bus_string(stream, "Role")));
    table_add(table, bus_string(stream, "Hub"));
    table_add(table, bus_string(stream, "DeviceId"));
    table_add(table, bus_string(stream, "StreamName"));
    table_add(table, bus_string(stream, "Initiator"));
    table_add(table, bus_string(stream, "Target"));
    if (tunnel != 0)
        table_addf(table, "%" G_GUINT64_FORMAT, tunnel);
    else
        table_add(table, NULL);
    output_add_state(table, bus_string(stream, "State"), state);
    output_add_size(table, bus_number(stream, "BytesIn"));
    output_add_size(table, bus_number(stream, "BytesOut"));
    output_add_age(table, bus_number(stream, "RequestedAt"));
}

static void
stream_tell_hidden(Bus *bus)
{
    show_hidden(bus, "HiddenStreams", _("Streams of others are not shown; --all asks for them."));
}

ExitCode
verb_stream_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);
    g_autoptr(GPtrArray) streams = bus != NULL ? bus_objects(bus, BUS_STREAM, error) : NULL;
    g_autoptr(Table) table = NULL;

    if (streams == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(verb_objects_variant(streams), FALSE);
        stream_tell_hidden(bus);
        return EXIT_CODE_OK;
    }
    table = table_new(_("ID"), _("ROLE"), _("HUB"), _("DEVICE"), _("STREAM"), _("INITIATOR"),
                      _("TARGET"), _("TUNNEL"), _("STATE"), _("IN"), _("OUT"), _("AGE"), NULL);
    table_align_right(table, 0);
    table_align_right(table, 7);
    table_align_right(table, 9);
    table_align_right(table, 10);
    table_prefer(table, preferred);
    for (guint i = 0; i < streams->len; i++)
        stream_add_row(table, ((BusObject *)g_ptr_array_index(streams, i))->properties);
    output_table(cli, table, _("No streams."));
    stream_tell_hidden(bus);
    return EXIT_CODE_OK;
}

static ExitCode
stream_inspect(const Cli *cli, GError **error)
{
    const char *missing = _("there is no stream %s");
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);
    g_autofree char *path = bus_path(BUS_PATH_STREAM, cli->words[0]);
    g_autoptr(GVariant) properties =
        bus != NULL ? bus_properties(bus, path, BUS_STREAM, error) : NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) state = NULL;

    if (bus == NULL)
        return verb_code(error);
    if (properties != NULL)
        reply = bus_call(bus, path, BUS_STREAM, "Inspect", NULL, 0, error);
    if (reply == NULL)
        return verb_missing(cli->words[0], missing, error);
    state = g_variant_get_child_value(reply, 0);
    show_inspection(cli, properties, state);
    return EXIT_CODE_OK;
}

ExitCode
verb_stream_show(Cli *cli, GError **error)
{
    guint64 id;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    if (cli->given[OPTION_DEBUG])
        return stream_inspect(cli, error);
    return verb_show_object(cli, BUS_PATH_STREAM, BUS_STREAM, cli->words[0],
                            _("there is no stream %s"), error);
}

ExitCode
verb_stream_close(Cli *cli, GError **error)
{
    ExitCode code;
    guint64 id;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    code = verb_call_object(cli, BUS_PATH_STREAM, BUS_STREAM, cli->words[0], "Close",
                            _("there is no stream %s"), error);
    if (code != EXIT_CODE_OK)
        return code;
    return show_done(cli, g_variant_new_parsed("{'stream': <%t>, 'result': <'closed'>}", id),
                     _("Ended stream %s"), cli->words[0]);
}
