/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/check.h"

static void
doctor_check_free(void *data)
{
    DoctorCheck *check = data;

    g_variant_unref(check->details);
    g_free(check);
}

GPtrArray *
doctor_checks_new(void)
{
    return g_ptr_array_new_with_free_func(doctor_check_free);
}

void
doctor_checks_add(GPtrArray *checks, const char *step, const char *result, GVariant *details)
{
    DoctorCheck *check = g_new0(DoctorCheck, 1);

    if (details == NULL)
        details = g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
    *check = (DoctorCheck){step, result, g_variant_ref_sink(details)};
    g_ptr_array_add(checks, check);
}

void
doctor_checks_skip(GPtrArray *checks, const char *step, const char *why)
{
    doctor_checks_add(checks, step, "skipped", g_variant_new_parsed("{'why': <%s>}", why));
}

void
doctor_checks_fail(GPtrArray *checks, const char *step, const char *error, const char *cause,
                   const char *message)
{
    doctor_checks_add(checks, step, "failed",
                      g_variant_new_parsed("{'error': <%s>, 'cause': <%s>, 'message': <%s>}", error,
                                           cause, message));
}
