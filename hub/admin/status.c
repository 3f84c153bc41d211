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

void
admin_status_show(AdminRequest *request)
{
    StreamhubCounts counts = request->hub->counts(request->hub->data);
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
    member_descriptors(builder);
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

/* No new streams before no changes: who enrols is told to try again, and finds the next hub. */
void
admin_drain_set(AdminRequest *request)
{
    gboolean draining, read_only = FALSE;

    if (!admin_request_boolean(request, "draining", &draining)) {
        admin_request_fail(request, 400, "invalid", "draining: true or false");
        return;
    }
    if (json_object_has_member(request->body, "readOnly") &&
        (!admin_request_boolean(request, "readOnly", &read_only) || (read_only && !draining))) {
        admin_request_fail(request, 400, "invalid", "readOnly: true, with draining, or false");
        return;
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
