/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl offer: makes a target and the rule that accepts streams to it, in one step, and leaves
 * what is there already. streamctl withdraw takes both away. */
#include "client/show/done.h"
#include "client/verb/policy/target-rules.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <string.h>

/* What an offer says of streams, besides their name. */
static const Option conditions[] = {OPTION_HUB, OPTION_INITIATOR, OPTION_ADDRESS};

/* The target of this name; NULL: there is none, or ERROR is set. */
static GVariant *
offer_target(Bus *bus, const char *name, GError **error)
{
    g_autofree char *path = bus_path(BUS_PATH_TARGET, name);
    g_autoptr(GError) failure = NULL;
    GVariant *target = bus_properties(bus, path, BUS_TARGET, &failure);

    if (target == NULL && !g_error_matches(failure, EXIT_ERROR, EXIT_CODE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&failure));
    return target;
}

static gboolean
offer_rule_is(const Cli *cli, GVariant *rule)
{
    GVariantIter iter;
    const char *key;

    for (guint i = 0; i < G_N_ELEMENTS(conditions); i++) {
        const char *wanted = cli->values[conditions[i]];

        if (strcmp(bus_string(rule, option_row(&streamctl_options, conditions[i])->name),
                   wanted != NULL ? wanted : "") != 0)
            return FALSE;
    }
    /* Nor does it say more: when, or how many. */
    g_variant_iter_init(&iter, rule);
    while (g_variant_iter_next(&iter, "{&sv}", &key, NULL)) {
        static const char *const own[] = {"stream",  "hub",    "initiator", "address",
                                          "verdict", "target", "source",    NULL};

        if (!g_strv_contains(own, key))
            return FALSE;
    }
    return target_rules_offer(rule, cli->words[0]);
}

/* The rule that makes this offer already; 0: none. */
static guint64
offer_find_rule(const Cli *cli, GVariant *rules)
{
    for (gsize i = 0; i < g_variant_n_children(rules); i++) {
        g_autoptr(GVariant) rule = NULL;
        guint64 id;

        g_variant_get_child(rules, i, "(t@a{sv})", &id, &rule);
        if (offer_rule_is(cli, rule))
            return id;
    }
    return 0;
}

static GVariant *
offer_rule(const Cli *cli)
{
    g_auto(GVariantBuilder) rule = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    verb_add_string(&rule, "stream", cli->words[0]);
    for (guint i = 0; i < G_N_ELEMENTS(conditions); i++)
        verb_add_string(&rule, option_row(&streamctl_options, conditions[i])->name,
                        cli->values[conditions[i]]);
    verb_add_string(&rule, "verdict", "accept");
    verb_add_string(&rule, "target", cli->words[0]);
    return g_variant_new("(a{sv})", &rule);
}

/* Adds the target, unless it is there with that address. *RET_PATH is set when it was added. */
static gboolean
offer_add_target(const Cli *cli, Bus *bus, char **ret_path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) there = offer_target(bus, cli->words[0], &failure), added = NULL;

    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (there != NULL && strcmp(bus_string(there, "Address"), cli->words[1]) == 0)
        return TRUE;
    added = bus_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget",
                     g_variant_new("(ssa{sv})", cli->words[0], cli->words[1], NULL), 0, error);
    if (added != NULL)
        g_variant_get(added, "(o)", ret_path);
    return added != NULL;
}

/* Adds the rule, unless it is there. *RET_ADDED: whether it was. 0 with ERROR set. */
static guint64
offer_add_rule(const Cli *cli, Bus *bus, gboolean *ret_added, GError **error)
{
    g_autoptr(GVariant) rules = target_rules_list(bus, error), added = NULL;
    guint64 id = rules != NULL ? offer_find_rule(cli, rules) : 0;

    if (rules == NULL || id != 0)
        return id;
    added = bus_call(bus, BUS_ROOT, BUS_POLICY, "Add", offer_rule(cli), 0, error);
    if (added == NULL)
        return 0;
    *ret_added = TRUE;
    g_variant_get(added, "(t)", &id);
    return id;
}

/* Removes the target that an offer has added when it failed halfway. */
static ExitCode
offer_undo(Bus *bus, const char *path, GError **error)
{
    g_autoptr(GVariant) reply = NULL;

    if (path != NULL)
        reply = bus_call(bus, path, BUS_TARGET, "Remove", NULL, 0, NULL);
    return verb_code(error);
}

ExitCode
verb_offer(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autofree char *path = NULL;
    gboolean added = FALSE;
    GVariant *json;
    guint64 rule;

    if (bus == NULL || !offer_add_target(cli, bus, &path, error))
        return verb_code(error);
    rule = offer_add_rule(cli, bus, &added, error);
    if (rule == 0)
        return offer_undo(bus, path, error);
    added = added || path != NULL;
    json = g_variant_new_parsed("{'target': <%s>, 'rule': <%t>, 'result': <%s>}", cli->words[0],
                                rule, added ? "added" : "unchanged");
    if (!added)
        return show_done(cli, json, _("Streams named %s are accepted already, and reach %s"),
                         cli->words[0], cli->words[1]);
    return show_done(cli, json, _("Streams named %s are accepted, and reach %s"), cli->words[0],
                     cli->words[1]);
}

/* What is left of the rules that name TARGET. */
static guint
withdraw_left(Bus *bus, const char *target)
{
    g_autoptr(GVariant) rules = target_rules_list(bus, NULL);

    return rules != NULL ? target_rules_count(rules, target_rules_name, target) : 0;
}

/* Says what has gone, and whether the target had to stay. */
static ExitCode
withdraw_done(const Cli *cli, GVariant *rules, guint left)
{
    const char *name = cli->words[0];
    GVariant *json = g_variant_new_parsed("{'target': <%s>, 'rules': <%@at>, 'result': <%s>}", name,
                                          rules, left > 0 ? "rules-removed" : "removed");

    if (left == 0)
        return show_done(cli, json, _("Streams named %s are not accepted any more"), name);
    return show_done(cli, json,
                     ngettext("The target %s stays: %u other rule leads to it; 'streamctl target "
                              "remove %s --rules' takes both away",
                              "The target %s stays: %u other rules lead to it; 'streamctl target "
                              "remove %s --rules' takes all away",
                              left),
                     name, left, name);
}

/* The rules first: what is half done accepts less. */
ExitCode
verb_withdraw(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) removed = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("at"));
    const char *name = cli->words[0];
    g_autofree char *path = bus_path(BUS_PATH_TARGET, name);
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) rules = bus != NULL ? target_rules_list(bus, error) : NULL;
    g_autoptr(GVariant) target = rules != NULL ? offer_target(bus, name, error) : NULL;
    g_autoptr(GVariant) gone = NULL;
    guint left;

    if (rules == NULL || *error != NULL)
        return verb_code(error);
    if (target == NULL && target_rules_count(rules, target_rules_offer, name) == 0)
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("nothing is offered under the name '%.64s'"),
                        name);
    if (target != NULL && strcmp(bus_string(target, "Source"), "config") == 0)
        return cli_fail(error, EXIT_CODE_DENIED,
                        _("the configuration offers '%.64s'; change it there"), name);
    if (!target_rules_remove(bus, rules, target_rules_offer, name, &removed, error))
        return verb_code(error);
    left = withdraw_left(bus, name);
    if (target != NULL && left == 0)
        gone = bus_call(bus, path, BUS_TARGET, "Remove", NULL, 0, error);
    if (target != NULL && left == 0 && gone == NULL)
        return verb_code(error);
    return withdraw_done(cli, g_variant_builder_end(&removed), left);
}
