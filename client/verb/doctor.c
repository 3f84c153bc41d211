/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/failure.h"
#include "client/doctor/glance.h"
#include "client/doctor/resume.h"
#include "client/doctor/words.h"
#include "client/show/hint.h"
#include "common/cli/output.h"
#include "client/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Longer than all steps of streamd together can take. */
#define DOCTOR_LIMIT (120 * G_TIME_SPAN_SECOND)

typedef struct {
    Cli *cli;
    GVariantBuilder json; /* aa{sv}: one per hub */
    gboolean printed;     /* there is output above */
    ExitCode code;        /* of the first step that failed */
    char *denial;         /* why there is only a glance at the hubs; NULL: it is allowed */
} Doctor;

static ExitCode
doctor_code(const DoctorCheck *check)
{
    g_autofree char *name =
        g_strconcat(BUS_ERROR_PREFIX, bus_string(check->details, "error"), NULL);
    ExitCode code = failure_code(name);

    return code != EXIT_CODE_OK ? code : EXIT_CODE_OTHER;
}

static void
doctor_add_row(Table *table, const DoctorCheck *check)
{
    g_autofree char *time = doctor_time(check->details);
    g_autofree char *finding = doctor_finding(check);
    const gboolean failed = strcmp(check->result, "failed") == 0;
    const gboolean skipped = strcmp(check->result, "skipped") == 0;

    table_add(table, doctor_step(check->step));
    table_add(table, doctor_result(check->result));
    table_paint(table, strcmp(check->result, "ok") == 0 ? TABLE_GOOD
                       : failed                         ? TABLE_BAD
                                                        : TABLE_OVER);
    table_add(table, skipped ? "" : time);
    table_add(table, finding);
}

/* Prints the whole message, which a narrow terminal cuts in the table, and what helps. */
static void
doctor_print_failure(const DoctorCheck *check)
{
    g_autofree char *message = table_escape(bus_string(check->details, "message"));
    const char *cure = doctor_cure(bus_string(check->details, "cause"));
    const char *target = bus_string(check->details, "target");
    g_autofree char *shown = table_escape(target);

    (void)printf(_("The step that fails: %s. %s\n"), doctor_step(check->step), message);
    if (*shown != '\0')
        (void)printf(_("  The target: %s\n"), shown);
    if (cure != NULL)
        (void)printf(_("  What helps: %s\n"), cure);
}

static void
doctor_print_limit(const DoctorCheck *check)
{
    g_autofree char *message = table_escape(bus_string(check->details, "message"));
    const char *cure = doctor_cure(bus_string(check->details, "cause"));

    (void)printf("%s: %s.\n", doctor_step(check->step), message);
    if (cure != NULL)
        (void)printf(_("  What helps: %s\n"), cure);
}

static void
doctor_print_limits(GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++) {
        const DoctorCheck *check = g_ptr_array_index(checks, i);

        if (strcmp(check->result, "limited") == 0)
            doctor_print_limit(check);
    }
}

static void
doctor_take_failure(Doctor *doctor, const DoctorCheck *check, DoctorCheck *first)
{
    if (strcmp(check->result, "failed") != 0 || first->step != NULL)
        return;
    *first = *check;
    if (doctor->code == EXIT_CODE_OK)
        doctor->code = doctor_code(check);
}

static void
doctor_print(Doctor *doctor, const char *title, GPtrArray *checks)
{
    g_autoptr(Table) table = table_new(_("STEP"), _("RESULT"), _("TIME"), _("FOUND"), NULL);
    DoctorCheck first = {0};

    table_align_right(table, 2);
    for (guint i = 0; i < checks->len; i++) {
        const DoctorCheck *check = g_ptr_array_index(checks, i);

        doctor_add_row(table, check);
        doctor_take_failure(doctor, check, &first);
    }
    if (doctor->cli->given[OPTION_JSON])
        return;
    (void)printf("%s%s\n", doctor->printed ? "\n" : "", title);
    doctor->printed = TRUE;
    output_table(doctor->cli, table, "");
    if (first.step != NULL)
        doctor_print_failure(&first);
    doctor_print_limits(checks);
    (void)fflush(stdout);
}

/* A check for programs: its details, with step, result and cure among them. */
static GVariant *
doctor_check_variant(const DoctorCheck *check)
{
    const char *cure = doctor_cure(bus_string(check->details, "cause"));
    GVariantDict dict;

    g_variant_dict_init(&dict, check->details);
    g_variant_dict_insert(&dict, "step", "s", check->step);
    g_variant_dict_insert(&dict, "result", "s", check->result);
    if (cure != NULL)
        g_variant_dict_insert(&dict, "cure", "s", cure);
    return g_variant_dict_end(&dict);
}

