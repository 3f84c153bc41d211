/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "common/codec/http-field.h"
#include "daemon/link/service-open.h"
#include "daemon/net/web-page.h"

#include <string.h>

#define ANSWER_TEXT_MAX 192

/* docs/wire-protocol.md, section 3: the hub's names of its errors. */
typedef struct {
    const char *name;
    guint status; /* used when the header is missing; 0: never */
    StreamdError code;
    Reason reason;
    const char *text;
} AnswerRow;

static const AnswerRow rows[] = {
    {"DeviceNotFound", 404, STREAMD_ERROR_NOT_FOUND, REASON_NOT_FOUND,
     "the hub knows no such device"},
    {"ModuleNotFound", 0, STREAMD_ERROR_NOT_FOUND, REASON_NOT_FOUND,
     "the hub knows no such module of the device"},
    {"DeviceNotOnline", 0, STREAMD_ERROR_OFFLINE, REASON_OFFLINE,
     "the device is not connected to the hub"},
    {"DeviceConnectionClosedRemotely", 0, STREAMD_ERROR_OFFLINE, REASON_DEVICE_CLOSED,
     "the device's connection was lost before the stream was open"},
    {"IotHubUnauthorizedAccess", 401, STREAMD_ERROR_UNAUTHORIZED, REASON_UNAUTHORIZED,
     "the hub refused the key or the user: wrong key, no permission to connect to devices, or a "
     "clock "
     "that is wrong by minutes"},
    {"IotHubUnauthorized", 403, STREAMD_ERROR_UNAUTHORIZED, REASON_UNAUTHORIZED,
     "the hub refused the key or the user"},
    {"IotHubQuotaExceeded", 0, STREAMD_ERROR_LIMIT, REASON_LIMIT, "the hub's quota is used up"},
    {"ThrottlingException", 429, STREAMD_ERROR_LIMIT, REASON_LIMIT,
     "the hub is at its limit of streams"},
    {"GatewayTimeout", 504, STREAMD_ERROR_TIMED_OUT, REASON_TIMED_OUT,
     "the device did not answer in time"},
    {"ArgumentInvalid", 400, STREAMD_ERROR_INVALID, REASON_HUB_ERROR,
     "the hub rejects the name of the device or of the stream"},
    {"ServiceUnavailable", 503, STREAMD_ERROR_UNREACHABLE, REASON_HUB_STOPPING,
     "the hub is stopping or overloaded"},
    {"ServerError", 500, STREAMD_ERROR_FAILED, REASON_HUB_ERROR, "the hub failed"},
};

/* The hub adds it to 401002, which alone could also mean a wrong key. */
static const AnswerRow revoked_row = {
    NULL, 0, STREAMD_ERROR_UNAUTHORIZED, REASON_REVOKED,
    "the device, or the right to connect to it, is disabled at the hub"};

/* Somebody has recently sent wrong credentials, so this does not mean that the key is wrong. It has
 * Retry-After, which the hub's limits do not have. */
static const AnswerRow wait_row = {
    NULL, 0, STREAMD_ERROR_BUSY, REASON_LIMIT,
    "the hub asks to wait: wrong credentials came from this address recently"};

static const AnswerRow *
answer_row(const HttpResponse *response)
{
    Slice name = {0};

    if (http_headers_get(&response->headers, "streamd-reject-reason", &name) &&
        slice_equal(name, reason_code(REASON_REVOKED)))
        return &revoked_row;
    if (response->status == 429 && http_headers_get(&response->headers, "Retry-After", &name))
        return &wait_row;
    if (http_headers_get(&response->headers, "iothub-errorcode", &name))
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
            if (slice_equal(name, rows[i].name))
                return &rows[i];
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].status == response->status)
            return &rows[i];
    return NULL;
}

