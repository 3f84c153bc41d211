/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signals of objects. */
#include "daemon/bus/objects.h"

#include "common/bus/names.h"
#include "daemon/bus/subscriber.h"

/* A user's own bus has nobody on it who may not know: whoever has a match there gets the signal,
 * and streamd need not be asked first. On the system's bus that would tell everybody. */
static gboolean
bus_object_is_public(const BusContext *context, const BusKind *kind)
{
    return kind->owner == NULL || !context->options.system;
}

static void
bus_object_broadcast(const BusContext *context, sd_bus_message *signal)
{
    int r = sd_bus_send(context->bus, signal, NULL);

    if (r < 0)
        g_debug("Cannot send a signal: %s", g_strerror(-r));
}

static void
bus_object_send(BusContext *context, const BusKind *kind, gconstpointer object, const char *path,
                sd_bus_message *signal)
{
    if (bus_object_is_public(context, kind))
        bus_object_broadcast(context, signal);
    else if (kind->for_agents)
        subscribers_tell_requests(context->subscribers, signal);
    else
        subscribers_tell(context->subscribers, path, kind->owner(object), signal);
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
        bus_object_send(context, kind, object, path, message);
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
        bus_object_send(context, kind, object, path, message);
    subscribers_drop_opener(context->subscribers, path);
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
        bus_object_send(context, kind, object, path, message);
}

void
bus_object_moved(BusContext *context, const BusKind *kind, gpointer object, uid_t before)
{
    g_autoptr(sd_bus_message) added = NULL, changed = NULL, removed = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *path = bus_object_path(kind, object);

    g_ptr_array_add(names, (gpointer) "OwnerUid");
    if (bus_object_build_added(context, kind, object, path, &added) < 0 ||
        bus_object_build_changed(context, kind, object, path, names, &changed) < 0 ||
        bus_object_build_removed(context, kind, path, &removed) < 0)
        return;
    if (bus_object_is_public(context, kind))
        bus_object_broadcast(context, changed);
    else
        subscribers_tell_moved(context->subscribers, before, kind->owner(object), added, changed,
                               removed);
}
