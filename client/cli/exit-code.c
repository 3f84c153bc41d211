/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/exit-code.h"

#include "common/base/error.h"
#include "common/base/reason.h"
#include "common/bus/names.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_QUARK(streamctl - exit - error - quark, exit_error)

static const ExitCode codes[] = {
    [STREAMD_ERROR_FAILED] = EXIT_CODE_OTHER,
    [STREAMD_ERROR_INVALID] = EXIT_CODE_USAGE,
    [STREAMD_ERROR_NOT_FOUND] = EXIT_CODE_NOT_FOUND,
    [STREAMD_ERROR_EXISTS] = EXIT_CODE_EXISTS,
    [STREAMD_ERROR_DENIED] = EXIT_CODE_DENIED,
    [STREAMD_ERROR_LIMIT] = EXIT_CODE_LIMIT,
    [STREAMD_ERROR_BUSY] = EXIT_CODE_OTHER,
    [STREAMD_ERROR_OFFLINE] = EXIT_CODE_OFFLINE,
    [STREAMD_ERROR_UNAUTHORIZED] = EXIT_CODE_UNAUTHORIZED,
    [STREAMD_ERROR_REJECTED] = EXIT_CODE_REJECTED,
    [STREAMD_ERROR_TIMED_OUT] = EXIT_CODE_TIMED_OUT,
    [STREAMD_ERROR_UNREACHABLE] = EXIT_CODE_UNREACHABLE,
    [STREAMD_ERROR_UNTRUSTED] = EXIT_CODE_UNTRUSTED,
    [STREAMD_ERROR_PROTOCOL] = EXIT_CODE_PROTOCOL,
    [STREAMD_ERROR_PROXY_REFUSED] = EXIT_CODE_PROXY,
    [STREAMD_ERROR_CANCELLED] = EXIT_CODE_OTHER,
};

static const struct {
    const char *name; /* after org.freedesktop.DBus.Error. */
    ExitCode code;
} bus_codes[] = {
    {"ServiceUnknown", EXIT_CODE_NO_DAEMON},
    {"NameHasNoOwner", EXIT_CODE_NO_DAEMON},
    {"NoReply", EXIT_CODE_NO_DAEMON}, /* it left before it answered; sd-bus also says Timeout */
    {"Disconnected", EXIT_CODE_NO_DAEMON},
    {"NoServer", EXIT_CODE_NO_DAEMON},
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
exit_code_of_bus_error(const char *name)
{
    if (name != NULL && g_str_has_prefix(name, BUS_ERROR_PREFIX))
        return codes[streamd_error_from_name(name + strlen(BUS_ERROR_PREFIX))];
    /* It is not enabled, or masked, or does not start: the bus passes on what systemd says. */
    if (name != NULL && (g_str_has_prefix(name, "org.freedesktop.systemd1.") ||
                         g_str_has_prefix(name, BUS_ERRORS "Spawn.")))
        return EXIT_CODE_NO_DAEMON;
    if (name == NULL || !g_str_has_prefix(name, BUS_ERRORS))
        return EXIT_CODE_OTHER;
    for (guint i = 0; i < G_N_ELEMENTS(bus_codes); i++)
        if (strcmp(bus_codes[i].name, name + strlen(BUS_ERRORS)) == 0)
            return bus_codes[i].code;
    return EXIT_CODE_OTHER;
}

ExitCode
exit_code_of_reason(const char *reason)
{
    return reason_is_orderly(reason_from_code(reason, -1)) ? EXIT_CODE_OK : EXIT_CODE_CUT;
}

const char *
exit_code_hint(ExitCode code)
{
    switch (code) {
    case EXIT_CODE_NO_DAEMON:
        return _(
            "Is it running? Start yours with 'systemctl --user enable --now streamd' or 'streamd "
            "--user', and the machine's, which --system means, with 'systemctl enable --now "
            "streamd'.");
    case EXIT_CODE_OFFLINE:
        return _("Is streamd running there, and connected? --wait waits for it.");
    case EXIT_CODE_UNAUTHORIZED:
        return _("Check the connection string, and that the hub still knows its key and rights.");
    case EXIT_CODE_REJECTED:
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
