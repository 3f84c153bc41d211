/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"

G_DEFINE_QUARK(streamd-error-quark, streamd_error)

static const char *const names[] = {
    [STREAMD_ERROR_FAILED] = "Failed",
    [STREAMD_ERROR_INVALID] = "Invalid",
    [STREAMD_ERROR_NOT_FOUND] = "NotFound",
    [STREAMD_ERROR_EXISTS] = "Exists",
    [STREAMD_ERROR_DENIED] = "Denied",
    [STREAMD_ERROR_LIMIT] = "LimitReached",
    [STREAMD_ERROR_BUSY] = "Busy",
    [STREAMD_ERROR_OFFLINE] = "DeviceOffline",
    [STREAMD_ERROR_UNAUTHORIZED] = "Unauthorized",
    [STREAMD_ERROR_REJECTED] = "Rejected",
    [STREAMD_ERROR_TIMED_OUT] = "TimedOut",
    [STREAMD_ERROR_UNREACHABLE] = "HubUnreachable",
    [STREAMD_ERROR_UNTRUSTED] = "HubUntrusted",
    [STREAMD_ERROR_PROTOCOL] = "Protocol",
    [STREAMD_ERROR_PROXY_REFUSED] = "ProxyRefused",
    [STREAMD_ERROR_CANCELLED] = "Cancelled",
};

const char *
streamd_error_name(StreamdError code)
{
    return (guint)code < G_N_ELEMENTS(names) ? names[code] : names[STREAMD_ERROR_FAILED];
}

StreamdError
streamd_error_from_name(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(names[i], name) == 0)
            return (StreamdError)i;
    return STREAMD_ERROR_FAILED;
}
