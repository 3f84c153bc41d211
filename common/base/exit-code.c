/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/exit-code.h"

#include "common/base/error.h"
#include "common/base/reason.h"

#include <glib/gi18n.h>

G_DEFINE_QUARK(streamd - exit - error - quark, exit_error)

static const ExitCodeRow rows[] = {
    {EXIT_CODE_OK, N_("ok")},
    {EXIT_CODE_OTHER, N_("failed")},
    {EXIT_CODE_USAGE, N_("usage")},
    {EXIT_CODE_NOT_RUNNING, N_("not running")},
    {EXIT_CODE_NOT_FOUND, N_("not found")},
    {EXIT_CODE_DENIED, N_("denied")},
    {EXIT_CODE_EXISTS, N_("exists")},
    {EXIT_CODE_LIMIT, N_("limit")},
    {EXIT_CODE_OFFLINE, N_("device offline")},
    {EXIT_CODE_UNAUTHORIZED, N_("hub refused the identity")},
    {EXIT_CODE_REJECTED, N_("device rejected")},
    {EXIT_CODE_TIMED_OUT, N_("timed out")},
    {EXIT_CODE_UNREACHABLE, N_("hub unreachable")},
    {EXIT_CODE_UNTRUSTED, N_("hub not trusted")},
    {EXIT_CODE_PROTOCOL, N_("protocol")},
    {EXIT_CODE_CUT, N_("stream cut")},
    {EXIT_CODE_PROXY, N_("proxy refused")},
    {EXIT_CODE_OK, NULL},
};

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

const ExitCodeRow *
exit_code_rows(void)
{
    return rows;
}

ExitCode
exit_code_of_number(int number)
{
    return number >= 0 && (gsize)number < G_N_ELEMENTS(codes) ? codes[number] : EXIT_CODE_OTHER;
}

ExitCode
exit_code_of_error(const GError *error)
{
    if (error->domain == EXIT_ERROR)
        return (ExitCode)error->code;
    if (error->domain == STREAMD_ERROR)
        return exit_code_of_number(error->code);
    if (error->domain == G_OPTION_ERROR)
        return EXIT_CODE_USAGE;
    return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_EXIST) ? EXIT_CODE_EXISTS
                                                                    : EXIT_CODE_OTHER;
}

ExitCode
exit_code_of_reason(const char *reason)
{
    return reason_is_orderly(reason_from_code(reason, -1)) ? EXIT_CODE_OK : EXIT_CODE_CUT;
}