static gboolean
text_is_printable(Slice text)
{
    for (gsize i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
            return FALSE;
    return text.len <= ANSWER_TEXT_MAX;
}

/* "policy", or "policy maintenance until noon": one of our codes, then free text. */
static void
answer_rejected(const HttpResponse *response, Reason *ret_reason, GError **error)
{
    Slice value = {0};
    g_autofree char *text = NULL;
    Reason reason = REASON_NONE;
    gsize code;

    if (http_headers_get(&response->headers, "streamd-reject-reason", &value) &&
        text_is_printable(value))
        text = slice_dup(value);
    code = text ? strcspn(text, " ") : 0;
    if (code > 0)
        reason = reason_from_code(text, (gssize)code);
    if (reason == REASON_NONE)
        code = 0; /* no known code: all of it is text */
    else if (text[code] == ' ')
        code++;
    *ret_reason = reason == REASON_NONE ? REASON_REJECTED : reason;
    if (text && text[code])
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_REJECTED, "%s: %s",
                    reason_text(*ret_reason), text + code);
    else
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_REJECTED, reason_text(*ret_reason));
}

/* A web page, or a 200 without the header that each answer of a hub to this request has. */
static void
answer_foreign(const char *page, Reason *ret_reason, GError **error)
{
    *ret_reason = REASON_HUB_ERROR;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL, "%s",
                page ? page
                     : "what answers is not a hub: it does not say whether the stream is accepted");
}

gboolean
service_answer_check(const HttpResponse *response, Reason *ret_reason, GError **error)
{
    g_autofree char *page = web_page_text(response);
    Slice accepted = {0};
    const AnswerRow *row;

    if (page ||
        (response->status == 200 &&
         !http_headers_get(&response->headers, "iothub-streaming-is-accepted", &accepted))) {
        answer_foreign(page, ret_reason, error);
        return FALSE;
    }
    if (response->status == 200 && slice_equal_nocase(accepted, "true"))
        return TRUE;
    if (response->status == 200) {
        answer_rejected(response, ret_reason, error);
        return FALSE;
    }
    row = answer_row(response);
    *ret_reason = row ? row->reason : REASON_HUB_ERROR;
    if (row)
        g_set_error_literal(error, STREAMD_ERROR, (int)row->code, row->text);
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_PROTOCOL,
                    "the hub answered with HTTP status %u", response->status);
    return FALSE;
}

gboolean
service_answer_is_final(const HttpResponse *response)
{
    g_autofree char *page = web_page_text(response);
    Slice value = {0};

    if (page) /* of something else on the way */
        return FALSE;
    switch (response->status) {
    case 200:
        return http_headers_get(&response->headers, "iothub-streaming-is-accepted", &value);
    case 400:
    case 401:
    case 403:
        return TRUE;
    case 404:
        return http_headers_get(&response->headers, "iothub-errorcode", &value) &&
               (slice_equal(value, "DeviceNotFound") || slice_equal(value, "ModuleNotFound"));
    default:
        return FALSE;
    }
}

Reason
service_answer_ended(const HttpResponse *response)
{
    const char *ended = reason_code(REASON_ENDED);
    gsize len = strlen(ended);
    Slice value = {0};

    if (!http_headers_get(&response->headers, "streamd-reject-reason", &value) ||
        value.len <= len + 1 || memcmp(value.ptr, ended, len) != 0 || value.ptr[len] != ' ')
        return REASON_NONE;
    return reason_from_code(value.ptr + len + 1, (gssize)(value.len - len - 1));
}

gint64
service_answer_pause(const HttpResponse *response)
{
    Slice text = {0};
    gint64 pause = 0;

    if (!http_headers_get(&response->headers, "retry-after", &text) ||
        !http_seconds_parse(text, &pause))
        return 0;
    return MIN(pause, SERVICE_RETRY_AFTER_MAX);
}

GError *
service_pair_error(Reason reason)
{
    StreamdError code;

    switch (reason) {
    case REASON_NOT_PAIRED:
        return g_error_new_literal(STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT,
                                   "the device accepted, but did not connect to the hub in time");
    case REASON_REVOKED:
        code = STREAMD_ERROR_UNAUTHORIZED;
        break;
    case REASON_DEVICE_CLOSED:
        code = STREAMD_ERROR_OFFLINE;
        break;
    case REASON_HUB_STOPPING:
    case REASON_CUT:
        code = STREAMD_ERROR_UNREACHABLE;
        break;
    case REASON_LIMIT:
        code = STREAMD_ERROR_LIMIT;
        break;
    case REASON_PROTOCOL:
        code = STREAMD_ERROR_PROTOCOL;
        break;
    default:
        code = STREAMD_ERROR_FAILED;
        break;
    }
    return g_error_new_literal(STREAMD_ERROR, (int)code, reason_text(reason));
}
