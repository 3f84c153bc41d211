/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/objects.h"

#include "common/bus/names.h"
#include "daemon/bus/error.h"
#include "daemon/bus/introspect.h"
#include "daemon/bus/subscriber.h"

#include <string.h>

struct BusObjects {
    BusContext *context; /* weak */
    GPtrArray *slots;
    BusItem root;
    BusItem found; /* the last look-up; sd-bus passes it to one function at once */
};

/* NULL: no call is being handled. */
static Caller *
bus_object_caller(BusContext *context)
{
    sd_bus_message *call = sd_bus_get_current_message(context->bus);

    if (call == NULL || sd_bus_message_get_sender(call) == NULL)
        return NULL;
    return callers_find(context->callers, call);
}

gboolean
bus_object_caller_sees(BusContext *context, uid_t owner)
{
    const Caller *caller = bus_object_caller(context);

    return caller != NULL && subscribers_see(context->subscribers, caller, owner);
}

gboolean
bus_object_caller_sees_requests(BusContext *context)
{
    const Caller *caller = bus_object_caller(context);

    return caller != NULL && subscribers_see_requests(context->subscribers, caller);
}

static gboolean
bus_kind_is_seen(BusContext *context, const BusKind *kind, gconstpointer object,
                 const Caller *caller)
{
    Subscribers *subscribers = context->subscribers;

    if (kind->for_agents)
        return subscribers_see_requests(subscribers, caller);
    return object != NULL ? subscribers_see(subscribers, caller, kind->owner(object))
                          : subscribers_see_all(subscribers, caller);
}

static gboolean
bus_object_is_visible(BusContext *context, const BusKind *kind, gconstpointer object)
{
    const Caller *caller = bus_object_caller(context);

    return kind->owner == NULL ||
           (caller != NULL && bus_kind_is_seen(context, kind, object, caller));
}

gboolean
bus_object_hides(BusContext *context, const BusKind *kind)
{
    g_autoptr(GPtrArray) list = kind->list(context->app);

    for (guint i = 0; i < list->len; i++)
        if (!bus_object_is_visible(context, kind, g_ptr_array_index(list, i)))
            return TRUE;
    return FALSE;
}

/* "{oa{sa{sv}}}" for each visible object of a kind that has many objects. */
static int
bus_kind_append_objects(BusContext *context, const BusKind *kind, sd_bus_message *reply)
{
    g_autoptr(GPtrArray) list = kind->list(context->app);
    int r = 0;

    for (guint i = 0; r >= 0 && i < list->len; i++) {
        gpointer object = g_ptr_array_index(list, i);
        g_autofree char *path = bus_object_path(kind, object);

        if (!bus_object_is_visible(context, kind, object))
            continue;
        r = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");
        if (r >= 0)
            r = sd_bus_message_append(reply, "o", path);
        if (r >= 0)
            r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
        if (r >= 0)
            r = bus_object_append_interface(context, kind, object, path, reply);
        if (r >= 0)
            r = sd_bus_message_close_container(reply);
        if (r >= 0)
            r = sd_bus_message_close_container(reply);
    }
    return r;
}

static int
bus_objects_get_managed(BusObjects *objects, sd_bus_message *call)
{
    BusContext *context = objects->context;
    g_autoptr(sd_bus_message) reply = NULL;
    int r;

    subscribers_add(context->subscribers, bus_object_caller(context), FALSE);
    r = sd_bus_message_new_method_return(call, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
    for (const BusKind *const *kind = bus_kinds; r >= 0 && *kind != NULL; kind++)
        if ((*kind)->list != NULL)
            r = bus_kind_append_objects(context, *kind, reply);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (r >= 0)
        r = sd_bus_message_send(reply);
    return r < 0 ? r : 1;
}

/* sd-bus lets nobody implement ObjectManager, and its own one broadcasts and does not filter. So
 * the root handles these two calls before sd-bus looks at its vtables. */
static int
bus_objects_on_root(sd_bus_message *call, void *data, sd_bus_error *error)
{
    g_autofree char *xml = NULL;
    BusObjects *objects = data;

    if (sd_bus_message_is_method_call(call, BUS_OBJECT_MANAGER, "GetManagedObjects") > 0 &&
        sd_bus_message_has_signature(call, ""))
        return bus_objects_get_managed(objects, call);
    if (sd_bus_message_is_method_call(call, BUS_INTROSPECTABLE, "Introspect") > 0 &&
        sd_bus_message_has_signature(call, "")) {
        xml = bus_introspect(BUS_ROOT);
        return sd_bus_reply_method_return(call, "s", xml);
    }
    return 0;
}

static const BusKind *
bus_kind_of(const char *interface)
{
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        if ((*kind)->find != NULL && strcmp((*kind)->interface, interface) == 0)
            return *kind;
    return NULL;
}

/* OBJECT is NULL when there is none. A caller that does not see everything must not learn whether
 * an object does not exist or belongs to somebody else. The object's own methods are let through:
 * bus/admission.c has already decided about the call, and some callers may call them without seeing
 * the object. */
static int
bus_objects_check(BusContext *context, const BusKind *kind, gconstpointer object,
                  sd_bus_error *error)
{
    Subscribers *subscribers = context->subscribers;
    sd_bus_message *call = sd_bus_get_current_message(context->bus);
    Caller *caller = bus_object_caller(context);

    if (kind->owner == NULL || caller == NULL ||
        g_strcmp0(sd_bus_message_get_interface(call), kind->interface) == 0)
        return 0;
    if (!bus_kind_is_seen(context, kind, object, caller))
        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
                                 "user %u has no such object, and may not see those of others",
                                 (unsigned)caller_uid(caller));
    if (object != NULL && sd_bus_message_is_method_call(call, BUS_PROPERTIES, NULL) > 0)
        subscribers_add(subscribers, caller, FALSE);
    return 0;
}

