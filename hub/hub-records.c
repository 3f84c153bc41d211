/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is recorded of a request to open a stream: what it asked for and what it was answered,
 * whoever answered it. */
#include "hub/hub-private.h"

/* Where nobody has said why, the error does. */
static Reason
reason_of_error(RestError error)
{
    switch (error) {
    case REST_DEVICE_NOT_FOUND:
    case REST_MODULE_NOT_FOUND:
        return REASON_NOT_FOUND;
    case REST_UNAUTHORIZED:
    case REST_FORBIDDEN:
        return REASON_UNAUTHORIZED;
    case REST_UNAUTHORIZED_ACCESS:
        return REASON_REVOKED;
    case REST_DEVICE_NOT_ONLINE:
        return REASON_OFFLINE;
    case REST_THROTTLED:
        return REASON_LIMIT;
    case REST_ARGUMENT_INVALID:
        return REASON_PROTOCOL;
    default:
        return REASON_HUB_ERROR;
    }
}

static const char *
reason_of(const Request *request)
{
    if (request->reason != REASON_NONE)
        return reason_code(request->reason);
    return request->error ? reason_code(reason_of_error((RestError)request->error)) : NULL;
}

static void
hub_stream_answered(Request *request, guint status, gsize body_len, void *data)
{
    const Streamhub *hub = data;
    const char *resume = request->resume;
    ResumeAsk ask;
    gboolean resumes = resume && resume_ask_parse(resume, strlen(resume), RESUME_ASK_HTTP, &ask);
    const RecordInvoke invoke = {
        .stream = {.hub = hub->names[0],
                   .device = request->match.parts[ROUTE_DEVICE],
                   .module = request->match.parts[ROUTE_MODULE],
                   .name = request->match.parts[ROUTE_STREAM_NAME],
                   .id = request->stream_id,
                   .user = request->user,
                   .address = request->peer,
                   .resumes = resumes ? ask.id : NULL},
        .version = request->api_version,
        .request_size = request->body_len,
        .response_size = body_len,
        .code = request->error  ? request->error
                : status == 200 ? 0
                                : status * 1000,
        .code_name = request->error ? rest_error_name((RestError)request->error) : NULL,
        .reason = reason_of(request),
        .duration = clock_now() - request->begun,
    };

    records_invoke(hub->records, &invoke);
}

void
hub_record_request(Streamhub *hub, Request *request)
{
    if (request->match.route->kind != ROUTE_STREAM)
        return;
    request->begun = clock_now();
    request->answered = hub_stream_answered;
    request->answered_data = hub;
}
