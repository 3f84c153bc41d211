/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signals of objects. */
#include "daemon/bus/objects.h"

#include "common/bus/names.h"
#include "daemon/bus/subscriber.h"

static void
bus_object_send(BusContext *context, const BusKind *kind, gconstpointer object,
                sd_bus_message *signal)
{
    int r;

    if (kind->for_agents) {
        subscribers_tell_requests(context->subscribers, signal);
        return;
    }
    if (kind->owner != NULL) {
        subscribers_tell(context->subscribers, kind->owner(object), signal);
        return;
    }
    r = sd_bus_send(context->bus, signal, NULL);
    if (r < 0)
        g_debug("Cannot send a signal of %s: %s", kind->interface, g_strerror(-r));
}

static int
bus_object_build_added(BusContext *context, const BusKind *kind, gpointer object, const char *path,
                       sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    r = sd_bus_message_new_signal(context->bus, &message, BUS_ROOT, BUS_OBJECT_MANAGER,
                                  "InterfacesAdded");
    if (r >= 0)
        r = sd_bus_message_append(message, "o", path);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
    if (r >= 0)
        r = bus_object_append_interface(context, kind, object, path, message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r >= 0)
        *ret_message = g_steal_pointer(&message);
    return r;
}

void
bus_object_added(BusContext *context, const BusKind *kind, gpointer object)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *path = bus_object_path(kind, object);

    if (bus_object_build_added(context, kind, object, path, &message) >= 0)
        bus_object_send(context, kind, object, message);
}

static int
bus_object_build_removed(BusContext *context, const BusKind *kind, const char *path,
                         sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    r = sd_bus_message_new_signal(context->bus, &message, BUS_ROOT, BUS_OBJECT_MANAGER,
                                  "InterfacesRemoved");
    if (r >= 0)
        r = sd_bus_message_append(message, "oas", path, 1, kind->interface);
    if (r >= 0)
        *ret_message = g_steal_pointer(&message);
    return r;
}

void
bus_object_removed(BusContext *context, const BusKind *kind, gpointer object)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *path = bus_object_path(kind, object);

    if (bus_object_build_removed(context, kind, path, &message) >= 0)
        bus_object_send(context, kind, object, message);
}

static int
bus_object_build_changed(BusContext *context, const BusKind *kind, gpointer object,
                         const char *path, GPtrArray *names, sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    r = sd_bus_message_new_signal(context->bus, &message, path, BUS_PROPERTIES,
                                  "PropertiesChanged");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", kind->interface);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_object_append(context, kind, object, path, names, message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r >= 0)
        r = sd_bus_message_append(message, "as", 0);
    if (r >= 0)
        *ret_message = g_steal_pointer(&message);
    return r;
}

void
bus_object_changed(BusContext *context, const BusKind *kind, gpointer object, ...)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *path = bus_object_path(kind, object);
    const char *name;
    va_list args;

    va_start(args, object);
    while ((name = va_arg(args, const char *)) != NULL)
        g_ptr_array_add(names, (gpointer)name);
    va_end(args);
    if (bus_object_build_changed(context, kind, object, path, names, &message) >= 0)
        bus_object_send(context, kind, object, message);
}

void
bus_object_moved(BusContext *context, const BusKind *kind, gpointer object, uid_t before)
{
    g_autoptr(sd_bus_message) added = NULL, changed = NULL, removed = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *path = bus_object_path(kind, object);

    g_ptr_array_add(names, (gpointer) "OwnerUid");
    if (bus_object_build_added(context, kind, object, path, &added) >= 0 &&
        bus_object_build_changed(context, kind, object, path, names, &changed) >= 0 &&
        bus_object_build_removed(context, kind, path, &removed) >= 0)
        subscribers_tell_moved(context->subscribers, before, kind->owner(object), added, changed,
                               removed);
}
