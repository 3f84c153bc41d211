/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/failure.h"

#include "common/base/error.h"
#include "common/base/reason.h"
#include "common/bus/names.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <string.h>

static const struct {
    const char *name; /* without org.freedesktop.DBus.Error. in front */
    ExitCode code;
} bus_codes[] = {
    {"ServiceUnknown", EXIT_CODE_NOT_RUNNING},
    {"NameHasNoOwner", EXIT_CODE_NOT_RUNNING},
    {"NoReply", EXIT_CODE_NOT_RUNNING}, /* it left before it answered; sd-bus also uses Timeout */
    {"Disconnected", EXIT_CODE_NOT_RUNNING},
    {"NoServer", EXIT_CODE_NOT_RUNNING},
    {"Timeout", EXIT_CODE_TIMED_OUT},
    {"TimedOut", EXIT_CODE_TIMED_OUT},
    {"AccessDenied", EXIT_CODE_DENIED},
    {"AuthFailed", EXIT_CODE_DENIED},
    {"InteractiveAuthorizationRequired", EXIT_CODE_DENIED},
    {"UnknownObject", EXIT_CODE_NOT_FOUND},
    {"InvalidArgs", EXIT_CODE_USAGE},
    {"LimitsExceeded", EXIT_CODE_LIMIT},
};

#define BUS_ERRORS "org.freedesktop.DBus.Error."

ExitCode
failure_code(const char *name)
{
    if (name != NULL && g_str_has_prefix(name, BUS_ERROR_PREFIX))
        return exit_code_of_number((int)streamd_error_from_name(name + strlen(BUS_ERROR_PREFIX)));
    /* It is not enabled, or masked, or does not start: the bus passes on systemd's error. */
    if (name != NULL && (g_str_has_prefix(name, "org.freedesktop.systemd1.") ||
                         g_str_has_prefix(name, BUS_ERRORS "Spawn.")))
        return EXIT_CODE_NOT_RUNNING;
    if (name == NULL || !g_str_has_prefix(name, BUS_ERRORS))
        return EXIT_CODE_OTHER;
    for (guint i = 0; i < G_N_ELEMENTS(bus_codes); i++)
        if (strcmp(bus_codes[i].name, name + strlen(BUS_ERRORS)) == 0)
            return bus_codes[i].code;
    return EXIT_CODE_OTHER;
}

char *
failure_text(const char *name, const char *text)
{
    if (!g_str_has_prefix(name, BUS_ERROR_PREFIX))
        return g_strdup(text);
    return words_of_error(streamd_error_from_name(name + strlen(BUS_ERROR_PREFIX)), text);
}

const char *
failure_hint(gboolean system, ExitCode code, const char *message)
{
    switch (code) {
    case EXIT_CODE_NOT_RUNNING:
        if (system)
            return _("Is it running? 'systemctl status streamd' says why not, and 'systemctl "
                     "enable --now streamd' starts it.");
        return _("Is it running? 'systemctl --user enable --now streamd' starts yours; --system "
                 "means the machine's. Where nobody has logged in, as under cron, 'loginctl "
                 "enable-linger' keeps yours running.");
    case EXIT_CODE_OFFLINE:
        return _("Is streamd running there, and connected? --wait waits for it.");
    case EXIT_CODE_UNAUTHORIZED:
        return _("Check the connection string, and that the hub still knows its key and rights.");
    case EXIT_CODE_REJECTED:
        /* Its policy may have let the stream pass, and it need not be a streamd. */
        if (strstr(message, reason_text(REASON_REJECTED)))
            return _("The device said no: ask whoever runs it.");
        return _("On the device, 'streamctl accept-policy test STREAM' says what it accepts, and "
                 "'streamctl target list' what it offers.");
    case EXIT_CODE_UNREACHABLE:
        return _("Check the host name and the network; 'streamctl hub list' shows each hub.");
    case EXIT_CODE_UNTRUSTED:
        return _("For a hub with a certificate of its own authority, add it with --ca FILE.");
    case EXIT_CODE_PROXY:
        return _("Give the hub the proxy's credentials, or ask whoever runs the proxy to allow "
                 "connections to the hub's port.");
    case EXIT_CODE_OK:
    case EXIT_CODE_OTHER:
    case EXIT_CODE_USAGE:
    case EXIT_CODE_NOT_FOUND:
    case EXIT_CODE_DENIED:
    case EXIT_CODE_EXISTS:
    case EXIT_CODE_LIMIT:
    case EXIT_CODE_TIMED_OUT:
    case EXIT_CODE_PROTOCOL:
    case EXIT_CODE_CUT:
        break;
    }
    return NULL;
}
