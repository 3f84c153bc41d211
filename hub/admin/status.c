/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin socket answers about the hub itself. */
#include "hub/admin/request.h"

#include "common/base/descriptors.h"

#include <string.h>

static char *
host_text(const AdminHub *hub)
{
    return hub->port == 443 ? g_strdup(hub->host) : g_strdup_printf("%s:%u", hub->host, hub->port);
}

/* Where streams are sent. */
static char *
streams_text(const AdminHub *hub)
{
    if (!hub->streams_at)
        return host_text(hub);
    return g_str_has_suffix(hub->streams_at, ":443")
               ? g_strndup(hub->streams_at, strlen(hub->streams_at) - strlen(":443"))
               : g_strdup(hub->streams_at);
}

static void
member_number(JsonBuilder *builder, const char *name, guint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)value);
}

/* What `streamhub doctor` wants to know. */
static void
member_listeners(JsonBuilder *builder, const char *const *listeners)
{
    json_builder_set_member_name(builder, "listeners");
    json_builder_begin_array(builder);
    for (; listeners && *listeners; listeners++)
        json_builder_add_string_value(builder, *listeners);
    json_builder_end_array(builder);
}

static void
member_descriptors(JsonBuilder *builder)
{
    guint most = descriptors_capacity();

    member_number(builder, "descriptors", descriptors_used());
    member_number(builder, "descriptorsMax", most == G_MAXUINT ? 0 : most);
}

static void
begin_object(JsonBuilder *builder, const char *name)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

static void
member_ended(JsonBuilder *builder, const StreamsFigures *by_state)
{
    json_builder_set_member_name(builder, "streamsEnded");
    json_builder_begin_array(builder);
    for (guint i = 0; i < REASON_LAST; i++) {
        if (by_state->ended[i] == 0)
            continue;
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "reason");
        json_builder_add_string_value(builder, reason_code((Reason)i));
        member_number(builder, "count", by_state->ended[i]);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* Streams that have not ended, and why others have. */
static void
member_streams(JsonBuilder *builder, const StreamsFigures *by_state)
{
    begin_object(builder, "streamsByState");
    for (guint i = 0; i < STREAM_STATES; i++)
        member_number(builder, hub_stream_state_name((HubStreamState)i), by_state->states[i]);
    member_number(builder, "closing", by_state->closing);
    json_builder_end_object(builder);
    member_ended(builder, by_state);
    begin_object(builder, "bytes");
    member_number(builder, "fromDevices", by_state->bytes[LEG_DEVICE]);
    member_number(builder, "fromServices", by_state->bytes[LEG_SERVICE]);
    json_builder_end_object(builder);
}

static void
member_resumptions(JsonBuilder *builder, const StreamsFigures *by_state)
{
    guint64 refused = 0;

    for (guint i = 0; i < REASON_LAST; i++)
        refused += by_state->resume_refused[i];
    begin_object(builder, "resumptions");
    member_number(builder, "accepted", by_state->resumed);
    member_number(builder, "refused", refused);
    json_builder_end_object(builder);
}

static void
member_openings(JsonBuilder *builder, const OpeningMeter *openings)
{
    begin_object(builder, "openings");
    member_number(builder, "accepted", openings->accepted);
    member_number(builder, "rejected", opening_meter_rejected(openings));
    member_number(builder, "failed", opening_meter_failed(openings));
    json_builder_end_object(builder);
}

static void
member_edge(JsonBuilder *builder, const EdgeMeter *edge)
{
    guint64 faults = 0;

    for (guint i = 0; i < HANDSHAKE_FAULTS; i++)
        faults += meter_read(&edge->faults[i]);
    member_number(builder, "tlsFailures", faults);
    member_number(builder, "droppedConnections", meter_read(&edge->dropped));
}

/* By who brought them. */
static void
member_refused(JsonBuilder *builder, const AuthMeter *auth)
{
    begin_object(builder, "refusedCredentials");
    for (guint i = 0; i < AUTH_CLAIMANTS; i++)
        member_number(builder, auth_claimant_name((AuthClaimant)i),
                      auth->verdicts[i][AUTH_DENIED] + auth->verdicts[i][AUTH_FORBIDDEN] +
                          auth->verdicts[i][AUTH_TOO_SOON]);
    json_builder_end_object(builder);
}

/* What was counted since the start; the metrics say the same in more detail. */
static void
member_figures(JsonBuilder *builder, const HubFigures *figures)
{
    member_streams(builder, &figures->by_state);
    member_resumptions(builder, &figures->by_state);
    if (figures->openings)
        member_openings(builder, figures->openings);
    if (figures->edge)
        member_edge(builder, figures->edge);
    if (figures->auth)
        member_refused(builder, figures->auth);
    member_number(builder, "penalties", figures->penalties);
    if (figures->records.kept) {
        member_number(builder, "waitingRecords", figures->records.waiting);
        member_number(builder, "lostRecords", figures->records.lost);
    }
    begin_object(builder, "limits");
    member_number(builder, "connections", figures->connections_max);
    member_number(builder, "unauthenticatedConnections", figures->unauthenticated_max);
    member_number(builder, "streams", figures->streams_max);
    json_builder_end_object(builder);
}

void
admin_status_show(AdminRequest *request)
{
    HubFigures counts = request->hub->figures(request->hub->data);
    g_autofree char *host = host_text(request->hub), *streams = streams_text(request->hub);
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "hostName");
    json_builder_add_string_value(builder, host);
    json_builder_set_member_name(builder, "streamingHost");
    json_builder_add_string_value(builder, streams);
    json_builder_set_member_name(builder, "version");
    json_builder_add_string_value(builder, STREAMD_VERSION);
    member_number(builder, "connections", counts.connections);
    member_number(builder, "unauthenticatedConnections", counts.unauthenticated);
    member_number(builder, "connectedDevices", counts.devices);
    member_number(builder, "clonedDevices", counts.cloned);
    member_number(builder, "streams", counts.streams);
    member_number(builder, "streamsTotal", counts.streams_total);
    member_number(builder, "ignoredAnswers", counts.ignored_answers);
    member_figures(builder, &counts);
    member_descriptors(builder);
    if (request->hub->metrics) {
        json_builder_set_member_name(builder, "metricsListener");
        json_builder_add_string_value(builder, request->hub->metrics);
    }
    member_listeners(builder, request->hub->listeners);
    json_builder_set_member_name(builder, "draining");
    json_builder_add_boolean_value(builder, counts.draining);
    json_builder_set_member_name(builder, "readOnly");
    json_builder_add_boolean_value(builder, registry_is_held(request->hub->registry));
    if (request->hub->identity) {
        json_builder_set_member_name(builder, "certificateDaysLeft");
        json_builder_add_int_value(builder,
                                   identity_days(request->hub->identity(request->hub->data)));
    }
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}

