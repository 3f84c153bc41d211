/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamhub drain */
#include "hub/verb/cli.h"

#include "common/base/error.h"
#include "hub/verb/json.h"

#define DRAIN_LOOK (200 * G_TIME_SPAN_MILLISECOND) /* between two looks at the hub */

static JsonNode *
ask_drain(AdminClient *client, gboolean draining, GError **error)
{
    JsonBuilder *body = json_builder_new();

    json_builder_begin_object(body);
    json_builder_set_member_name(body, "draining");
    json_builder_add_boolean_value(body, draining);
    json_builder_end_object(body);
    return admin_client_call(client, "PUT", "/v1/drain", body, error);
}

/* How many streams the hub has; -1 with ERROR set. */
static gint64
streams_left(JsonNode *status)
{
    return status ? verb_json_number(status, "streams") : -1;
}

static gint64
ask_left(const CliCall *call, GError **error)
{
    g_autoptr(AdminClient) client = cli_connect(call, error);
    g_autoptr(JsonNode) status =
        client ? admin_client_call(client, "GET", "/v1/status", NULL, error) : NULL;

    return streams_left(status);
}

/* Until no stream is left, or until END. What the hub was told stays as it is. */
static gboolean
wait_for_end(const CliCall *call, gint64 left, gint64 end, GError **error)
{
    while (left > 0) {
        gint64 now = g_get_monotonic_time();

        if (now >= end) {
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT,
                        "%" G_GINT64_FORMAT " streams are left; the hub still takes no new ones: "
                        "restart it, or streamhub drain --cancel",
                        left);
            return FALSE;
        }
        g_usleep((gulong)MIN(DRAIN_LOOK, end - now));
        left = ask_left(call, error);
    }
    return left == 0;
}

gboolean
verb_drain(const CliCall *call, GError **error)
{
    const CliOptions *o = call->options;
    g_autoptr(AdminClient) client = NULL;
    g_autoptr(JsonNode) status = NULL;
    gint64 end = G_MAXINT64;

    if (o->timeout < -1) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "--timeout: a number of seconds");
        return FALSE;
    }
    if (o->timeout >= 0)
        end = g_get_monotonic_time() + o->timeout * G_TIME_SPAN_SECOND;
    client = cli_connect(call, error);
    status = client ? ask_drain(client, !o->cancel, error) : NULL;
    if (!status)
        return FALSE;
    if (!o->cancel && !wait_for_end(call, streams_left(status), end, error))
        return FALSE;
    g_print("%s\n", o->cancel ? "The hub takes new streams again."
                              : "No stream is left, and the hub takes no new ones.");
    return TRUE;
}
