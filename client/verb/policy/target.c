/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/cli/question.h"
#include "client/show/done.h"
#include "client/show/properties.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/policy/target-rules.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>
#include <string.h>

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
    if (reply == NULL)
        return verb_code(error);
    return show_done(cli,
                     g_variant_new_parsed("{'target': <%s>, 'address': <%s>, 'result': <'added'>}",
                                          cli->words[0], cli->words[1]),
                     _("Added the target %s: %s"), cli->words[0], cli->words[1]);
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

/* Whether the rules that lead to the target go with it. */
static gboolean
target_with_rules(const Cli *cli, guint rules)
{
    g_autofree char *text = NULL;

    if (rules == 0 || cli->given[OPTION_RULES])
        return rules > 0;
    if (!question_may_ask(cli))
        return FALSE;
    text = g_strdup_printf(ngettext("%u rule leads to the target %s. Remove it, too?",
                                    "%u rules lead to the target %s. Remove them, too?", rules),
                           rules, cli->words[0]);
    return question_ask(text);
}

/* REMOVED: ids of rules, an at. LEFT: how many still name the target. */
static ExitCode
target_removed(const Cli *cli, GVariant *removed, guint left)
{
    const char *name = cli->words[0];
    const guint count = (guint)g_variant_n_children(removed);
    GVariant *json = g_variant_new_parsed(
        "{'target': <%s>, 'result': <'removed'>, 'rules': <%@at>, 'rules-left': <%u>}", name,
        removed, left);

    if (left > 0)
        return show_done(cli, json,
                         ngettext("Removed the target %s; %u rule still names it",
                                  "Removed the target %s; %u rules still name it", left),
                         name, left);
    if (count > 0)
        return show_done(cli, json,
                         ngettext("Removed the target %s and %u rule",
                                  "Removed the target %s and %u rules", count),
                         name, count);
    return show_done(cli, json, _("Removed the target %s"), name);
}

/* Whoever may remove a target need not see the rules; then there are none that would go with it. */
static GVariant *
target_rules_seen(const Cli *cli, Bus *bus, GError **error)
{
    GVariant *rules = target_rules_list(bus, error);

    if (rules != NULL || cli->given[OPTION_RULES] || verb_code(error) != EXIT_CODE_DENIED)
        return rules;
    g_clear_error(error);
    return g_variant_ref_sink(g_variant_new("a(ta{sv})", NULL));
}

/* The rules go first: what is half done accepts less. */
ExitCode
verb_target_remove(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) removed = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("at"));
    const char *name = cli->words[0];
    g_autofree char *path = bus_path(BUS_PATH_TARGET, name);
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) target = bus != NULL ? bus_properties(bus, path, BUS_TARGET, error) : NULL;
    g_autoptr(GVariant) rules = target != NULL ? target_rules_seen(cli, bus, error) : NULL;
    g_autoptr(GVariant) reply = NULL, ids = NULL;
    guint count;

    if (rules == NULL)
        return bus == NULL || target != NULL
                   ? verb_code(error)
                   : verb_missing(name, _("there is no target %s"), error);
    count = target_rules_count(rules, target_rules_name, name);
    if (strcmp(bus_string(target, "Source"), "config") != 0 && target_with_rules(cli, count) &&
        !target_rules_remove(bus, rules, target_rules_name, name, &removed, error))
        return verb_code(error);
    ids = g_variant_ref_sink(g_variant_builder_end(&removed));
    reply = bus_call(bus, path, BUS_TARGET, "Remove", NULL, 0, error);
    if (reply == NULL)
        return verb_missing(name, _("there is no target %s"), error);
    return target_removed(cli, ids, count - (guint)g_variant_n_children(ids));
}
