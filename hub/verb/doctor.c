/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub doctor: what hub/doctor finds, in the form of streamctl doctor. */
#include "common/cli/output.h"
#include "hub/doctor/words.h"
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* Of the installed hub. */

static char *
time_text(gint64 time)
{
    if (time < G_USEC_PER_SEC)
        return g_strdup_printf(_("%u ms"), (guint)((time + 999) / 1000));
    return g_strdup_printf(_("%.1f s"), (double)time / G_USEC_PER_SEC);
}

static void
add_row(Table *table, const DoctorCheck *check)
{
    static const TablePaint paints[] = {[DOCTOR_OK] = TABLE_GOOD,
                                        [DOCTOR_FAILED] = TABLE_BAD,
                                        [DOCTOR_LIMITED] = TABLE_OVER,
                                        [DOCTOR_SKIPPED] = TABLE_OVER};
    g_autofree char *time = check->result == DOCTOR_SKIPPED ? g_strdup("") : time_text(check->time);

    table_add(table, doctor_step_name(check->step));
    table_add(table, doctor_result_name(check->result));
    table_paint(table, paints[check->result]);
    table_add(table, time);
    table_add(table, check->found ? check->found : "");
}

static void
print_cure(const DoctorCheck *check)
{
    const char *cure = doctor_cure(check->cause);

    if (cure)
        (void)printf(_("  What helps: %s\n"), cure);
}

static void
print_problems(const Doctor *doctor, const DoctorCheck *failed)
{
    if (failed) {
        g_autofree char *found = table_escape(failed->found);

        (void)printf(_("The step that fails: %s. %s\n"), doctor_step_name(failed->step), found);
        print_cure(failed);
    }
    for (guint i = 0; i < doctor->checks->len; i++) {
        const DoctorCheck *check = doctor->checks->pdata[i];
        g_autofree char *found = check->found ? table_escape(check->found) : NULL;

        if (check->result != DOCTOR_LIMITED)
            continue;
        (void)printf("%s: %s.\n", doctor_step_name(check->step), found);
        print_cure(check);
    }
}

static void
print_table(const Cli *cli, const Doctor *doctor, const DoctorCheck *failed)
{
    g_autoptr(Table) table = table_new(_("STEP"), _("RESULT"), _("TIME"), _("FOUND"), NULL);

    table_align_right(table, 2);
    for (guint i = 0; i < doctor->checks->len; i++)
        add_row(table, doctor->checks->pdata[i]);
    output_table(cli, table, "");
    print_problems(doctor, failed);
}

static void
build_text(JsonBuilder *builder, const char *name, const char *value)
{
    if (!value)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void
build_check(JsonBuilder *builder, const DoctorCheck *check)
{
    gboolean told = check->result == DOCTOR_FAILED || check->result == DOCTOR_LIMITED;

    json_builder_begin_object(builder);
    build_text(builder, "step", check->step);
    build_text(builder, "result", doctor_result_code(check->result));
    build_text(builder,
               told                              ? "message"
               : check->result == DOCTOR_SKIPPED ? "why"
                                                 : "found",
               check->found);
    build_text(builder, "cause", check->cause);
    build_text(builder, "cure", doctor_cure(check->cause));
    json_builder_set_member_name(builder, "time");
    json_builder_add_int_value(builder, check->time);
    json_builder_end_object(builder);
}

static void
print_json(const Doctor *doctor)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    build_text(builder, "hub", doctor->name);
    json_builder_set_member_name(builder, "checks");
    json_builder_begin_array(builder);
    for (guint i = 0; i < doctor->checks->len; i++)
        build_check(builder, doctor->checks->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    output_json_node(root, FALSE);
}

static const DoctorCheck *
first_failed(const Doctor *doctor)
{
    for (guint i = 0; i < doctor->checks->len; i++) {
        const DoctorCheck *check = doctor->checks->pdata[i];

        if (check->result == DOCTOR_FAILED)
            return check;
    }
    return NULL;
}

/* By the step that fails first. */
static ExitCode
code_of(const DoctorCheck *failed)
{
    static const struct {
        const char *step;
        ExitCode code;
    } codes[] = {{"hub", EXIT_CODE_NOT_RUNNING},   {"certificate", EXIT_CODE_UNTRUSTED},
                 {"dns", EXIT_CODE_UNREACHABLE},   {"https", EXIT_CODE_UNREACHABLE},
                 {"mqtts", EXIT_CODE_UNREACHABLE}, {"outside", EXIT_CODE_UNREACHABLE},
                 {"descriptors", EXIT_CODE_LIMIT}, {"limits", EXIT_CODE_LIMIT}};

    if (!failed)
        return EXIT_CODE_OK;
    if (g_strcmp0(failed->cause, "not-allowed") == 0)
        return EXIT_CODE_DENIED;
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (strcmp(codes[i].step, failed->step) == 0)
            return codes[i].code;
    return EXIT_CODE_OTHER;
}

ExitCode
verb_doctor(Cli *cli, GError **error)
{
    g_auto(Doctor) doctor = {
        .state_dir = verb_state_dir(cli), .config = verb_config(cli), .client = verb_connect(cli)};
    const DoctorCheck *failed;

    doctor_run(&doctor);
    failed = first_failed(&doctor);
    if (cli->given[OPTION_JSON])
        print_json(&doctor);
    else
        print_table(cli, &doctor, failed);
    return output_flush(error) ? code_of(failed) : verb_end(FALSE, error);
}
