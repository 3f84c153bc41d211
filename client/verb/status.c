/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/hub-worry.h"
#include "client/show/policy-text.h"
#include "client/show/survival.h"
#include "client/verb/verb.h"
#include "common/base/table.h"
#include "common/cli/output.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    GVariant *manager;
    GVariant *policy;
    GPtrArray *hubs;
    GPtrArray *targets;
} Status;

static void
status_clear(Status *status)
{
    g_clear_pointer(&status->manager, g_variant_unref);
    g_clear_pointer(&status->policy, g_variant_unref);
    g_clear_pointer(&status->hubs, g_ptr_array_unref);
    g_clear_pointer(&status->targets, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Status, status_clear)

static gboolean
status_read(Bus *bus, Status *status, GError **error)
{
    status->manager = bus_properties(bus, BUS_ROOT, BUS_MANAGER, error);
    if (status->manager == NULL)
        return FALSE;
    status->policy = bus_properties(bus, BUS_ROOT, BUS_POLICY, error);
    if (status->policy == NULL)
        return FALSE;
    status->hubs = bus_objects(bus, BUS_HUB, error);
    if (status->hubs == NULL)
        return FALSE;
    status->targets = bus_objects(bus, BUS_TARGET, error);
    return status->targets != NULL;
}

static void
status_print_json(const Status *status)
{
    output_json(
        g_variant_new_parsed("{'manager': <%@a{sv}>, 'policy': <%@a{sv}>, 'hubs': <%@aa{sv}>, "
                             "'targets': <%@aa{sv}>}",
                             status->manager, status->policy, verb_objects_variant(status->hubs),
                             verb_objects_variant(status->targets)),
        FALSE);
}

static void
status_print_rows(const Cli *cli, const Table *table)
{
    TableStyle style = output_style(cli);
    g_autofree char *text = NULL;

    style.untitled = TRUE;
    text = table_format(table, &style);
    (void)fputs(text, stdout);
}

/* What has to be known of a change of the hub's authority. */
static const char *
status_next_authority(GVariant *hub)
{
    const char *state = bus_string(hub, "NextAuthority");

    if (strcmp(state, "pending") == 0)
        return _("its next authority is pending");
    if (strcmp(state, "file") == 0)
        return _("its authority changes: renew the CA file");
    return state;
}

static void
status_print_hubs(const Cli *cli, GPtrArray *hubs)
{
    /* What stays longest on a narrow terminal: identity, host, what is wrong, state. */
    static const guint preferred[] = {1, 2, 4, 3, 0};
    g_autoptr(Table) table = table_new("", "", "", "", "", "", NULL);

    output_text(cli,
                hubs->len > 0 ? _("Hubs:") : _("Hubs: none; add one with: streamctl hub add NAME"));
    for (guint i = 0; i < hubs->len; i++) {
        GVariant *hub = ((BusObject *)g_ptr_array_index(hubs, i))->properties;
        g_autofree char *age = output_age(bus_number(hub, "Since"));
        const char *state = bus_string(hub, "State");
        g_autofree char *worry = NULL;
        g_autofree char *for_how_long =
            *age != '\0' ? g_strdup_printf(_("%s for %s"), words_of_code(state), age)
                         : g_strdup(words_of_code(state));

        table_addf(table, "  %s", bus_string(hub, "Name"));
        table_addf(table, "%s %s", words_of_code(bus_string(hub, "Role")),
                   bus_string(hub, "Identity"));
        table_add(table, bus_string(hub, "HostName"));
        output_add_state(table, state, for_how_long);
        worry = show_hub_worry(hub);
        table_add(table, worry);
        table_add(table, status_next_authority(hub));
    }
    table_prefer(table, preferred);
    status_print_rows(cli, table);
}

static void
status_print_targets(const Cli *cli, GPtrArray *targets)
{
    g_autoptr(Table) table = table_new("", "", NULL);

    output_text(cli, targets->len > 0 ? _("Targets:") : _("Targets: none"));
    for (guint i = 0; i < targets->len; i++) {
        GVariant *target = ((BusObject *)g_ptr_array_index(targets, i))->properties;

        table_addf(table, "  %s", bus_string(target, "Name"));
        table_add(table, bus_string(target, "Address"));
    }
    status_print_rows(cli, table);
}

static void
status_print_counts(const Cli *cli, GVariant *manager)
{
    const guint64 streams = bus_number(manager, "Streams");
    g_autofree char *text = show_with_suspended(streams, bus_number(manager, "SuspendedStreams"));

    output_textf(cli, _("Streams: %s, tunnels: %llu\n"), text,
                 (unsigned long long)bus_number(manager, "Tunnels"));
}

static void
status_print(const Cli *cli, const Status *status)
{
    g_autofree char *age = output_age(bus_number(status->manager, "StartedAt"));
    g_autofree char *outcome = policy_text_default(status->policy);
    g_autofree char *shown = table_escape(outcome);
    g_autofree char *problem = table_escape(bus_string(status->manager, "StateError"));

    output_textf(cli, _("streamd %s, running for %s\n"), bus_string(status->manager, "Version"),
                 age);
    if (bus_boolean(status->manager, "ProgramReplaced"))
        output_text(cli, _("The program was replaced since: restart streamd"));
    if (*problem != '\0')
        output_text(cli, problem); /* not translated: D-Bus errors are English */
    status_print_counts(cli, status->manager);
    status_print_hubs(cli, status->hubs);
    status_print_targets(cli, status->targets);
    output_textf(cli, _("Accept policy without a matching rule: %s\n"), shown);
}

static gboolean
check_is_away(GVariant *hub)
{
    return strcmp(bus_string(hub, "State"), "connected") != 0;
}

static void
check_print_json(const char *problem, GPtrArray *hubs, gboolean ok)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < hubs->len; i++) {
        GVariant *hub = g_ptr_array_index(hubs, i);

        g_variant_builder_add_value(
            &list, g_variant_new_parsed("{'name': <%s>, 'connected': <%b>, 'state': <%s>, "
                                        "'last_error': <%s>, 'since': <%t>}",
                                        bus_string(hub, "Name"), !check_is_away(hub),
                                        bus_string(hub, "State"), bus_string(hub, "LastError"),
                                        (guint64)bus_number(hub, "Since")));
    }
    output_json(g_variant_new_parsed("{'ok': <%b>, 'state_error': <%s>, 'hubs': <%@aa{sv}>}", ok,
                                     problem, g_variant_builder_end(&list)),
                FALSE);
}

