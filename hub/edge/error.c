/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/error.h"

typedef struct {
    RestError error;
    const char *name;
    const char *text;
} ErrorRow;

static const ErrorRow rows[] = {
    {REST_SERVER_ERROR, "ServerError", "The hub failed."},
    {REST_ARGUMENT_INVALID, "ArgumentInvalid", "The request is malformed."},
    {REST_UNAUTHORIZED_ACCESS, "IotHubUnauthorizedAccess", "Unauthorized."},
    {REST_UNAUTHORIZED, "IotHubUnauthorized", "Unauthorized."},
    {REST_FORBIDDEN, "GenericForbidden", "The user lacks the permission for this."},
    {REST_QUOTA_EXCEEDED, "IotHubQuotaExceeded", "A quota of this hub is used up."},
    {REST_DEVICE_NOT_FOUND, "DeviceNotFound", "The hub knows no such device."},
    {REST_MODULE_NOT_FOUND, "ModuleNotFound", "The device has no such module."},
    {REST_DEVICE_NOT_ONLINE, "DeviceNotOnline", "The device is not connected."},
    {REST_DEVICE_CLOSED, "DeviceConnectionClosedRemotely", "The device closed its connection."},
    {REST_TOO_LARGE, "MessageTooLarge", "The request is too large."},
    {REST_THROTTLED, "ThrottlingException", "Too many streams or requests at once."},
    {REST_UNAVAILABLE, "ServiceUnavailable", "The hub is stopping or too busy."},
    {REST_TIMED_OUT, "GatewayTimeout", "The device did not answer in time."},
};

static const ErrorRow *
error_row(RestError error)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].error == error)
            return &rows[i];
    return &rows[0];
}

guint
rest_error_status(RestError error)
{
    return (guint)error_row(error)->error / 1000;
}

const char *
rest_error_name(RestError error)
{
    return error_row(error)->name;
}

const char *
rest_error_text(RestError error)
{
    return error_row(error)->text;
}

/* Appends TEXT, escaped for a JSON string. */
static void
append_escaped(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if ((guchar)*text < ' ')
            g_string_append_printf(out, "\\u%04x", (guint)(guchar)*text);
        else
            g_string_append_c(out, *text);
    }
}

char *
rest_error_body(RestError error, const char *text, const char *tracking, gint64 now)
{
    g_autoptr(GString) inner = g_string_new(NULL);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / G_TIME_SPAN_SECOND);
    g_autofree char *stamp = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
    GString *out = g_string_new("{\"Message\":\"");

    g_string_append_printf(inner, "{\"errorCode\":%d,\"trackingId\":\"",
                           (int)error_row(error)->error);
    append_escaped(inner, tracking);
    g_string_append(inner, "\",\"message\":\"");
    append_escaped(inner, text ? text : rest_error_text(error));
    g_string_append_printf(inner, "\",\"timestampUtc\":\"%s\"}", stamp);
    append_escaped(out, inner->str);
    g_string_append(out, "\",\"ExceptionMessage\":\"\"}");
    return g_string_free(out, FALSE);
}
