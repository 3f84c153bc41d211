/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/server.h"

#include "common/bus/names.h"
#include "common/bus/source.h"
#include "daemon/bus/admission.h"
#include "daemon/bus/agent.h"
#include "daemon/bus/bouncer.h"
#include "daemon/bus/call.h"
#include "daemon/bus/handler.h"
#include "daemon/bus/lease.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/outcall.h"
#include "daemon/bus/quota.h"
#include "daemon/bus/subscriber.h"

struct BusServer {
    BusContext context; /* its contents belong to the server, except APP */
    GSource *source;
    BusObjects *objects;
    sd_bus_slot *name;
    BusServerLost lost;
    void *lost_data;
    void (*owned)(void *data);
    void *owned_data;
};

static void
bus_server_hub_added(Hub *hub, void *data)
{
    bus_object_added(data, &bus_hub_kind, hub);
}

static void
bus_server_hub_changed(Hub *hub, void *data)
{
    bus_object_changed(data, &bus_hub_kind, hub, "State", "Since", "LastError",
                       "CertificateExpires", "CertificateError", NULL);
}

static void
bus_server_hub_endpoints_changed(Hub *hub, void *data)
{
    bus_object_changed(data, &bus_hub_kind, hub, "StreamingEndpoints", NULL);
}

static void
bus_server_hub_pending_changed(Hub *hub, void *data)
{
    bus_object_changed(data, &bus_hub_kind, hub, "NextAuthority", "NextAuthorityTime",
                       "NextAddress", NULL);
}

static void
bus_server_hub_removed(Hub *hub, void *data)
{
    bus_object_removed(data, &bus_hub_kind, hub);
}

static void
bus_server_target_added(Target *target, void *data)
{
    bus_object_added(data, &bus_target_kind, target);
}

static void
bus_server_target_removed(Target *target, void *data)
{
    bus_object_removed(data, &bus_target_kind, target);
}

static void
bus_server_policy_changed(AcceptPolicy *policy, void *data)
{
    BusContext *context = data;

    context->policy_revision++;
    bus_object_changed(context, &bus_policy_kind, context->app, "DefaultVerdict", "DefaultReason",
                       "Revision", NULL);
}

static void
bus_server_stream_added(Stream *stream, void *data)
{
    bus_object_added(data, &bus_stream_kind, stream);
}

/* What changes with each loss of a leg, and when the stream goes on. */
#define BUS_STREAM_RESUME "SuspendedSince", "SuspendReason", "Unconfirmed", "Resumes"

static void
bus_server_stream_changed(Stream *stream, void *data)
{
    /* With a state come the properties that are set with it; the target before the stream is open.
     */
    gboolean decided = stream_opened_at(stream) == 0 && *stream_target(stream) != '\0';
    const char *target = decided ? "Target" : NULL;

    if (stream_has_ended(stream) && stream_suspended_for(stream) != REASON_NONE)
        bus_object_changed(data, &bus_stream_kind, stream, "State", "ClosedAt", "CloseReason",
                           "CloseText", BUS_STREAM_RESUME, NULL);
    else if (stream_has_ended(stream))
        bus_object_changed(data, &bus_stream_kind, stream, "State", "OpenedAt", "ClosedAt",
                           "CloseReason", "CloseText", target, NULL);
    else if (stream_suspended_for(stream) != REASON_NONE)
        bus_object_changed(data, &bus_stream_kind, stream, "State", BUS_STREAM_RESUME, NULL);
    else if (stream_state(stream) == STREAM_OPEN)
        bus_object_changed(data, &bus_stream_kind, stream, "State", "OpenedAt", NULL);
    else
        bus_object_changed(data, &bus_stream_kind, stream, "State", target, NULL);
}

static void
bus_server_stream_removed(Stream *stream, void *data)
{
    bus_object_removed(data, &bus_stream_kind, stream);
}

static void
bus_server_stream_owner_changed(Stream *stream, guint32 before, void *data)
{
    bus_object_moved(data, &bus_stream_kind, stream, before);
}

static void
bus_server_request_added(Consent *request, void *data)
{
    BusContext *context = data;

    bus_object_added(context, &bus_request_kind, request);
    agents_request_added(context->agents, request);
}

static void
bus_server_request_removed(Consent *request, void *data)
{
    BusContext *context = data;

    agents_request_removed(context->agents, request);
    bus_object_removed(context, &bus_request_kind, request);
}

static void
bus_server_tunnel_added(Tunnel *tunnel, void *data)
{
    bus_object_added(data, &bus_tunnel_kind, tunnel);
}

static void
bus_server_tunnel_changed(Tunnel *tunnel, void *data)
{
    bus_object_changed(data, &bus_tunnel_kind, tunnel, "LastError", NULL);
}

static void
bus_server_tunnel_removed(Tunnel *tunnel, void *data)
{
    BusContext *context = data;

    bus_leases_drop(context->leases, tunnel_id(tunnel));
    bus_object_removed(context, &bus_tunnel_kind, tunnel);
}

