/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/refusal.h"

#include "common/codec/http-build.h"
#include "common/codec/http-date.h"
#include "hub/edge/answer.h"
#include "hub/edge/route.h"

void
refusal_append(GString *out, const Refusal *refusal)
{
    RestError error = rest_error_of_status(refusal->status);
    g_autofree char *tracking = rest_tracking_id();
    g_autofree char *body = rest_error_body(error, refusal->text, tracking, g_get_real_time());

    http_status_line(out, refusal->status);
    http_date_append(out, g_get_real_time() / G_USEC_PER_SEC);
    (void)!http_header_append(out, "iothub-errorcode", rest_error_name(error));
    if (refusal->methods)
        (void)!http_header_append(out, "Allow", refusal->methods);
    if (refusal->status == 426)
        (void)!http_header_append(out, "Sec-WebSocket-Version", "13");
    if (refusal->status == 503)
        http_header_append_number(out, "Retry-After", REST_RETRY_SECONDS);
    (void)!http_header_append(out, "Content-Type", "application/json; charset=utf-8");
    http_header_append_number(out, "Content-Length", strlen(body));
    (void)!http_header_append(out, "Connection", "close");
    http_head_end(out);
    if (!refusal->head_only)
        g_string_append(out, body);
}

Refusal
refusal_of_path(const RouteTable *table, Slice method, Slice path, char **ret_methods)
{
    *ret_methods = route_methods(table, path);
    return (Refusal){
        .status = *ret_methods ? 405 : table->missing,
        .methods = *ret_methods,
        .text = *ret_methods ? NULL : "This hub has no such path.",
        .head_only = slice_equal(method, "HEAD"),
    };
}
