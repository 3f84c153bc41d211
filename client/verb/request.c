/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/show/done.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>

/* Only agents see requests. A passive agent does too. */
static Bus *
request_open_bus(const Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);

    if (bus == NULL || !bus_register_agent(bus, TRUE, error))
        return NULL;
    return g_steal_pointer(&bus);
}

/* What stays longest on a narrow terminal: target, time, stream, initiator. */
static const guint preferred[] = {6, 8, 3, 4, 0};

static void
request_add_row(Table *table, GVariant *request)
{
    gint64 left = (gint64)bus_number(request, "Deadline") - g_get_real_time();

    table_addf(table, "%" G_GUINT64_FORMAT, bus_number(request, "Id"));
    table_add(table, bus_string(request, "Hub"));
    table_add(table, bus_string(request, "DeviceId"));
    table_add(table, bus_string(request, "StreamName"));
    table_add(table, bus_string(request, "Initiator"));
    table_add(table, bus_string(request, "Address"));
    table_add(table, bus_string(request, "Target"));
    table_addf(table, "%" G_GUINT64_FORMAT, bus_number(request, "Rule"));
    table_addf(table, "%d s", (int)(MAX(left, 0) / G_TIME_SPAN_SECOND));
}

ExitCode
verb_request_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = request_open_bus(cli, error);
    g_autoptr(GPtrArray) requests = bus != NULL ? bus_objects(bus, BUS_REQUEST, error) : NULL;
    g_autoptr(Table) table = NULL;

    if (requests == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(verb_objects_variant(requests), FALSE);
        return EXIT_CODE_OK;
    }
    table = table_new(_("ID"), _("HUB"), _("DEVICE"), _("STREAM"), _("INITIATOR"), _("ADDRESS"),
                      _("TARGET"), _("RULE"), _("LEFT"), NULL);
    table_align_right(table, 0);
    table_align_right(table, 7);
    table_align_right(table, 8);
    table_prefer(table, preferred);
    for (guint i = 0; i < requests->len; i++)
        request_add_row(table, ((BusObject *)g_ptr_array_index(requests, i))->properties);
    output_table(cli, table, _("Nobody waits for consent."));
    return EXIT_CODE_OK;
}

static ExitCode
request_decide(const Cli *cli, const char *member, const char *argument, GError **error)
{
    g_autoptr(Bus) bus = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *path = NULL;
    guint64 id;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus == NULL)
        return verb_code(error);
    path = bus_path(BUS_PATH_REQUEST, cli->words[0]);
    reply = bus_call(bus, path, BUS_REQUEST, member, g_variant_new("(s)", argument), 0, error);
    if (reply == NULL)
        return verb_code(error);
    if (strcmp(member, "Reject") == 0)
        return show_done(cli, g_variant_new_parsed("{'request': <%t>, 'result': <'rejected'>}", id),
                         _("Turned request %s away"), cli->words[0]);
    return show_done(cli, g_variant_new_parsed("{'request': <%t>, 'result': <'accepted'>}", id),
                     _("Let request %s in"), cli->words[0]);
}

ExitCode
verb_request_accept(Cli *cli, GError **error)
{
    const char *target = cli->values[OPTION_TARGET];

    return request_decide(cli, "AcceptTo", target != NULL ? target : "", error);
}

ExitCode
verb_request_reject(Cli *cli, GError **error)
{
    return request_decide(cli, "Reject", cli->count > 1 ? cli->words[1] : "", error);
}
