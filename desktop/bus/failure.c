/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/bus/failure.h"

#include <glib/gi18n.h>

#define PREFIX "io.streamd.Streamd1.Error."

static const GDBusErrorEntry entries[] = {
    {FAILURE_INVALID, PREFIX "Invalid"},
    {FAILURE_EXISTS, PREFIX "Exists"},
    {FAILURE_NOT_FOUND, PREFIX "NotFound"},
    {FAILURE_DENIED, PREFIX "Denied"},
    {FAILURE_LIMIT, PREFIX "LimitReached"},
    {FAILURE_OFFLINE, PREFIX "DeviceOffline"},
    {FAILURE_UNAUTHORIZED, PREFIX "Unauthorized"},
    {FAILURE_REJECTED, PREFIX "Rejected"},
    {FAILURE_TIMED_OUT, PREFIX "TimedOut"},
    {FAILURE_UNREACHABLE, PREFIX "HubUnreachable"},
    {FAILURE_UNTRUSTED, PREFIX "HubUntrusted"},
    {FAILURE_PROTOCOL, PREFIX "Protocol"},
    {FAILURE_UNASKED, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"},
};

GQuark
failure_quark(void)
{
    static gsize quark;

    g_dbus_error_register_error_domain("streamd-failure", &quark, entries, G_N_ELEMENTS(entries));
    return (GQuark)quark;
}

gboolean
failure_is_of_machine(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_AUTH_FAILED) ||
           g_error_matches(error, FAILURE, FAILURE_UNASKED);
}

/* What helps; NULL: the message says all there is. */
static const char *
failure_cure(const GError *error)
{
    static const struct {
        FailureCode code;
        const char *text;
    } rows[] = {
        {FAILURE_EXISTS, N_("Choose another name, or remove what has this one first.")},
        {FAILURE_OFFLINE, N_("Start streamd on the device, or let it check its hub there.")},
        {FAILURE_UNAUTHORIZED, N_("Ask whoever runs the hub for a new invitation.")},
        {FAILURE_REJECTED, N_("Ask whoever runs the device: its rules decide who may come in.")},
        {FAILURE_TIMED_OUT, N_("Try again; “Check” on the page Hubs says which step is slow.")},
        {FAILURE_UNREACHABLE, N_("Check the network; “Check” on the page Hubs says what fails.")},
        {FAILURE_UNTRUSTED, N_("Join by the hub's newest invitation, which has its certificate.")},
    };

    if (failure_is_of_machine(error))
        return _("On this machine, that is up to its administrator.");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_error_matches(error, FAILURE, (int)rows[i].code))
            return _(rows[i].text);
    }
    return NULL;
}

char *
failure_text(const GError *error)
{
    const char *cure = failure_cure(error);

    return cure == NULL ? g_strdup(error->message)
                        : g_strdup_printf("%s\n%s", error->message, cure);
}
