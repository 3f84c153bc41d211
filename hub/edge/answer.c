/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/answer.h"

#include "common/codec/http-build.h"

static void
append(GString *fields, const char *name, const char *value)
{
    /* A field that is not valid in HTTP is left out: only a device's own words can be so. */
    if (!http_header_append(fields, name, value))
        g_debug("%s left out", name);
}

/* What the hub's authority tells; in every answer to a service that is allowed to know it. */
static void
append_statement(GString *fields, const Request *request)
{
    if (request->statement)
        append(fields, "streamd-statement", request->statement);
}

/* Only of requests to open a stream: other routes have errors too. */
static OpeningMeter *
openings_of(const Request *request)
{
    return request->match.route->kind == ROUTE_STREAM ? request->openings : NULL;
}

void
rest_answer_accepted(Request *request, const RestAccepted *accepted)
{
    g_autoptr(GString) fields = g_string_new(NULL);
    g_autofree char *caps = caps_format(accepted->caps, ',');

    if (openings_of(request))
        request->openings->accepted++;
    append(fields, "iothub-streaming-is-accepted", "True");
    append(fields, "iothub-streaming-url", accepted->url);
    append(fields, "iothub-streaming-auth-token", accepted->token);
    if (request->caps) {
        append(fields, "streamd-stream-id", accepted->stream_id);
        if (*caps)
            append(fields, "streamd-caps", caps);
    }
    append_statement(fields, request);
    request_answer(request, 200, fields->str, NULL);
    explicit_bzero(fields->str, fields->len);
}

void
rest_answer_rejected(Request *request, const char *stream_id, Reason reason, const char *text)
{
    g_autoptr(GString) fields = g_string_new(NULL);
    g_autofree char *long_reason = NULL;

    if (openings_of(request))
        request->openings->rejected[reason]++;
    request->reason = reason;
    append(fields, "iothub-streaming-is-accepted", "False");
    if (request->caps) {
        append(fields, "streamd-stream-id", stream_id);
        if (text && *text)
            long_reason = g_strdup_printf("%s %s", reason_code(reason), text);
        if (!long_reason || !http_header_append(fields, "streamd-reject-reason", long_reason))
            append(fields, "streamd-reject-reason", reason_code(reason));
    }
    append_statement(fields, request);
    request_answer(request, 200, fields->str, NULL);
}

static void
answer_error(Request *request, RestError error, const char *text, guint retry)
{
    g_autoptr(GString) fields = g_string_new(NULL);
    g_autofree char *tracking = rest_tracking_id();
    g_autofree char *body = rest_error_body(error, text, tracking, g_get_real_time());

    if (openings_of(request))
        request->openings->failed[rest_error_index(error)]++;
    request->error = (guint)error;
    append(fields, "iothub-errorcode", rest_error_name(error));
    if (retry > 0)
        http_header_append_number(fields, "Retry-After", retry);
    /* The code alone does not tell a disabled device from a wrong key. */
    if (error == REST_UNAUTHORIZED_ACCESS && request->caps)
        append(fields, "streamd-reject-reason", reason_code(REASON_REVOKED));
    append_statement(fields, request);
    request_answer(request, rest_error_status(error), fields->str, body);
}

void
rest_answer_error(Request *request, RestError error, const char *text)
{
    answer_error(request, error, text, rest_error_status(error) == 503 ? REST_RETRY_SECONDS : 0);
}

void
rest_answer_too_soon(Request *request, guint seconds)
{
    answer_error(request, REST_THROTTLED, "Wrong credentials again. Wait before the next attempt.",
                 seconds);
}
