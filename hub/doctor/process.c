/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The running hub, and what it has room for. */
#include "common/base/error.h"
#include "hub/doctor/steps.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 10
#define CONNECTION_BYTES ((guint64)16 * 1024) /* of one that is open: measured, rounded up */
#define ROOM_LEAST 1024                       /* descriptors with which a hub is of use */
#define SCARCE 90                             /* percent of what it may have */

static gint64
status_number(const Doctor *doctor, const char *member)
{
    JsonObject *status = json_node_get_object(doctor->status);

    return json_object_get_int_member_with_default(status, member, 0);
}

/* The hub's own words for its name: "hub.example.org" or with a port. */
static void
take_name(Doctor *doctor)
{
    JsonObject *status = json_node_get_object(doctor->status);
    const char *host = json_object_get_string_member_with_default(status, "hostName", "");
    const char *colon = strrchr(host, ':');

    g_free(doctor->name);
    doctor->name = colon ? g_strndup(host, (gsize)(colon - host)) : g_strdup(host);
    doctor->port = colon ? (guint16)g_ascii_strtoull(colon + 1, NULL, 10) : 443;
}

void
doctor_ask(Doctor *doctor)
{
    gint64 begin = g_get_monotonic_time();

    admin_client_set_patience(doctor->client, PATIENCE_S);
    doctor->status = admin_client_call(doctor->client, "GET", "/v1/status", NULL, &doctor->unheard);
    doctor->asked = g_get_monotonic_time() - begin;
    if (doctor->status)
        take_name(doctor);
}

static const char *
unheard_cause(const Doctor *doctor)
{
    if (g_error_matches(doctor->unheard, STREAMD_ERROR, STREAMD_ERROR_DENIED))
        return "not-allowed";
    return doctor->asked >= PATIENCE_S * G_TIME_SPAN_SECOND ? "no-answer" : "not-running";
}

void
doctor_hub(Doctor *doctor, DoctorCheck *check)
{
    JsonObject *status;
    const char *version;

    check->time = doctor->asked;
    if (!doctor->status) {
        doctor_fail(check, unheard_cause(doctor), g_strdup(doctor->unheard->message));
        return;
    }
    status = json_node_get_object(doctor->status);
    version = json_object_get_string_member_with_default(status, "version", "?");
    doctor_good(check, g_strdup_printf(_("version %s, %lld connections, %lld streams"), version,
                                       (long long)status_number(doctor, "connections"),
                                       (long long)status_number(doctor, "streams")));
}

static gboolean
memory_is_little(const Settings *settings)
{
    guint64 memory = (guint64)sysconf(_SC_PHYS_PAGES) * (guint64)sysconf(_SC_PAGESIZE);

    return settings->connections_max * CONNECTION_BYTES > memory / 4 * 3;
}

void
doctor_limits(Doctor *doctor, DoctorCheck *check)
{
    guint most = doctor->settings ? doctor->settings->connections_max : 0;
    gint64 room = doctor->status ? status_number(doctor, "descriptorsMax") : 0;

    if (!doctor->settings)
        doctor_skip(check, _("the settings are not known"));
    else if (room > 0 && room < MIN(most, ROOM_LEAST))
        doctor_fail(check, "too-few-descriptors",
                    g_strdup_printf(_("connections-max is %u, and the hub has descriptors for "
                                      "%lld"),
                                    most, (long long)room));
    else if (room > 0 && room < most)
        doctor_limit(check, "too-few-descriptors",
                     g_strdup_printf(_("connections-max is %u, and the hub has descriptors for "
                                       "%lld"),
                                     most, (long long)room));
    else if (memory_is_little(doctor->settings))
        doctor_limit(check, "little-memory",
                     g_strdup_printf(_("connections-max is %u, and the memory is not for that "
                                       "many"),
                                     most));
    else
        doctor_good(check, g_strdup_printf(_("for %u connections"), most));
}

void
doctor_descriptors(Doctor *doctor, DoctorCheck *check)
{
    gint64 used, room;

    if (!doctor->status) {
        doctor_skip(check, _("an earlier step failed"));
        return;
    }
    used = status_number(doctor, "descriptors");
    room = status_number(doctor, "descriptorsMax");
    if (room > 0 && used * 100 >= room * SCARCE)
        doctor_fail(
            check, "descriptors-scarce",
            g_strdup_printf(_("%lld of %lld are in use"), (long long)used, (long long)room));
    else
        doctor_good(
            check, g_strdup_printf(_("%lld of %lld are in use"), (long long)used, (long long)room));
}
