/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/output.h"
#include "client/show/done.h"
#include "client/show/policy-text.h"
#include "client/show/survival.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/verb.h"
#include "common/base/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

static const char *
policy_pattern(GVariant *rule, const char *key)
{
    const char *pattern = bus_string(rule, key);

    return *pattern != '\0' ? pattern : _("any");
}

static char *
policy_limits(GVariant *rule)
{
    g_autofree char *limits = limit_options_text(rule, FALSE), *resume = show_rule_resume(rule);

    return g_strconcat(limits, *limits != '\0' && *resume != '\0' ? ", " : "", resume, NULL);
}

static void
policy_add_row(Table *table, gsize position, guint64 id, GVariant *rule)
{
    g_autofree char *outcome = policy_text_outcome(bus_string(rule, "verdict"), rule);
    g_autofree char *limits = policy_limits(rule);
    g_autofree char *when = policy_text_when(rule);

    table_addf(table, "%" G_GSIZE_FORMAT, position);
    table_addf(table, "%" G_GUINT64_FORMAT, id);
    table_add(table, policy_pattern(rule, "hub"));
    table_add(table, policy_pattern(rule, "stream"));
    table_add(table, policy_pattern(rule, "initiator"));
    table_add(table, bus_string(rule, "address"));
    table_add(table, when);
    table_add(table, outcome);
    table_add(table, limits);
    table_add(table, strcmp(bus_string(rule, "source"), "config") == 0 ? _("configuration") : "");
}

/* What stays longest on a narrow terminal: initiator, stream, id, verdict. */
static const guint preferred[] = {4, 3, 1, 7, 0};

static Table *
policy_table(void)
{
    Table *table = table_new(_("POS"), _("ID"), _("HUB"), _("STREAM"), _("INITIATOR"), _("ADDRESS"),
                             _("WHEN"), _("VERDICT"), _("LIMITS"), _("FROM"), NULL);

    table_align_right(table, 0);
    table_align_right(table, 1);
    table_prefer(table, preferred);
    return table;
}

static void
policy_print(const Cli *cli, GVariant *rules, GVariant *defaults)
{
    g_autofree char *outcome = policy_text_default(defaults);
    g_autofree char *shown = table_escape(outcome);
    g_autoptr(Table) table = policy_table();

    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        policy_add_row(table, i, id, rule);
    }
    output_table(cli, table, _("No rules."));
    output_textf(cli, _("Everything else: %s\n"), shown);
}

static GVariant *
policy_rules_variant(GVariant *rules)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        GVariantDict dict;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        g_variant_dict_init(&dict, rule);
        g_variant_dict_insert(&dict, "id", "t", id);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

ExitCode
verb_policy_list(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) defaults = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) rules = NULL;

    if (bus == NULL)
        return verb_code(error);
    defaults = bus_properties(bus, BUS_ROOT, BUS_POLICY, error);
    reply = defaults != NULL ? bus_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL, 0, error) : NULL;
    if (reply == NULL)
        return verb_code(error);
    rules = g_variant_get_child_value(reply, 0);
    if (cli->given[OPTION_JSON])
        output_json(g_variant_new_parsed("{'default': <%@a{sv}>, 'rules': <%@aa{sv}>}", defaults,
                                         policy_rules_variant(rules)),
                    FALSE);
    else
        policy_print(cli, rules, defaults);
    return EXIT_CODE_OK;
}

ExitCode
verb_policy_remove(Cli *cli, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;
    guint64 id = 0;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus != NULL)
        reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "Remove", g_variant_new("(t)", id), 0, error);
    if (reply == NULL)
        return verb_code(error);
    return show_done(cli, g_variant_new_parsed("{'rule': <%t>, 'result': <'removed'>}", id),
                     _("Removed rule %s"), cli->words[0]);
}

ExitCode
verb_policy_move(Cli *cli, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;
    guint64 id = 0, position = 0;

    if (!cli_parse_number("ID", cli->words[0], 1, G_MAXUINT64, &id, error) ||
        !cli_parse_number(_("POSITION"), cli->words[1], 0, G_MAXUINT32, &position, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus != NULL)
        reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "Move",
                         g_variant_new("(tu)", id, (guint32)position), 0, error);
    if (reply == NULL)
        return verb_code(error);
    return show_done(
        cli,
        g_variant_new_parsed("{'rule': <%t>, 'position': <%t>, 'result': <'moved'>}", id, position),
        _("Moved rule %s to position %s"), cli->words[0], cli->words[1]);
}

static ExitCode
policy_default_done(const Cli *cli)
{
    const char *verdict = cli->words[0], *reason = cli->count > 1 ? cli->words[1] : "";
    g_autoptr(GVariant) json = g_variant_ref_sink(
        g_variant_new_parsed("{'DefaultVerdict': <%s>, 'DefaultReason': <%s>}", verdict, reason));
    g_autofree char *outcome = policy_text_default(json);

    return show_done(cli, json, _("Everything else: %s"), outcome);
}

ExitCode
verb_policy_set_default(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) options = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;
    const char *verdict = cli->words[0];

    if (strcmp(verdict, "accept") != 0 && strcmp(verdict, "reject") != 0)
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("the default is 'reject' or 'accept', not '%.64s'"), verdict);
    if (strcmp(verdict, "accept") == 0 && cli->words[1] != NULL)
        return cli_fail(error, EXIT_CODE_USAGE, _("a text goes with 'reject' only"));
    bus = verb_open_bus(cli, error);
    if (bus == NULL)
        return verb_code(error);
    verb_add_string(&options, "reason", cli->words[1]);
    reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "SetDefault",
                     g_variant_new("(sa{sv})", verdict, &options), 0, error);
    return reply != NULL ? policy_default_done(cli) : verb_code(error);
}
