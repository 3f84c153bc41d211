/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Tunnel */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/kind.h"

static void
bus_tunnel_record(const BusItem *item, sd_bus_message *message)
{
    g_autofree char *text = app_tunnel_text(item->object);

    bus_context_record(item->context, message, EVENT_CLOSED_BY,
                       &(EventData){.before = text, .after = "closed"});
}

static int
bus_tunnel_close(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    AppChange *change;
    BusCall *call;

    if (!tunnel_persistent(item->object)) {
        bus_tunnel_record(item, message);
        tunnel_close(item->object);
        return sd_bus_reply_method_return(message, NULL);
    }
    call = bus_call_begin(item->context, message, error);
    if (call == NULL)
        return -EBUSY;
    change = app_drop_tunnel(item->context->app, tunnel_id(item->object), bus_call_changed, call,
                             &failure);
    return bus_call_await(call, change, failure);
}

BUS_GETTER(bus_tunnel_get_id, Tunnel, "t", tunnel_id(object))
BUS_GETTER(bus_tunnel_get_hub, Tunnel, "s", tunnel_hub(object))
BUS_GETTER(bus_tunnel_get_device, Tunnel, "s", tunnel_device(object))
BUS_GETTER(bus_tunnel_get_stream, Tunnel, "s", tunnel_stream(object))
BUS_GETTER(bus_tunnel_get_address, Tunnel, "s", tunnel_listen_address(object))
BUS_GETTER(bus_tunnel_get_owner, Tunnel, "u", tunnel_owner_uid(object))
BUS_GETTER(bus_tunnel_get_persistent, Tunnel, "b", (int)tunnel_persistent(object))
BUS_GETTER(bus_tunnel_get_shared, Tunnel, "b", (int)tunnel_shared(object))
BUS_GETTER(bus_tunnel_get_streams, Tunnel, "u", tunnel_streams(object))
BUS_GETTER(bus_tunnel_get_accepted, Tunnel, "t", tunnel_accepted(object))
BUS_GETTER_TEXT(bus_tunnel_get_last_error, Tunnel, tunnel_last_error(object))

static const sd_bus_vtable bus_tunnel_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Close", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_tunnel_close,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Id", "t", bus_tunnel_get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Hub", "s", bus_tunnel_get_hub, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("DeviceId", "s", bus_tunnel_get_device, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StreamName", "s", bus_tunnel_get_stream, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("ListenAddress", "s", bus_tunnel_get_address, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("OwnerUid", "u", bus_tunnel_get_owner, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Persistent", "b", bus_tunnel_get_persistent, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Shared", "b", bus_tunnel_get_shared, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Streams", "u", bus_tunnel_get_streams, 0, 0),
    SD_BUS_PROPERTY("Accepted", "t", bus_tunnel_get_accepted, 0, 0),
    SD_BUS_PROPERTY("LastError", "s", bus_tunnel_get_last_error, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static gpointer
bus_tunnel_find(App *app, const char *key)
{
    guint64 id;

    return g_ascii_string_to_unsigned(key, 10, 1, G_MAXUINT64, &id, NULL) ? app_find_tunnel(app, id)
                                                                          : NULL;
}

static char *
bus_tunnel_key(gconstpointer object)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, tunnel_id(object));
}

static uid_t
bus_tunnel_owner(gconstpointer object)
{
    return tunnel_owner_uid(object);
}

const BusKind bus_tunnel_kind = {
    .interface = BUS_TUNNEL,
    .vtable = bus_tunnel_vtable,
    .prefix = BUS_PATH_TUNNEL,
    .find = bus_tunnel_find,
    .key = bus_tunnel_key,
    .list = app_list_tunnels,
    .numbered = TRUE,
    .owner = bus_tunnel_owner,
};