static void
doctor_add_json(Doctor *doctor, GVariant *hub, GPtrArray *checks)
{
    GVariantBuilder list;
    GVariantDict dict;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < checks->len; i++)
        g_variant_builder_add_value(&list, doctor_check_variant(g_ptr_array_index(checks, i)));
    g_variant_dict_init(&dict, NULL);
    if (hub != NULL) {
        g_variant_dict_insert(&dict, "Hub", "s", bus_string(hub, "Name"));
        g_variant_dict_insert(&dict, "Role", "s", bus_string(hub, "Role"));
        g_variant_dict_insert(&dict, "Identity", "s", bus_string(hub, "Identity"));
    }
    g_variant_dict_insert_value(&dict, "Checks", g_variant_builder_end(&list));
    g_variant_builder_add_value(&doctor->json, g_variant_dict_end(&dict));
}

static void
doctor_show(Doctor *doctor, const char *title, GVariant *hub, GPtrArray *checks)
{
    doctor_print(doctor, title, checks);
    doctor_add_json(doctor, hub, checks);
}

/* Why it is not the program that is installed; NULL: it is. An older streamd does not tell whether
 * its file was replaced. Caller frees. */
static char *
doctor_old_program(GVariant *manager)
{
    const char *version = bus_string(manager, "Version");

    if (strcmp(version, STREAMD_VERSION) != 0)
        return g_strdup_printf(_("streamd has version %s, this is version %s"), version,
                               STREAMD_VERSION);
    if (bus_boolean(manager, "ProgramReplaced"))
        return g_strdup(_("the program was replaced since streamd was started"));
    return NULL;
}

static void
doctor_append_program(GPtrArray *checks, GVariant *manager)
{
    g_autofree char *old = doctor_old_program(manager);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "version", "s", bus_string(manager, "Version"));
    if (old != NULL) {
        g_variant_dict_insert(&dict, "cause", "s", "version");
        g_variant_dict_insert(&dict, "message", "s", old);
    }
    doctor_checks_add(checks, "streamd", old == NULL ? "ok" : "failed", g_variant_dict_end(&dict));
}

/* A limit of this machine is not a fault, but it is shown with what helps. An older streamd does
 * not have this property; then there is no check. */
static void
doctor_append_tunnels(GPtrArray *checks, GVariant *manager)
{
    gboolean known = FALSE;
    GVariantDict dict;

    if (!g_variant_lookup(manager, "KnowsClosedClients", "b", &known))
        return;
    g_variant_dict_init(&dict, NULL);
    if (!known) {
        g_variant_dict_insert(&dict, "cause", "s", "closed-clients");
        g_variant_dict_insert(&dict, "message", "s",
                              _("on TCP, clients that write and close at once are refused: this "
                                "kernel does not tell whose they were"));
    }
    doctor_checks_add(checks, "tunnels", known ? "ok" : "limited", g_variant_dict_end(&dict));
}

/* Checks this machine: the bus, a streamd of our version on it, and what the kernel can tell. */
static Bus *
doctor_open(Doctor *doctor, GError **error)
{
    g_autoptr(GPtrArray) checks = doctor_checks_new();
    g_autoptr(Bus) bus = verb_open_bus(doctor->cli, error);
    g_autoptr(GVariant) manager = NULL;

    if (bus == NULL)
        return NULL;
    manager = bus_properties(bus, BUS_ROOT, BUS_MANAGER, error);
    if (manager == NULL)
        return NULL;
    doctor_checks_add(checks, "bus", "ok", NULL);
    doctor_append_program(checks, manager);
    doctor_append_tunnels(checks, manager);
    doctor_show(doctor, _("This machine"), NULL, checks);
    return g_steal_pointer(&bus);
}

/* A diagnosis that cannot begin has failed, too. It is shown in the same form, with the hint for
 * its code. */
static ExitCode
doctor_no_streamd(Doctor *doctor, GError **error)
{
    ExitCode code = verb_code(error);

    if (doctor->cli->given[OPTION_JSON]) {
        g_autoptr(GPtrArray) checks = doctor_checks_new();
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "message", "s", *error != NULL ? (*error)->message : "");
        doctor_checks_add(checks, "streamd", "failed", g_variant_dict_end(&dict));
        doctor_add_json(doctor, NULL, checks);
    }
    return code;
}

static GVariant *
doctor_options(const Cli *cli)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    if (cli->count > 0)
        verb_add_string(&builder, "device", cli->words[0]);
    if (cli->count == 2)
        verb_add_string(&builder, "stream", cli->words[1]);
    verb_add_string(&builder, "stream", cli->values[OPTION_STREAM]);
    verb_add_string(&builder, "initiator", cli->values[OPTION_INITIATOR]);
    return g_variant_builder_end(&builder);
}

static char *
doctor_title(GVariant *hub)
{
    gboolean device = strcmp(bus_string(hub, "Role"), "device") == 0;
    g_autofree char *text = g_strdup_printf(
        device ? _("Hub %s, as device %s at %s") : _("Hub %s, as the user %s at %s"),
        bus_string(hub, "Name"), bus_string(hub, "Identity"), bus_string(hub, "HostName"));

    return table_escape(text);
}

static void
doctor_glance_at(Doctor *doctor, Bus *bus, GVariant *hub)
{
    const Cli *cli = doctor->cli;
    const char *device = cli->count > 0 ? cli->words[0] : NULL;
    const char *stream = cli->count == 2 ? cli->words[1] : cli->values[OPTION_STREAM];
    g_autoptr(GPtrArray) checks = doctor_glance(bus, hub, device, stream);
    g_autofree char *title = doctor_title(hub);

    doctor_append_resume(checks, hub);
    doctor_show(doctor, title, hub, checks);
}

