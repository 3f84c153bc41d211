/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/server.h"

#include "common/bus/names.h"
#include "common/bus/source.h"
#include "daemon/bus/admission.h"
#include "daemon/bus/agent.h"
#include "daemon/bus/bouncer.h"
#include "daemon/bus/call.h"
#include "daemon/bus/handler.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/outcall.h"
#include "daemon/bus/quota.h"
#include "daemon/bus/server-private.h"
#include "daemon/bus/subscriber.h"

struct BusServer {
    sd_bus *bus;
    App *app; /* weak */
    GSource *source;
    BusServerOptions options;
    Callers *callers;
    Bouncer *bouncer;
    BusLeases *leases;
    Quotas *quotas;
    Viewers *viewers;
    Agents *agents;
    BusHandlers *handlers;
    Outcalls *outcalls;
    BusObjects *objects;
    GHashTable *calls; /* set of BusCall */
    sd_bus_slot *name;
    guint64 started_at;
    guint64 policy_revision;
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
    bus_object_changed(data, &bus_hub_kind, hub, "State", "Since", "LastError", NULL);
}

static void
bus_server_hub_endpoints_changed(Hub *hub, void *data)
{
    bus_object_changed(data, &bus_hub_kind, hub, "StreamingEndpoints", NULL);
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
    BusServer *server = data;

    server->policy_revision++;
    bus_object_changed(server, &bus_policy_kind, server->app, "DefaultVerdict", "DefaultReason",
                       "Revision", NULL);
}

static void
bus_server_stream_added(Stream *stream, void *data)
{
    bus_object_added(data, &bus_stream_kind, stream);
}

static void
bus_server_stream_changed(Stream *stream, void *data)
{
    bus_object_changed(data, &bus_stream_kind, stream, "Target", "State", "OpenedAt", "ClosedAt",
                       "CloseReason", "CloseText", NULL);
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
bus_server_request_added(Request *request, void *data)
{
    BusServer *server = data;

    bus_object_added(server, &bus_request_kind, request);
    agents_request_added(server->agents, request);
}

static void
bus_server_request_removed(Request *request, void *data)
{
    BusServer *server = data;

    agents_request_removed(server->agents, request);
    bus_object_removed(server, &bus_request_kind, request);
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
    BusServer *server = data;

    bus_leases_drop(server->leases, tunnel_id(tunnel));
    bus_object_removed(server, &bus_tunnel_kind, tunnel);
}

static const Observer bus_server_observer = {
    .hub_added = bus_server_hub_added,
    .hub_changed = bus_server_hub_changed,
    .hub_endpoints_changed = bus_server_hub_endpoints_changed,
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

BusServer *
bus_server_new(sd_bus *bus, App *app, const BusServerOptions *options, BusServerLost lost,
               void *data)
{
    BusServer *server = g_new0(BusServer, 1);

    server->bus = sd_bus_ref(bus);
    server->app = app;
    server->options = *options;
    server->lost = lost;
    server->lost_data = data;
    server->started_at = (guint64)g_get_real_time();
    server->calls = g_hash_table_new(NULL, NULL);
    server->callers = callers_new(bus, bus_admission_check, server);
    server->bouncer = bouncer_new(bus, options->polkit_timeout);
    server->leases = bus_leases_new(app);
    server->quotas = quotas_new();
    server->viewers = viewers_new(server);
    server->agents = agents_new(server);
    server->outcalls = outcalls_new(bus);
    server->handlers = bus_handlers_new(server);
    server->objects = bus_objects_new(server);
    server->source = bus_source_new(bus, bus_server_on_lost, server);
    (void)g_source_attach(server->source, NULL);
    app_set_observer(app, &bus_server_observer, server);
    return server;
}

/* The answers of RequestName that say that the name is ours (D-Bus specification, "Message Bus
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
    return sd_bus_request_name_async(server->bus, &server->name, BUS_NAME, 0, bus_server_on_name,
                                     server);
}

static void
bus_server_cancel_calls(BusServer *server)
{
    GHashTableIter iter;
    gpointer call;

    for (;;) {
        g_hash_table_iter_init(&iter, server->calls);
        if (!g_hash_table_iter_next(&iter, &call, NULL))
            return;
        bus_call_cancel(call);
    }
}

void
bus_server_free(BusServer *server)
{
    if (server == NULL)
        return;
    app_set_observer(server->app, NULL, NULL);
    bus_server_cancel_calls(server);
    agents_free(server->agents);
    bus_handlers_free(server->handlers);
    outcalls_free(server->outcalls);
    g_source_destroy(server->source);
    g_source_unref(server->source);
    sd_bus_slot_unref(server->name);
    bus_objects_free(server->objects);
    bus_leases_free(server->leases);
    viewers_free(server->viewers);
    bouncer_free(server->bouncer);
    callers_free(server->callers);
    quotas_free(server->quotas);
    g_hash_table_unref(server->calls);
    sd_bus_unref(server->bus);
    g_free(server);
}

App *
bus_server_app(BusServer *server)
{
    return server->app;
}

sd_bus *
bus_server_bus(BusServer *server)
{
    return server->bus;
}

Callers *
bus_server_callers(BusServer *server)
{
    return server->callers;
}

const BusServerOptions *
bus_server_options(BusServer *server)
{
    return &server->options;
}

Bouncer *
bus_server_bouncer(BusServer *server)
{
    return server->bouncer;
}

BusLeases *
bus_server_leases(BusServer *server)
{
    return server->leases;
}

Quotas *
bus_server_quotas(BusServer *server)
{
    return server->quotas;
}

Agents *
bus_server_agents(BusServer *server)
{
    return server->agents;
}

BusHandlers *
bus_server_handlers(BusServer *server)
{
    return server->handlers;
}

Outcalls *
bus_server_outcalls(BusServer *server)
{
    return server->outcalls;
}

Viewers *
bus_server_viewers(BusServer *server)
{
    return server->viewers;
}

GHashTable *
bus_server_calls(BusServer *server)
{
    return server->calls;
}

guint64
bus_server_started_at(BusServer *server)
{
    return server->started_at;
}

guint64
bus_server_policy_revision(BusServer *server)
{
    return server->policy_revision;
}