static void
on_held(const RegistryResult *result, void *data)
{
    AdminRequest *request = data;

    if (result->code == REGISTRY_OK)
        admin_status_show(request);
    else
        admin_request_fail_registry(request, result, "registry", request->hub->host);
}

/* No new streams before no changes: who enrols is told to try again, and finds the next hub.
 * Draining alone leaves a hold of the registry as it is; without draining there is none. */
void
admin_drain_set(AdminRequest *request)
{
    gboolean draining, read_only = FALSE;

    if (!admin_request_boolean(request, "draining", &draining)) {
        admin_request_fail(request, 400, "invalid", "draining: true or false");
        return;
    }
    if (json_object_has_member(request->body, "readOnly")) {
        if (!admin_request_boolean(request, "readOnly", &read_only) || (read_only && !draining)) {
            admin_request_fail(request, 400, "invalid", "readOnly: true, with draining, or false");
            return;
        }
    } else if (draining) {
        read_only = registry_is_held(request->hub->registry);
    }
    if (request->hub->drain)
        request->hub->drain(request->hub->data, draining);
    registry_hold(request->hub->registry, read_only, on_held, request);
}

/* As `az iot hub devicestream show` prints it (docs/wire-protocol.md, section 6). */
void
admin_status_endpoints(AdminRequest *request)
{
    g_autofree char *host = streams_text(request->hub);
    g_autofree char *url = g_strconcat("https://", host, NULL);
    JsonBuilder *builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "streamingEndpoints");
    json_builder_begin_array(builder);
    json_builder_add_string_value(builder, url);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    admin_request_answer_json(request, 200, builder);
}
