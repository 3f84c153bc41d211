/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* accept-policy test: shows which rule decides, and why none before it does. */
#include "client/show/moment.h"
#include "common/cli/output.h"
#include "client/show/policy-text.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>

/* The value of a rule's condition, from the answer of List; "" when the rule no longer exists. */
static char *
rule_condition(GVariant *rules, guint64 wanted, const char *key)
{
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        if (id == wanted)
            return g_strdup(bus_string(rule, key));
    }
    return g_strdup("");
}

static void
print_tried(const Cli *cli, GVariant *details, GVariant *rules)
{
    g_autoptr(GVariant) ids = g_variant_lookup_value(details, "tried", G_VARIANT_TYPE("at"));
    g_autoptr(GVariant) why = g_variant_lookup_value(details, "why", G_VARIANT_TYPE("as"));
    g_autoptr(Table) table = table_new(_("RULE"), _("DOES NOT MATCH"), _("IT WANTS"), NULL);
    gsize count =
        ids != NULL && why != NULL ? MIN(g_variant_n_children(ids), g_variant_n_children(why)) : 0;

    table_align_right(table, 0);
    for (gsize i = 0; i < count; i++) {
        g_autofree char *wants = NULL;
        const char *key;
        guint64 id;

        g_variant_get_child(ids, i, "t", &id);
        g_variant_get_child(why, i, "&s", &key);
        wants = rule_condition(rules, id, key);
        table_addf(table, "%" G_GUINT64_FORMAT, id);
        table_add(table, policy_text_condition(key));
        table_add(table, wants);
    }
    if (count > 0)
        output_table(cli, table, "");
}

static void
print_outcome(const char *verdict, guint64 rule, GVariant *details)
{
    g_autofree char *outcome = policy_text_outcome(verdict, details);
    g_autofree char *shown = table_escape(outcome);
    g_autofree char *limits = limit_options_text(details, FALSE);

    if (rule != 0)
        (void)printf(_("%s (rule %llu)\n"), shown, (unsigned long long)rule);
    else
        (void)printf(_("%s (the default: no rule matches)\n"), shown);
    if (*limits != '\0')
        (void)printf(_("Limits: %s\n"), limits);
}

static gboolean
request_of(const Cli *cli, GVariantBuilder *request, GError **error)
{
    guint64 at;

    verb_add_string(request, "hub", cli->values[OPTION_HUB]);
    verb_add_string(request, "initiator", cli->values[OPTION_INITIATOR]);
    verb_add_string(request, "address", cli->values[OPTION_ADDRESS]);
    if (!cli->given[OPTION_AT])
        return TRUE;
    if (!moment_parse(cli->values[OPTION_AT], g_get_real_time(), &at)) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("--at is a moment such as 14:30 or '2026-11-21 14:30', not '%.64s'"),
                 cli->values[OPTION_AT]);
        return FALSE;
    }
    g_variant_builder_add(request, "{sv}", "at", g_variant_new_uint64(at));
    return TRUE;
}

static ExitCode
print_test(const Cli *cli, Bus *bus, GVariant *reply, GError **error)
{
    g_autoptr(GVariant) details = NULL, list = NULL, rules = NULL;
    const char *verdict;
    guint64 rule;

    g_variant_get(reply, "(&st@a{sv})", &verdict, &rule, &details);
    if (cli->given[OPTION_JSON]) {
        output_json(g_variant_new_parsed("{'verdict': <%s>, 'rule': <%t>, 'details': <%@a{sv}>}",
                                         verdict, rule, details),
                    FALSE);
        return EXIT_CODE_OK;
    }
    list = bus_call(bus, BUS_ROOT, BUS_POLICY, "List", NULL, 0, error);
    if (list == NULL)
        return verb_code(error);
    rules = g_variant_get_child_value(list, 0);
    print_tried(cli, details, rules);
    print_outcome(verdict, rule, details);
    return EXIT_CODE_OK;
}

ExitCode
verb_policy_test(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) request = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Bus) bus = NULL;

    if (!request_of(cli, &request, error))
        return EXIT_CODE_USAGE;
    bus = verb_open_bus(cli, error);
    if (bus != NULL)
        reply = bus_call(bus, BUS_ROOT, BUS_POLICY, "Test",
                         g_variant_new("(sa{sv})", cli->words[0], &request), 0, error);
    if (reply == NULL)
        return verb_code(error);
    return print_test(cli, bus, reply, error);
}
