/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/objects-private.h"

#include "common/bus/names.h"
#include "daemon/bus/error.h"
#include "daemon/bus/introspect.h"
#include "daemon/bus/server-private.h"
#include "daemon/bus/subscriber.h"

#include <string.h>

const BusKind *const bus_kinds[] = {
    &bus_manager_kind, &bus_policy_kind, &bus_hub_kind,     &bus_target_kind,
    &bus_stream_kind,  &bus_tunnel_kind, &bus_request_kind, NULL,
};

struct BusObjects {
    BusServer *server; /* weak */
    GPtrArray *slots;
    BusItem root;
    BusItem found; /* of the look-up that is under way; sd-bus hands it to one function at once */
};

char *
bus_object_path(const BusKind *kind, gconstpointer object)
{
    g_autofree char *key = NULL;
    g_autofree char *path = NULL;

    if (kind->key == NULL)
        return g_strdup(kind->prefix);
    key = kind->key(object);
    if (kind->numbered)
        return g_strdup_printf("%s/%s", kind->prefix, key);
    if (sd_bus_path_encode(kind->prefix, key, &path) < 0)
        g_error("Out of memory");
    return g_steal_pointer(&path);
}

int
bus_object_append_text(sd_bus_message *message, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return sd_bus_message_append(message, "s", valid);
}

/* NULL: no call is being handled. */
static Caller *
bus_object_caller(BusServer *server)
{
    sd_bus_message *call = sd_bus_get_current_message(bus_server_bus(server));

    if (call == NULL || sd_bus_message_get_sender(call) == NULL)
        return NULL;
    return callers_find(bus_server_callers(server), call);
}

gboolean
bus_object_caller_sees(BusServer *server, uid_t owner)
{
    const Caller *caller = bus_object_caller(server);

    return caller != NULL && viewers_sees(bus_server_viewers(server), caller, owner);
}

gboolean
bus_object_caller_sees_requests(BusServer *server)
{
    const Caller *caller = bus_object_caller(server);

    return caller != NULL && viewers_sees_requests(bus_server_viewers(server), caller);
}

static gboolean
bus_kind_is_seen(BusServer *server, const BusKind *kind, gconstpointer object, const Caller *caller)
{
    Viewers *viewers = bus_server_viewers(server);

    if (kind->for_agents)
        return viewers_sees_requests(viewers, caller);
    return object != NULL ? viewers_sees(viewers, caller, kind->owner(object))
                          : viewers_sees_all(viewers, caller);
}

static gboolean
bus_object_is_visible(BusServer *server, const BusKind *kind, gconstpointer object)
{
    const Caller *caller = bus_object_caller(server);

    return kind->owner == NULL ||
           (caller != NULL && bus_kind_is_seen(server, kind, object, caller));
}

int
bus_object_append(BusServer *server, const BusKind *kind, gpointer object, const char *path,
                  GPtrArray *names, sd_bus_message *message)
{
    BusItem item = {server, object};
    int r;

    for (const sd_bus_vtable *row = kind->vtable; row->type != _SD_BUS_VTABLE_END; row++) {
        const char *name = row->x.property.member;

        if (row->type != _SD_BUS_VTABLE_PROPERTY)
            continue;
        if (names != NULL && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            continue;
        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r >= 0)
            r = sd_bus_message_append(message, "s", name);
        if (r >= 0)
            r = sd_bus_message_open_container(message, 'v', row->x.property.signature);
        if (r >= 0)
            r = row->x.property.get(bus_server_bus(server), path, kind->interface, name, message,
                                    &item, NULL);
        if (r >= 0)
            r = sd_bus_message_close_container(message);
        if (r >= 0)
            r = sd_bus_message_close_container(message);
        if (r < 0)
            return r;
    }
    return 0;
}

