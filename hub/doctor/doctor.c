/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/doctor/doctor.h"

#include "hub/doctor/steps.h"

static const struct {
    const char *step;
    void (*look)(Doctor *doctor, DoctorCheck *check);
} steps[] = {
    {"settings", doctor_settings},
    {"disk", doctor_disk},
    {"registry", doctor_registry},
    {"clock", doctor_clock},
    {"certificate", doctor_certificate},
    {"hub", doctor_hub},
    {"limits", doctor_limits},
    {"descriptors", doctor_descriptors},
    {"dns", doctor_name},
    {"https", doctor_https},
    {"mqtts", doctor_mqtts},
    {"outside", doctor_outside},
};

static void
check_free(gpointer data)
{
    DoctorCheck *check = data;

    g_free(check->found);
    g_free(check);
}

void
doctor_run(Doctor *doctor)
{
    doctor->checks = g_ptr_array_new_with_free_func(check_free);
    doctor_ask(doctor);
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        DoctorCheck *check = g_new0(DoctorCheck, 1);
        gint64 begin = g_get_monotonic_time();

        check->step = steps[i].step;
        steps[i].look(doctor, check);
        check->time += g_get_monotonic_time() - begin;
        g_ptr_array_add(doctor->checks, check);
    }
}

void
doctor_clear(Doctor *doctor)
{
    g_clear_pointer(&doctor->checks, g_ptr_array_unref);
    settings_free(doctor->settings);
    certificate_pair_free(doctor->pair);
    g_clear_pointer(&doctor->status, json_node_unref);
    g_clear_error(&doctor->unheard);
    g_free(doctor->name);
    admin_client_free(doctor->client);
}

static void
check_set(DoctorCheck *check, DoctorResult result, const char *cause, char *found)
{
    check->result = result;
    check->cause = cause;
    check->found = found;
}

void
doctor_good(DoctorCheck *check, char *found)
{
    check_set(check, DOCTOR_OK, NULL, found);
}

void
doctor_fail(DoctorCheck *check, const char *cause, char *found)
{
    check_set(check, DOCTOR_FAILED, cause, found);
}

void
doctor_limit(DoctorCheck *check, const char *cause, char *found)
{
    check_set(check, DOCTOR_LIMITED, cause, found);
}

void
doctor_skip(DoctorCheck *check, const char *why)
{
    check_set(check, DOCTOR_SKIPPED, NULL, g_strdup(why));
}
