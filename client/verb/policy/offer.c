/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl offer: makes a target and the rule that accepts streams to it, in one step. */
#include "client/verb/verb.h"
#include "common/cli/output.h"

#include <glib/gi18n.h>
#include <stdio.h>

static GVariant *
offer_rule(const Cli *cli)
{
    g_auto(GVariantBuilder) rule = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    verb_add_string(&rule, "stream", cli->words[0]);
    verb_add_string(&rule, "hub", cli->values[OPTION_HUB]);
    verb_add_string(&rule, "initiator", cli->values[OPTION_INITIATOR]);
    verb_add_string(&rule, "address", cli->values[OPTION_ADDRESS]);
    verb_add_string(&rule, "verdict", "accept");
    verb_add_string(&rule, "target", cli->words[0]);
    return g_variant_new("(a{sv})", &rule);
}

/* Removes what an offer has made when it failed halfway. */
static void
offer_undo(Bus *bus, GVariant *exposed)
{
    g_autoptr(GVariant) reply = NULL;
    const char *path;

    g_variant_get(exposed, "(&o)", &path);
    reply = bus_call(bus, path, BUS_TARGET, "Remove", NULL, 0, NULL);
}

ExitCode
verb_offer(Cli *cli, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) exposed = NULL, added = NULL;
    guint64 rule;

    if (bus == NULL)
        return verb_code(error);
    exposed = bus_call(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget",
                       g_variant_new("(ssa{sv})", cli->words[0], cli->words[1], NULL), 0, error);
    if (exposed == NULL)
        return verb_code(error);
    added = bus_call(bus, BUS_ROOT, BUS_POLICY, "Add", offer_rule(cli), 0, error);
    if (added == NULL) {
        offer_undo(bus, exposed);
        return verb_code(error);
    }
    g_variant_get(added, "(t)", &rule);
    if (cli->given[OPTION_JSON])
        output_json(g_variant_new_parsed("{'target': <%s>, 'rule': <%t>}", cli->words[0], rule),
                    FALSE);
    else
        (void)printf(_("Streams named %s are accepted, and reach %s\n"), cli->words[0],
                     cli->words[1]);
    return EXIT_CODE_OK;
}
