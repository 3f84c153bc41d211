/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* accept-policy add and insert. */
#include "common/cli/output.h"
#include "client/cli/value.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <pwd.h>
#include <stdio.h>

/* NAME is a user's name or number. */
static gboolean
find_user(const char *name, guint32 *ret, GError **error)
{
    const struct passwd *user = getpwnam(name);
    guint64 number;

    if (user != NULL) {
        *ret = user->pw_uid;
        return TRUE;
    }
    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        *ret = (guint32)number;
        return TRUE;
    }
    cli_fail(error, EXIT_CODE_USAGE, _("there is no user %.64s"), name);
    return FALSE;
}

static void
rule_add_conditions(const Cli *cli, GVariantBuilder *rule)
{
    static const Option conditions[] = {OPTION_HUB,     OPTION_STREAM,   OPTION_INITIATOR,
                                        OPTION_ADDRESS, OPTION_WEEKDAYS, OPTION_TIME};

    for (guint i = 0; i < G_N_ELEMENTS(conditions); i++)
        verb_add_string(rule, option_row(&streamctl_options, conditions[i])->name,
                        cli->values[conditions[i]]);
}

static gboolean
rule_add_handler(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    guint32 uid;

    if (cli->given[OPTION_HANDLER_USER] && !cli->given[OPTION_HANDLER]) {
        cli_fail(error, EXIT_CODE_USAGE, _("--handler-user goes with --handler"));
        return FALSE;
    }
    verb_add_string(rule, "handler", cli->values[OPTION_HANDLER]);
    if (!cli->given[OPTION_HANDLER_USER])
        return TRUE;
    if (!find_user(cli->values[OPTION_HANDLER_USER], &uid, error))
        return FALSE;
    g_variant_builder_add(rule, "{sv}", "handler-uid", g_variant_new_uint32(uid));
    return TRUE;
}

static gboolean
rule_add_ask(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    guint64 timeout = 0;

    if (cli->given[OPTION_ASK_TIMEOUT] && !cli->given[OPTION_ASK]) {
        cli_fail(error, EXIT_CODE_USAGE, _("--ask-timeout goes with --ask"));
        return FALSE;
    }
    if (!value_time(cli, OPTION_ASK_TIMEOUT, &timeout, error))
        return FALSE;
    if (cli->given[OPTION_ASK_TIMEOUT])
        g_variant_builder_add(rule, "{sv}", "ask-timeout", g_variant_new_uint64(timeout));
    return TRUE;
}

static gboolean
rule_add_resume(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    guint64 time = 0;

    if (!value_time(cli, OPTION_RESUME_TIME, &time, error))
        return FALSE;
    if (cli->given[OPTION_RESUME_TIME])
        g_variant_builder_add(rule, "{sv}", "resume-time", g_variant_new_uint64(time));
    return TRUE;
}

static gboolean
rule_add_outcome(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    const gboolean accept = cli->given[OPTION_ACCEPT], ask = cli->given[OPTION_ASK],
                   hand = cli->given[OPTION_HANDLER], reject = cli->given[OPTION_REJECT];

    if (accept + ask + hand + reject != 1) {
        cli_fail(error, EXIT_CODE_USAGE,
                 _("give one of --accept TARGET, --handler NAME, --ask[=TARGET] and --reject "
                   "TEXT"));
        return FALSE;
    }
    verb_add_string(rule, "verdict", reject ? "reject" : ask ? "ask" : "accept");
    verb_add_string(rule, "target", cli->values[accept ? OPTION_ACCEPT : OPTION_ASK]);
    verb_add_string(rule, "reason", cli->values[OPTION_REJECT]);
    return rule_add_handler(cli, rule, error) && rule_add_ask(cli, rule, error) &&
           limit_options_add(cli, rule, error) && rule_add_resume(cli, rule, error);
}

static ExitCode
rule_send(const Cli *cli, GVariantBuilder *rule, GError **error)
{
    g_autoptr(Bus) bus = verb_open_bus(cli, error);
    g_autoptr(GVariant) reply = NULL;
    guint64 id;

    if (bus != NULL)
        reply =
            bus_call(bus, BUS_ROOT, BUS_POLICY, "Add", g_variant_new("(a{sv})", rule), 0, error);
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
verb_policy_add(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) rule = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    guint64 position = 0;

    rule_add_conditions(cli, &rule);
    if (!rule_add_outcome(cli, &rule, error) ||
        !cli_number(cli, OPTION_POSITION, 0, G_MAXUINT16, &position, error))
        return EXIT_CODE_USAGE;
    if (cli->given[OPTION_POSITION])
        g_variant_builder_add(&rule, "{sv}", "position", g_variant_new_uint32((guint32)position));
    return rule_send(cli, &rule, error);
}

ExitCode
verb_policy_insert(Cli *cli, GError **error)
{
    g_auto(GVariantBuilder) rule = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    guint64 position = 0;

    rule_add_conditions(cli, &rule);
    if (!rule_add_outcome(cli, &rule, error) ||
        !cli_parse_number(_("POSITION"), cli->words[0], 0, G_MAXUINT16, &position, error))
        return EXIT_CODE_USAGE;
    g_variant_builder_add(&rule, "{sv}", "position", g_variant_new_uint32((guint32)position));
    return rule_send(cli, &rule, error);
}
