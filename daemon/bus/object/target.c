/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Target */
#include "common/bus/names.h"
#include "daemon/bus/call.h"
#include "daemon/bus/objects.h"

#include <unistd.h>

static int
bus_target_remove(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    BusCall *call = bus_call_begin(item->context, message, error);
    AppChange *change;

    if (call == NULL)
        return -EBUSY;
    change = app_remove_target(item->context->app, target_name(item->object), bus_call_changed,
                               call, &failure);
    return bus_call_await(call, change, failure);
}

BUS_GETTER(bus_target_get_name, Target, "s", target_name(object))
BUS_GETTER(bus_target_get_address, Target, "s", target_address(object))
BUS_GETTER(bus_target_get_source, Target, "s", target_source(object) != NULL ? "config" : "bus")
/* The streams belong to streamd's own user: a caller that does not see them gets 0. */
BUS_GETTER(bus_target_get_streams, Target, "u",
           bus_object_caller_sees(context, getuid()) ? target_active(object) : 0)

#define LIMIT_GETTER(name, signature, type, limit)                                                 \
    BUS_GETTER(bus_target_get_##name, Target, signature, (type)target_limits(object)->of[limit])

LIMIT_GETTER(max_streams, "u", uint32_t, LIMIT_STREAMS)
LIMIT_GETTER(max_rate, "u", uint32_t, LIMIT_RATE)
LIMIT_GETTER(max_bytes, "t", uint64_t, LIMIT_BYTES)
LIMIT_GETTER(max_duration, "t", uint64_t, LIMIT_DURATION)
LIMIT_GETTER(idle_timeout, "t", uint64_t, LIMIT_IDLE)
LIMIT_GETTER(stall_timeout, "t", uint64_t, LIMIT_STALL)

static const sd_bus_vtable bus_target_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_target_remove,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Name", "s", bus_target_get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Address", "s", bus_target_get_address, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Source", "s", bus_target_get_source, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Streams", "u", bus_target_get_streams, 0, 0),
    SD_BUS_PROPERTY("MaxStreams", "u", bus_target_get_max_streams, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("MaxRate", "u", bus_target_get_max_rate, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("MaxBytes", "t", bus_target_get_max_bytes, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("MaxDuration", "t", bus_target_get_max_duration, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("IdleTimeout", "t", bus_target_get_idle_timeout, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StallTimeout", "t", bus_target_get_stall_timeout, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

static gpointer
bus_target_find(App *app, const char *key)
{
    return app_find_target(app, key);
}

static char *
bus_target_key(gconstpointer object)
{
    return g_strdup(target_name(object));
}

const BusKind bus_target_kind = {
    .interface = BUS_TARGET,
    .vtable = bus_target_vtable,
    .prefix = BUS_PATH_TARGET,
    .find = bus_target_find,
    .key = bus_target_key,
    .list = app_list_targets,
};
