/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/show/properties.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>

ExitCode
verb_target_add(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;

    if (!limit_options_add(cli, &options, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus == NULL)
        return verb_code(error);
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget",
                     g_variant_new("(ssa{sv})", cli->words[0], cli->words[1], &options), 0, error);
    return reply != NULL ? EXIT_CODE_OK : verb_code(error);
}

ExitCode
verb_target_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GPtrArray) targets = bus != NULL ? bus_objects(bus, BUS_TARGET, error) : NULL;
    g_autoptr(Table) table = NULL;

    if (targets == NULL)
        return verb_code(error);
    if (cli->given[OPTION_JSON]) {
        output_json(verb_objects_variant(targets), FALSE);
        return EXIT_CODE_OK;
    }
    table = table_new(_("NAME"), _("ADDRESS"), _("STREAMS"), _("LIMITS"), NULL);
    table_align_right(table, 2);
    for (guint i = 0; i < targets->len; i++) {
        GVariant *target = ((BusObject *)g_ptr_array_index(targets, i))->properties;
        g_autofree char *limits = limit_options_text(target, TRUE);

        table_add(table, bus_string(target, "Name"));
        table_add(table, bus_string(target, "Address"));
        table_addf(table, "%" G_GUINT64_FORMAT, bus_number(target, "Streams"));
        table_add(table, limits);
    }
    output_table(cli, table, _("No targets. Add one with: streamctl target add NAME ADDRESS"));
    return EXIT_CODE_OK;
}

ExitCode
verb_target_show(Cli *cli, GError **error)
{
    return verb_show_object(cli, BUS_PATH_TARGET, BUS_TARGET, cli->words[0],
                            _("there is no target %s"), error);
}

ExitCode
verb_target_remove(Cli *cli, GError **error)
{
    return verb_call_object(cli, BUS_PATH_TARGET, BUS_TARGET, cli->words[0], "Remove",
                            _("there is no target %s"), error);
}