static const Observer bus_server_observer = {
    .hub_added = bus_server_hub_added,
    .hub_changed = bus_server_hub_changed,
    .hub_endpoints_changed = bus_server_hub_endpoints_changed,
    .hub_pending_changed = bus_server_hub_pending_changed,
    .hub_removed = bus_server_hub_removed,
    .target_added = bus_server_target_added,
    .target_removed = bus_server_target_removed,
    .policy_changed = bus_server_policy_changed,
    .stream_added = bus_server_stream_added,
    .stream_changed = bus_server_stream_changed,
    .stream_removed = bus_server_stream_removed,
    .stream_owner_changed = bus_server_stream_owner_changed,
    .request_added = bus_server_request_added,
    .request_removed = bus_server_request_removed,
    .tunnel_added = bus_server_tunnel_added,
    .tunnel_changed = bus_server_tunnel_changed,
    .tunnel_removed = bus_server_tunnel_removed,
};

static void
bus_server_on_lost(sd_bus *bus, int error, void *data)
{
    BusServer *server = data;
    g_autofree char *why =
        g_strdup_printf("the connection to the bus is lost: %s", g_strerror(-error));

    server->lost(why, server->lost_data);
}

static void
bus_server_fill(BusContext *context, sd_bus *bus, App *app, const BusServerOptions *options)
{
    context->bus = sd_bus_ref(bus);
    context->app = app;
    context->options = *options;
    context->started_at = (guint64)g_get_real_time();
    context->calls = g_hash_table_new(NULL, NULL);
    context->callers = callers_new(bus, bus_admission_check, context);
    context->bouncer = bouncer_new(bus, options->polkit_timeout);
    context->leases = bus_leases_new(app);
    context->quotas = quotas_new();
    context->subscribers = subscribers_new(context);
    context->agents = agents_new(context);
    context->outcalls = outcalls_new(bus);
    context->handlers = bus_handlers_new(context);
}

BusServer *
bus_server_new(sd_bus *bus, App *app, const BusServerOptions *options, BusServerLost lost,
               void *data)
{
    BusServer *server = g_new0(BusServer, 1);

    bus_server_fill(&server->context, bus, app, options);
    server->lost = lost;
    server->lost_data = data;
    server->objects = bus_objects_new(&server->context);
    server->source = bus_source_new(bus, bus_server_on_lost, server);
    (void)g_source_attach(server->source, NULL);
    app_set_observer(app, &bus_server_observer, &server->context);
    return server;
}

/* Replies to RequestName which mean that the name is ours (D-Bus specification, "Message Bus
 * Messages"): DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER and _ALREADY_OWNER. */
#define REPLY_PRIMARY_OWNER 1
#define REPLY_ALREADY_OWNER 4

static int
bus_server_on_name(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    BusServer *server = data;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    g_autofree char *why = NULL;
    uint32_t answer = 0;

    if (failure == NULL && sd_bus_message_read(reply, "u", &answer) >= 0 &&
        (answer == REPLY_PRIMARY_OWNER || answer == REPLY_ALREADY_OWNER)) {
        server->owned(server->owned_data);
        return 0;
    }
    if (failure == NULL)
        why = g_strdup("the name " BUS_NAME " is taken: another streamd runs on this bus");
    else
        why = g_strdup_printf("the name " BUS_NAME " was refused: %s", failure->message);
    server->lost(why, server->lost_data);
    return 0;
}

int
bus_server_take_name(BusServer *server, void (*owned)(void *data), void *data)
{
    server->owned = owned;
    server->owned_data = data;
    return sd_bus_request_name_async(server->context.bus, &server->name, BUS_NAME, 0,
                                     bus_server_on_name, server);
}

void
bus_server_end_apps(BusServer *server)
{
    bus_leases_end(server->context.leases);
}

static void
bus_server_cancel_calls(const BusContext *context)
{
    GHashTableIter iter;
    gpointer call;

    for (;;) {
        g_hash_table_iter_init(&iter, context->calls);
        if (!g_hash_table_iter_next(&iter, &call, NULL))
            return;
        bus_call_cancel(call);
    }
}

void
bus_server_free(BusServer *server)
{
    BusContext *context;

    if (server == NULL)
        return;
    context = &server->context;
    app_set_observer(context->app, NULL, NULL);
    bus_server_cancel_calls(context);
    agents_free(context->agents);
    bus_handlers_free(context->handlers);
    outcalls_free(context->outcalls);
    g_source_destroy(server->source);
    g_source_unref(server->source);
    sd_bus_slot_unref(server->name);
    bus_objects_free(server->objects);
    bus_leases_free(context->leases);
    subscribers_free(context->subscribers);
    bouncer_free(context->bouncer);
    callers_free(context->callers);
    quotas_free(context->quotas);
    g_hash_table_unref(context->calls);
    sd_bus_unref(context->bus);
    g_free(server);
}

BusContext *
bus_server_context(BusServer *server)
{
    return &server->context;
}