int
bus_object_append_properties(BusServer *server, const BusKind *kind, gpointer object,
                             sd_bus_message *message)
{
    g_autofree char *path = bus_object_path(kind, object);
    int r;

    r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_object_append(server, kind, object, path, NULL, message);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int
bus_object_append_interface(BusServer *server, const BusKind *kind, gpointer object,
                            const char *path, sd_bus_message *message)
{
    int r;

    r = sd_bus_message_open_container(message, 'e', "sa{sv}");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", kind->interface);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_object_append(server, kind, object, path, NULL, message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r;
}

/* "{oa{sa{sv}}}" for each visible object of a kind that has objects of its own. */
static int
bus_kind_append_objects(BusServer *server, const BusKind *kind, sd_bus_message *reply)
{
    g_autoptr(GPtrArray) list = kind->list(bus_server_app(server));
    int r = 0;

    for (guint i = 0; r >= 0 && i < list->len; i++) {
        gpointer object = g_ptr_array_index(list, i);
        g_autofree char *path = bus_object_path(kind, object);

        if (!bus_object_is_visible(server, kind, object))
            continue;
        r = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");
        if (r >= 0)
            r = sd_bus_message_append(reply, "o", path);
        if (r >= 0)
            r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
        if (r >= 0)
            r = bus_object_append_interface(server, kind, object, path, reply);
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
    BusServer *server = objects->server;
    g_autoptr(sd_bus_message) reply = NULL;
    int r;

    viewers_add(bus_server_viewers(server), bus_object_caller(server), FALSE);
    r = sd_bus_message_new_method_return(call, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
    for (const BusKind *const *kind = bus_kinds; r >= 0 && *kind != NULL; kind++)
        if ((*kind)->list != NULL)
            r = bus_kind_append_objects(server, *kind, reply);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (r >= 0)
        r = sd_bus_message_send(reply);
    return r < 0 ? r : 1;
}

/* sd-bus lets nobody implement ObjectManager, and its own one broadcasts and does not filter; so
 * the root takes these two calls before sd-bus looks at its vtables. */
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

/* OBJECT is NULL when there is none: whoever does not see all is not told the difference between
 * what is not there and what is somebody else's. The methods of an object of its own are let
 * through: bus/admission.c has decided about the call already, and for more people. */
static int
bus_objects_check(BusServer *server, const BusKind *kind, gconstpointer object, sd_bus_error *error)
{
    Viewers *viewers = bus_server_viewers(server);
    sd_bus_message *call = sd_bus_get_current_message(bus_server_bus(server));
    Caller *caller = bus_object_caller(server);

    if (kind->owner == NULL || caller == NULL ||
        g_strcmp0(sd_bus_message_get_interface(call), kind->interface) == 0)
        return 0;
    if (!bus_kind_is_seen(server, kind, object, caller))
        return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
                                 "user %u has no such object, and sees no other user's",
                                 (unsigned)caller_uid(caller));
    if (object != NULL && sd_bus_message_is_method_call(call, BUS_PROPERTIES, "GetAll") > 0)
        viewers_add(viewers, caller, FALSE);
    return 0;
}

static int
bus_objects_find(sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
                 sd_bus_error *error)
{
    BusObjects *objects = data;
    const BusKind *kind = bus_kind_of(interface);
    App *app = bus_server_app(objects->server);
    g_autofree char *key = NULL;
    gpointer object;
    int r;

    if (kind == NULL || sd_bus_path_decode(path, kind->prefix, &key) <= 0 || *key == '\0')
        return 0;
    object = kind->find(app, key);
    r = bus_objects_check(objects->server, kind, object, error);
    if (r >= 0 && object == NULL && kind->missing != NULL &&
        g_strcmp0(sd_bus_message_get_interface(sd_bus_get_current_message(bus)), interface) == 0)
        return bus_error_setf(error, STREAMD_ERROR_NOT_FOUND, "%s", kind->missing);
    if (r < 0 || object == NULL)
        return r;
    objects->found = (BusItem){objects->server, object};
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
        list = (*kind)->list(bus_server_app(objects->server));
        for (guint i = 0; i < list->len; i++) {
            g_autofree char *path = bus_object_path(*kind, g_ptr_array_index(list, i));

            if (bus_object_is_visible(objects->server, *kind, g_ptr_array_index(list, i)))
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
bus_objects_new(BusServer *server)
{
    BusObjects *objects = g_new0(BusObjects, 1);
    sd_bus *bus = bus_server_bus(server);
    sd_bus_slot *slot = NULL;
    int r;

    objects->server = server;
    objects->root = (BusItem){server, bus_server_app(server)};
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
