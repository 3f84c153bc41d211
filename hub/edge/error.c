/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/error.h"

#include <unistd.h>

typedef struct {
    RestError error;
    const char *name;
    const char *text;
} ErrorRow;

static const ErrorRow rows[] = {
    {REST_SERVER_ERROR, "ServerError", "The hub failed."},
    {REST_ARGUMENT_INVALID, "ArgumentInvalid", "The request is malformed."},
    {REST_BULK_FAILED, "BulkRegistryOperationFailure", "Some of the changes were not made."},
    {REST_UNAUTHORIZED_ACCESS, "IotHubUnauthorizedAccess", "Unauthorized."},
    {REST_UNAUTHORIZED, "IotHubUnauthorized", "Unauthorized."},
    {REST_FORBIDDEN, "GenericForbidden", "The user lacks the permission for this."},
    {REST_QUOTA_EXCEEDED, "IotHubQuotaExceeded", "A quota of this hub is used up."},
    {REST_INVITATION_NOT_FOR_IT, "InvitationNotForIt", "This invitation is not for that name."},
    {REST_INVITATION_USED_UP, "InvitationUsedUp", "This invitation is used up."},
    {REST_INVITATION_EXPIRED, "InvitationExpired", "This invitation has expired."},
    {REST_INVITATION_REVOKED, "InvitationRevoked", "This invitation is revoked."},
    {REST_DEVICE_NOT_FOUND, "DeviceNotFound", "The hub knows no such device."},
    {REST_MODULE_NOT_FOUND, "ModuleNotFound", "The device has no such module."},
    {REST_DEVICE_NOT_ONLINE, "DeviceNotOnline", "The device is not connected."},
    {REST_DEVICE_CLOSED, "DeviceConnectionClosedRemotely", "The device closed its connection."},
    {REST_NO_METHOD, "MethodNotAllowed", "This path has no such method; Allow has those it has."},
    {REST_DEVICE_EXISTS, "DeviceAlreadyExists", "The hub has a device of this name already."},
    {REST_MODULE_EXISTS, "ModuleAlreadyExistsOnDevice", "The device has such a module already."},
    {REST_CHANGED, "PreconditionFailed", "It has changed: its ETag is another one."},
    {REST_URI_TOO_LONG, "UriTooLong", "The request line is too long."},
    {REST_NO_EXPECTATION, "ExpectationFailed", "Expect may be 100-continue."},
    {REST_NO_UPGRADE, "UpgradeRequired", "A WebSocket of version 13 is wanted here."},
    {REST_HEAD_TOO_LARGE, "HeadersTooLarge", "The request has too many or too large fields."},
    {REST_NOT_IMPLEMENTED, "NotImplemented", "This hub has nothing of this kind."},
    {REST_HTTP_VERSION, "HttpVersionNotSupported", "The version of HTTP is 1.1 or 1.0."},
    {REST_STORAGE, "InsufficientStorage", "The disk of the hub takes no change."},
    {REST_TOO_LARGE, "MessageTooLarge", "The request is too large."},
    {REST_THROTTLED, "ThrottlingException", "Too many streams or requests at once."},
    {REST_UNAVAILABLE, "ServiceUnavailable", "The hub is stopping or too busy."},
    {REST_TIMED_OUT, "GatewayTimeout", "The device did not answer in time."},
};

G_STATIC_ASSERT(G_N_ELEMENTS(rows) == REST_ERRORS);

guint
rest_error_index(RestError error)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].error == error)
            return i;
    return 0;
}

RestError
rest_error_at(guint index)
{
    return rows[index].error;
}

static const ErrorRow *
error_row(RestError error)
{
    return &rows[rest_error_index(error)];
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

RestError
rest_error_of_status(guint status)
{
    const ErrorRow *found = NULL;

    if (status == 403)
        return REST_FORBIDDEN;
    for (guint i = 1; i < G_N_ELEMENTS(rows); i++)
        if (!found && (guint)rows[i].error / 1000 == status)
            found = &rows[i];
    return found ? found->error : REST_SERVER_ERROR;
}

void
rest_append_text(GString *out, const char *text)
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
rest_tracking_id(void)
{
    guint64 bytes[2] = {0};

    if (getentropy(bytes, sizeof bytes) < 0)
        g_debug("no random bytes for a tracking id");
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", bytes[0],
                           bytes[1]);
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
    rest_append_text(inner, tracking);
    g_string_append(inner, "\",\"message\":\"");
    rest_append_text(inner, text ? text : rest_error_text(error));
    g_string_append_printf(inner, "\",\"timestampUtc\":\"%s\"}", stamp);
    rest_append_text(out, inner->str);
    g_string_append(out, "\",\"ExceptionMessage\":\"\"}");
    return g_string_free(out, FALSE);
}
