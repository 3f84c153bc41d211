/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/kind.h"

const BusKind *const bus_kinds[] = {
    &bus_manager_kind, &bus_policy_kind, &bus_hub_kind,     &bus_target_kind,
    &bus_stream_kind,  &bus_tunnel_kind, &bus_request_kind, NULL,
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

int
bus_object_append(BusContext *context, const BusKind *kind, gpointer object, const char *path,
                  GPtrArray *names, sd_bus_message *message)
{
    BusItem item = {context, object};
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
            r = row->x.property.get(context->bus, path, kind->interface, name, message, &item,
                                    NULL);
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
bus_object_append_properties(BusContext *context, const BusKind *kind, gpointer object,
                             sd_bus_message *message)
{
    g_autofree char *path = bus_object_path(kind, object);
    int r;

    r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_object_append(context, kind, object, path, NULL, message);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int
bus_object_append_interface(BusContext *context, const BusKind *kind, gpointer object,
                            const char *path, sd_bus_message *message)
{
    int r;

    r = sd_bus_message_open_container(message, 'e', "sa{sv}");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", kind->interface);
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sv}");
    if (r >= 0)
        r = bus_object_append(context, kind, object, path, NULL, message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    if (r >= 0)
        r = sd_bus_message_close_container(message);
    return r;
}
