/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/http-build.h"

#include "common/codec/http-field.h"
#include "common/codec/http-target.h"

static const struct {
    guint status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *
http_status_reason(guint status)
{
    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

gboolean
http_request_line(GString *out, const char *method, const char *target)
{
    if (!http_is_token(slice_of(method)) || !http_target_is_valid(slice_of(target)))
        return FALSE;
    g_string_append_printf(out, "%s %s HTTP/1.1\r\n", method, target);
    return TRUE;
}

void
http_status_line(GString *out, guint status)
{
    g_string_append_printf(out, "HTTP/1.1 %u %s\r\n", status, http_status_reason(status));
}

gboolean
http_header_append(GString *out, const char *name, const char *value)
{
    if (!http_is_token(slice_of(name)))
        return FALSE;
    for (const char *c = value; *c; c++)
        if (g_ascii_iscntrl(*c) && *c != '\t')
            return FALSE;
    g_string_append_printf(out, "%s: %s\r\n", name, value);
    return TRUE;
}

void
http_header_append_number(GString *out, const char *name, guint64 value)
{
    g_string_append_printf(out, "%s: %" G_GUINT64_FORMAT "\r\n", name, value);
}

void
http_head_end(GString *out)
{
    g_string_append(out, "\r\n");
}