/* Once, below all hubs. */
static void
doctor_print_denial(const Doctor *doctor)
{
    g_autofree char *hint = show_denial_hint(verb_is_for_system(doctor->cli), doctor->denial);
    g_autofree char *shown = table_escape(doctor->denial);

    if (doctor->cli->given[OPTION_JSON])
        return;
    (void)printf(_("\nNot all of it was looked at: %s\n"), shown);
    if (hint != NULL)
        (void)printf(_("  What helps: %s\n"), hint);
}

/* Who may not have a hub examined gets a glance at it. */
static gboolean
doctor_take_denial(Doctor *doctor, Bus *bus, GVariant *hub, GError **error)
{
    if (verb_code(error) != EXIT_CODE_DENIED)
        return FALSE;
    if (doctor->denial == NULL)
        doctor->denial = g_strdup((*error)->message);
    g_clear_error(error);
    doctor_glance_at(doctor, bus, hub);
    return TRUE;
}

static gboolean
doctor_examine(Doctor *doctor, Bus *bus, const BusObject *hub, GError **error)
{
    g_autoptr(GPtrArray) checks = doctor_checks_new();
    g_autofree char *title = doctor_title(hub->properties);
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GVariant) reply =
        bus_call(bus, hub->path, BUS_HUB, "Diagnose",
                 g_variant_new("(@a{sv})", doctor_options(doctor->cli)), DOCTOR_LIMIT, error);

    if (reply == NULL)
        return doctor_take_denial(doctor, bus, hub->properties, error);
    list = g_variant_get_child_value(reply, 0);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        const char *step, *result;
        GVariant *details;

        g_variant_get_child(list, i, "(&s&s@a{sv})", &step, &result, &details);
        doctor_checks_add(checks, step, result, details);
        g_variant_unref(details);
    }
    doctor_append_resume(checks, hub->properties);
    doctor_show(doctor, title, hub->properties, checks);
    return TRUE;
}

/* --hub, or the hubs with the role that fits the question; without a question all hubs. */
static gboolean
doctor_wants(const Cli *cli, GVariant *hub)
{
    const gboolean device = strcmp(bus_string(hub, "Role"), "device") == 0;

    if (cli->given[OPTION_HUB])
        return strcmp(bus_string(hub, "Name"), cli->values[OPTION_HUB]) == 0;
    if (cli->count > 0)
        return !device;
    return device || (!cli->given[OPTION_STREAM] && !cli->given[OPTION_INITIATOR]);
}

static ExitCode
doctor_examine_all(Doctor *doctor, Bus *bus, GError **error)
{
    g_autoptr(GPtrArray) hubs = bus_objects(bus, BUS_HUB, error);
    const Cli *cli = doctor->cli;
    guint count = 0;

    for (guint i = 0; hubs != NULL && i < hubs->len; i++)
        count += doctor_wants(cli, ((BusObject *)g_ptr_array_index(hubs, i))->properties) ? 1 : 0;
    if (hubs == NULL)
        return verb_code(error);
    if (count == 0 && cli->given[OPTION_HUB])
        return cli_fail(error, EXIT_CODE_NOT_FOUND, _("there is no hub '%s'"),
                        cli->values[OPTION_HUB]);
    if (count == 0)
        return cli_fail(error, EXIT_CODE_NOT_FOUND,
                        _("there is no hub that fits; add one with: streamctl hub add NAME"));
    if (count > 1 && cli->count > 0)
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("there are several hubs in the service role, say which with --hub"));
    for (guint i = 0; i < hubs->len; i++) {
        const BusObject *hub = g_ptr_array_index(hubs, i);

        if (doctor_wants(cli, hub->properties) && !doctor_examine(doctor, bus, hub, error))
            return verb_code(error);
    }
    if (doctor->denial == NULL)
        return doctor->code;
    doctor_print_denial(doctor);
    return doctor->code != EXIT_CODE_OK ? doctor->code : EXIT_CODE_DENIED;
}

ExitCode
verb_doctor(Cli *cli, GError **error)
{
    Doctor doctor = {.cli = cli};
    g_autoptr(Bus) bus = NULL;
    ExitCode code;

    if (cli->count == 2 && cli->given[OPTION_STREAM])
        return cli_fail(error, EXIT_CODE_USAGE,
                        _("the stream is given twice: as a word, and with --stream"));
    g_variant_builder_init(&doctor.json, G_VARIANT_TYPE("aa{sv}"));
    bus = doctor_open(&doctor, error);
    code =
        bus != NULL ? doctor_examine_all(&doctor, bus, error) : doctor_no_streamd(&doctor, error);
    if (cli->given[OPTION_JSON])
        output_json(g_variant_builder_end(&doctor.json), FALSE);
    else
        g_variant_builder_clear(&doctor.json);
    g_free(doctor.denial);
    return code;
}
