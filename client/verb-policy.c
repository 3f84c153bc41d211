/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output.h"
#include "client/verb.h"
#include "common/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* "accept", or "accept to ssh", or "reject: not today". */
static char *
policy_outcome(const char *verdict, const char *target, const char *reason)
{
    if (strcmp(verdict, "accept") == 0)
        return *target != '\0' ? g_strdup_printf(_("accept to %s"), target)
                               : g_strdup(_("accept to the target named like the stream"));
    if (strcmp(verdict, "reject") == 0)
        return *reason != '\0' ? g_strdup_printf(_("reject: %s"), reason) : g_strdup(_("reject"));
    return g_strdup(verdict);
}

static const char *
policy_pattern(GVariant *rule, const char *key)
{
    const char *pattern = bus_string(rule, key);

    return *pattern != '\0' ? pattern : _("any");
}

static void
policy_add_row(Table *table, guint64 id, GVariant *rule)
{
    g_autofree char *outcome = policy_outcome(
        bus_string(rule, "verdict"), bus_string(rule, "target"), bus_string(rule, "reason"));

    table_addf(table, "%" G_GUINT64_FORMAT, id);
    table_add(table, policy_pattern(rule, "hub"));
    table_add(table, policy_pattern(rule, "stream"));
    table_add(table, policy_pattern(rule, "initiator"));
    table_add(table, outcome);
    table_add(table, strcmp(bus_string(rule, "source"), "config") == 0 ? _("configuration") : "");
}

static void
policy_print(const Cli *cli, GVariant *rules, GVariant *defaults)
{
    g_autoptr(Table) table =
        table_new(_("ID"), _("HUB"), _("STREAM"), _("INITIATOR"), _("VERDICT"), _("FROM"), NULL);
    g_autofree char *outcome = policy_outcome(bus_string(defaults, "DefaultVerdict"), "",
                                              bus_string(defaults, "DefaultReason"));
    g_autofree char *shown = table_escape(outcome);

    table_align_right(table, 0);
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        policy_add_row(table, id, rule);
    }
    output_table(cli, table, _("No rules."));
    (void)printf(_("Everything else: %s\n"), shown);
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

static gboolean
policy_rule(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    guint64 position = 0;

    if (cli->given[OPTION_ACCEPT] == cli->given[OPTION_REJECT]) {
        cli_fail(error, EXIT_CODE_USAGE, _("give one of --accept TARGET and --reject TEXT"));
        return FALSE;
    }
    if (!cli_number(cli, OPTION_POSITION, 0, G_MAXUINT16, &position, error))
        return FALSE;
    verb_add_string(rule, "hub", cli->values[OPTION_HUB]);
    verb_add_string(rule, "stream", cli->values[OPTION_STREAM]);
    verb_add_string(rule, "initiator", cli->values[OPTION_INITIATOR]);
    verb_add_string(rule, "verdict", cli->given[OPTION_ACCEPT] ? "accept" : "reject");
    verb_add_string(rule, "target", cli->values[OPTION_ACCEPT]);
    verb_add_string(rule, "reason", cli->values[OPTION_REJECT]);
    if (cli->given[OPTION_POSITION])
        g_variant_builder_add(rule, "{sv}", "position", g_variant_new_uint32((guint32)position));
    return TRUE;
}

ExitCode
verb_policy_add(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) rule = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;
    guint64 id;

    if (!policy_rule(cli, &rule, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus != NULL)
        reply =
            bus_call(bus, BUS_ROOT, BUS_POLICY, "Add", g_variant_new("(a{sv})", &rule), 0, error);
    if (reply == NULL)
        return verb_code(error);
    g_variant_get(reply, "(t)", &id);
    if (cli->given[OPTION_JSON])
        output_json(g_variant_new_parsed("{'id': <%t>}", id), FALSE);
    else
        (void)printf(_("Added rule %llu\n"), (unsigned long long)id);
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
    return reply != NULL ? EXIT_CODE_OK : verb_code(error);
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
    return reply != NULL ? EXIT_CODE_OK : verb_code(error);
}

static void
policy_print_test(const char *verdict, guint64 rule, GVariant *details)
{
    g_autofree char *outcome =
        policy_outcome(verdict, bus_string(details, "target"), bus_string(details, "reason"));
    g_autofree char *shown = table_escape(outcome);

    if (rule != 0)
        (void)printf(_("%s (rule %llu)\n"), shown, (unsigned long long)rule);
    else
        (void)printf(_("%s (the default: no rule matches)\n"), shown);
}

ExitCode
verb_policy_test(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) request = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) details = NULL;
    const char *verdict;
    guint64 rule;

    if (bus == NULL)
        return verb_code(error);
    verb_add_string(&request, "hub", cli->values[OPTION_HUB]);
    verb_add_string(&request, "initiator", cli->values[OPTION_INITIATOR]);
    reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "Test",
                     g_variant_new("(sa{sv})", cli->words[0], &request), 0, error);
    if (reply == NULL)
        return verb_code(error);
    g_variant_get(reply, "(&st@a{sv})", &verdict, &rule, &details);
    if (cli->given[OPTION_JSON])
        output_json(g_variant_new_parsed("{'verdict': <%s>, 'rule': <%t>, 'details': <%@a{sv}>}",
                                         verdict, rule, details),
                    FALSE);
    else
        policy_print_test(verdict, rule, details);
    return EXIT_CODE_OK;
}
