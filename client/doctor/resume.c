/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/resume.h"

#include "client/bus/bus.h"

#include <glib/gi18n.h>
#include <string.h>

/* "yes" or "no" of the stream that was opened; "": none was. */
static const char *
stream_survives(GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++) {
        const DoctorCheck *check = g_ptr_array_index(checks, i);

        if (strcmp(check->step, "stream") == 0)
            return bus_string(check->details, "survives");
    }
    return "";
}

static gboolean
has_failed(GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++)
        if (strcmp(((const DoctorCheck *)g_ptr_array_index(checks, i))->result, "failed") == 0)
            return TRUE;
    return FALSE;
}

void
doctor_append_resume(GPtrArray *checks, GVariant *hub)
{
    guint64 time = 0;

    if (!g_variant_lookup(hub, "ResumeTime", "t", &time))
        return;
    if (has_failed(checks)) {
        doctor_checks_skip(checks, "resume", "earlier");
    } else if (time == 0) {
        doctor_checks_skip(checks, "resume", "resume-off");
    } else if (strcmp(stream_survives(checks), "no") == 0) {
        doctor_checks_add(
            checks, "resume", "limited",
            g_variant_new_parsed("{'message': <%s>, 'cause': <'resume'>}",
                                 _("the hub or the device ends a stream with its connection")));
    } else {
        doctor_checks_add(checks, "resume", "ok",
                          g_variant_new_parsed("{'resume-time': <%t>}", time));
    }
}
