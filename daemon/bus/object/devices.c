/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/devices.h"

#include "daemon/bus/call.h"
#include "daemon/bus/error.h"
#include "daemon/bus/options.h"

#include <errno.h>

static int
devices_append(sd_bus_message *reply, const ListedDevice *device)
{
    return sd_bus_message_append(reply, "a{sv}", 3, "DeviceId", "s", device->id, "Status", "s",
                                 device->status, "ConnectionState", "s", device->connection_state);
}

static int
devices_reply(sd_bus_message *call, const GPtrArray *devices, const char *after)
{
    g_autoptr(sd_bus_message) reply = NULL;
    int r = sd_bus_message_new_method_return(call, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
    for (guint i = 0; r >= 0 && i < devices->len; i++)
        r = devices_append(reply, g_ptr_array_index(devices, i));
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "s", after != NULL ? after : "");
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void
devices_listed(GPtrArray *devices, const char *after, const GError *error, void *data)
{
    BusCall *call = data;

    if (devices == NULL) {
        bus_call_fail(call, error);
        return;
    }
    (void)devices_reply(bus_call_message(call), devices, after);
    bus_call_end(call);
}

static void
devices_cancel(void *data)
{
    service_list_cancel(data);
}

int
bus_devices_on_list(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    BusItem *item = data;
    const char *hub, *after = NULL;
    BusOption options[] = {{"after", 's', &after}};
    ServiceList *list;
    BusCall *call;
    int r = sd_bus_message_read(message, "s", &hub);

    if (r >= 0)
        r = bus_options_check_string("the hub's name", hub, error);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r < 0)
        return r;
    call = bus_call_begin(item->context, message, error);
    if (call == NULL)
        return -EBUSY;
    list = app_list_devices(item->context->app, hub, after, devices_listed, call, &failure);
    if (list == NULL)
        bus_call_fail(call, failure);
    else
        bus_call_set_cancel(call, devices_cancel, list);
    return 1;
}