static int
bus_objects_find(sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
                 sd_bus_error *error)
{
    BusObjects *objects = data;
    const BusKind *kind = bus_kind_of(interface);
    App *app = objects->context->app;
    g_autofree char *key = NULL;
    gpointer object;
    int r;

    if (kind == NULL || sd_bus_path_decode(path, kind->prefix, &key) <= 0 || *key == '\0')
        return 0;
    object = kind->find(app, key);
    r = bus_objects_check(objects->context, kind, object, error);
    if (r >= 0 && object == NULL && kind->missing != NULL &&
        g_strcmp0(sd_bus_message_get_interface(sd_bus_get_current_message(bus)), interface) == 0)
        return bus_error_setf(error, STREAMD_ERROR_NOT_FOUND, "%s", kind->missing);
    if (r < 0 || object == NULL)
        return r;
    objects->found = (BusItem){objects->context, object};
    *ret_found = &objects->found;
    return 1;
}

static int
bus_objects_enumerate(sd_bus *bus, const char *prefix, void *data, char ***ret_nodes,
                      sd_bus_error *error)
{
    BusObjects *objects = data;
    g_autoptr(GStrvBuilder) nodes = g_strv_builder_new();

    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++) {
        g_autoptr(GPtrArray) list = NULL;

        if ((*kind)->list == NULL || strcmp((*kind)->prefix, prefix) != 0)
            continue;
        list = (*kind)->list(objects->context->app);
        for (guint i = 0; i < list->len; i++) {
            g_autofree char *path = bus_object_path(*kind, g_ptr_array_index(list, i));

            if (bus_object_is_visible(objects->context, *kind, g_ptr_array_index(list, i)))
                g_strv_builder_add(nodes, path);
        }
    }
    *ret_nodes = g_strv_builder_end(nodes);
    return 0;
}

static void
bus_objects_keep(BusObjects *objects, int r, sd_bus_slot *slot)
{
    if (r < 0)
        g_error("Cannot register an object: %s", g_strerror(-r));
    g_ptr_array_add(objects->slots, slot);
}

static void
bus_objects_add_kind(BusObjects *objects, sd_bus *bus, const BusKind *kind)
{
    sd_bus_slot *slot = NULL;
    int r;

    if (kind->list == NULL) {
        r = sd_bus_add_object_vtable(bus, &slot, kind->prefix, kind->interface, kind->vtable,
                                     &objects->root);
        bus_objects_keep(objects, r, slot);
        return;
    }
    r = sd_bus_add_fallback_vtable(bus, &slot, kind->prefix, kind->interface, kind->vtable,
                                   bus_objects_find, objects);
    bus_objects_keep(objects, r, slot);
    r = sd_bus_add_node_enumerator(bus, &slot, kind->prefix, bus_objects_enumerate, objects);
    bus_objects_keep(objects, r, slot);
}

BusObjects *
bus_objects_new(BusContext *context)
{
    BusObjects *objects = g_new0(BusObjects, 1);
    sd_bus *bus = context->bus;
    sd_bus_slot *slot = NULL;
    int r;

    objects->context = context;
    objects->root = (BusItem){context, context->app};
    objects->slots = g_ptr_array_new_with_free_func(bus_util_free_slot);
    r = sd_bus_add_object(bus, &slot, BUS_ROOT, bus_objects_on_root, objects);
    bus_objects_keep(objects, r, slot);
    for (const BusKind *const *kind = bus_kinds; *kind != NULL; kind++)
        bus_objects_add_kind(objects, bus, *kind);
    return objects;
}

void
bus_objects_free(BusObjects *objects)
{
    if (objects == NULL)
        return;
    g_ptr_array_unref(objects->slots);
    g_free(objects);
}