/* A hub that was left on request has no error. */
static void
check_print_hub(GVariant *hub)
{
    g_autofree char *age = output_age(bus_number(hub, "Since"));
    g_autofree char *error = table_escape(bus_string(hub, "LastError"));
    const char *name = bus_string(hub, "Name"), *state = bus_string(hub, "State");

    if (*error != '\0')
        (void)printf(_("%s: %s for %s: %s\n"), name, state, age, error);
    else
        (void)printf(_("%s: %s for %s\n"), name, state, age);
}

static void
check_print(const char *problem, GPtrArray *hubs)
{
    g_autofree char *shown = table_escape(problem);

    if (*shown != '\0')
        (void)puts(shown);
    for (guint i = 0; i < hubs->len; i++)
        if (check_is_away(g_ptr_array_index(hubs, i)))
            check_print_hub(g_ptr_array_index(hubs, i));
}

/* The hubs that are meant, as properties; borrowed. */
static GPtrArray *
check_choose(const Status *status, const char *name)
{
    GPtrArray *hubs = g_ptr_array_new();

    for (guint i = 0; i < status->hubs->len; i++) {
        GVariant *hub = ((BusObject *)g_ptr_array_index(status->hubs, i))->properties;

        if (name == NULL || strcmp(bus_string(hub, "Name"), name) == 0)
            g_ptr_array_add(hubs, hub);
    }
    return hubs;
}

static ExitCode
check_code(const char *problem, GPtrArray *hubs)
{
    ExitCode code = *problem != '\0' ? EXIT_CODE_OTHER : EXIT_CODE_OK;

    for (guint i = 0; code != EXIT_CODE_OTHER && i < hubs->len; i++) {
        GVariant *hub = g_ptr_array_index(hubs, i);

        if (!check_is_away(hub))
            continue;
        if (strcmp(bus_string(hub, "State"), "refused") != 0)
            return EXIT_CODE_UNREACHABLE;
        code = EXIT_CODE_UNAUTHORIZED;
    }
    return code;
}

static ExitCode
status_check(const Cli *cli, const Status *status, GError **error)
{
    const char *name = cli->given[OPTION_HUB] ? cli->values[OPTION_HUB] : NULL;
    const char *problem = bus_string(status->manager, "StateError");
    g_autoptr(GPtrArray) hubs = check_choose(status, name);
    ExitCode code = check_code(problem, hubs);

    if (hubs->len == 0 && *problem == '\0' && name != NULL)
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("there is no hub '%.200s'"), name);
    if (hubs->len == 0 && *problem == '\0')
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("there is no hub"));
    if (cli->given[OPTION_JSON])
        check_print_json(problem, hubs, code == EXIT_CODE_OK);
    else
        check_print(problem, hubs);
    return code;
}

ExitCode
verb_status(Cli *cli, GError **error)
{
    g_auto(Status) status = {0};
    g_autoptr(Bus) bus = verb_open_bus_to_look(cli, error);

    if (bus == NULL || !status_read(bus, &status, error))
        return verb_code(error);
    if (cli->given[OPTION_CHECK])
        return status_check(cli, &status, error);
    if (cli->given[OPTION_HUB])
        return cli_fail(error, EXIT_CODE_USAGE, _("--hub goes with --check"));
    if (cli->given[OPTION_JSON])
        status_print_json(&status);
    else
        status_print(cli, &status);
    return EXIT_CODE_OK;
}
