/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/glance.h"

#include "client/doctor/check.h"

#include <string.h>
#include <unistd.h>

#define GLANCE_OPEN_LIMIT (10 * G_TIME_SPAN_SECOND)                     /* the device's answer */
#define GLANCE_CALL_LIMIT (GLANCE_OPEN_LIMIT + 15 * G_TIME_SPAN_SECOND) /* with the way there */

/* The steps that Hub.Diagnose has: first those to the hub, then those that a stream shows. */
static const char *const way[] = {"dns", "proxy", "tcp", "tls", "clock", NULL};
static const char *const device_rest[] = {"identity", "subscription", "policy", "target", NULL};
static const char *const stream_steps[] = {"device", "policy", "target", "stream", NULL};

/* To which step the failure of an opening belongs. */
static const struct {
    ExitCode code;
    const char *error, *cause, *step;
} failures[] = {
    {EXIT_CODE_NOT_FOUND, "NotFound", "not-found", "device"},
    {EXIT_CODE_OFFLINE, "Offline", "offline", "device"},
    {EXIT_CODE_UNAUTHORIZED, "Unauthorized", "unauthorized", "device"},
    {EXIT_CODE_TIMED_OUT, "TimedOut", "timed-out", "device"},
    {EXIT_CODE_REJECTED, "Rejected", "policy", "policy"},
    {EXIT_CODE_LIMIT, "LimitReached", "limit", "stream"},
};

static void
glance_skip_all(GPtrArray *checks, const char *const *steps, const char *why)
{
    for (; *steps != NULL; steps++)
        doctor_checks_skip(checks, *steps, why);
}

/* Whether the hub is connected, and why not, is read by everybody. */
static void
glance_add_state(GPtrArray *checks, GVariant *hub)
{
    const char *state = bus_string(hub, "State"), *message = bus_string(hub, "LastError");

    if (strcmp(state, "connected") == 0)
        doctor_checks_add(checks, "credentials", "ok",
                          g_variant_new_parsed("{'state': <%s>}", state));
    else if (strcmp(state, "refused") == 0)
        doctor_checks_fail(checks, "credentials", "Unauthorized", "identity", message);
    else if (*message != '\0')
        doctor_checks_fail(checks, "credentials", "Unreachable", "away", message);
    else
        doctor_checks_skip(checks, "credentials", "not-allowed");
}

/* One opening shows all four: those before the one that fails are good. */
static void
glance_judge(GPtrArray *checks, const GError *failure)
{
    const char *error = "Failed", *cause = "", *where = "stream";
    gboolean failed = FALSE;

    for (guint i = 0; failure != NULL && i < G_N_ELEMENTS(failures); i++)
        if ((int)failures[i].code == failure->code) {
            error = failures[i].error;
            cause = failures[i].cause;
            where = failures[i].step;
        }
    for (const char *const *step = stream_steps; *step != NULL; step++) {
        const gboolean here = failure != NULL && strcmp(*step, where) == 0;

        if (here)
            doctor_checks_fail(checks, *step, error, cause, failure->message);
        else if (failed)
            doctor_checks_skip(checks, *step, "earlier");
        else
            doctor_checks_add(checks, *step, "ok", NULL);
        failed = failed || here;
    }
}

/* Opens the stream with the user's own right, and closes it. */
static void
glance_open(GPtrArray *checks, Bus *bus, GVariant *hub, const char *device, const char *stream)
{
    g_autoptr(GError) error = NULL;
    GVariant *args =
        g_variant_new_parsed("(%s, %s, %s, {'timeout': <%t>})", bus_string(hub, "Name"), device,
                             stream, (guint64)GLANCE_OPEN_LIMIT);
    g_autoptr(GVariant) reply =
        bus_call(bus, BUS_ROOT, BUS_MANAGER, "OpenStream", args, GLANCE_CALL_LIMIT, &error);
    int fd;

    if (reply != NULL) {
        g_variant_get(reply, "(ho)", &fd, NULL);
        (void)close(fd);
    }
    if (error != NULL && error->code == EXIT_CODE_DENIED)
        glance_skip_all(checks, stream_steps, "not-allowed");
    else
        glance_judge(checks, error);
}

GPtrArray *
doctor_glance(Bus *bus, GVariant *hub, const char *device, const char *stream)
{
    GPtrArray *checks = doctor_checks_new();

    bus_stop_asking(bus);
    glance_skip_all(checks, way, "not-allowed");
    glance_add_state(checks, hub);
    if (strcmp(bus_string(hub, "Role"), "device") == 0)
        glance_skip_all(checks, device_rest, "not-allowed");
    else if (device != NULL && stream != NULL)
        glance_open(checks, bus, hub, device, stream);
    else
        glance_skip_all(checks, stream_steps, device == NULL ? "no-device" : "not-allowed");
    return checks;
}
