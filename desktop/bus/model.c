/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/bus/model.h"
#include "desktop/base/names.h"

#include <string.h>

/* An object of a snapshot that will be put in a list. */
typedef struct {
    char *path;
    GVariant *properties;
} Found;

static void
found_free(Found *found)
{
    g_free(found->path);
    g_clear_pointer(&found->properties, g_variant_unref);
    g_free(found);
}

/* The order of two paths in a list. */
typedef int (*PathOrder)(const char *a, const char *b);

static guint64
path_number(const char *path)
{
    return g_ascii_strtoull(strrchr(path, '/') + 1, NULL, 10);
}

static int
order_oldest_first(const char *a, const char *b)
{
    guint64 m = path_number(a), n = path_number(b);

    return (m > n) - (m < n);
}

static int
order_newest_first(const char *a, const char *b)
{
    return order_oldest_first(b, a);
}

static int
order_by_name(const char *a, const char *b)
{
    return strcmp(a, b);
}

Model *
model_new(Settings *settings)
{
    Model *model = g_new0(Model, 1);

    model->hubs = g_list_store_new(ITEM_TYPE);
    model->targets = g_list_store_new(ITEM_TYPE);
    model->tunnels = g_list_store_new(ITEM_TYPE);
    model->streams = g_list_store_new(ITEM_TYPE);
    model->ended = g_list_store_new(ITEM_TYPE);
    model->devices = g_list_store_new(ITEM_TYPE);
    model->settings = settings;
    return model;
}

void
model_free(Model *model)
{
    if (model == NULL)
        return;
    g_clear_object(&model->hubs);
    g_clear_object(&model->targets);
    g_clear_object(&model->tunnels);
    g_clear_object(&model->streams);
    g_clear_object(&model->ended);
    g_clear_object(&model->devices);
    g_free(model);
}

static Item *
store_at(GListStore *store, guint i)
{
    g_autoptr(GObject) item = g_list_model_get_item(G_LIST_MODEL(store), i);

    return item == NULL ? NULL : STREAMD_ITEM(item); /* the store keeps a reference */
}

/* Removes the items before PATH in the order, starting at index I: they no longer exist. NULL: all
 * of them. */
static void
store_skip(GListStore *store, guint i, const char *path, PathOrder order)
{
    Item *item;

    while ((item = store_at(store, i)) != NULL &&
           (path == NULL || order(item_path(item), path) < 0))
        g_list_store_remove(store, i);
}

/* Makes STORE show FOUND; both have the same order. Items that remain are updated. Takes FOUND. */
static void
store_become(GListStore *store, GPtrArray *found, PathOrder order)
{
    gint64 now = g_get_monotonic_time();
    guint i = 0;

    for (guint f = 0; f < found->len; f++, i++) {
        const Found *wanted = g_ptr_array_index(found, f);
        Item *item;

        store_skip(store, i, wanted->path, order);
        item = store_at(store, i);
        if (item != NULL && g_str_equal(item_path(item), wanted->path)) {
            item_update(item, wanted->properties, now);
        } else {
            g_autoptr(Item) fresh = item_new(wanted->path, wanted->properties, now);

            g_list_store_insert(store, i, fresh);
        }
    }
    store_skip(store, i, NULL, order);
    g_ptr_array_unref(found);
}

static GPtrArray *
found_array(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)found_free);
}

static void
found_add(GPtrArray *array, const char *path, GVariant *properties)
{
    Found *found = g_new0(Found, 1);

    found->path = g_strdup(path);
    found->properties = g_variant_ref_sink(properties);
    g_ptr_array_add(array, found);
}

static int
found_compare(gconstpointer a, gconstpointer b, gpointer order)
{
    const Found *const *m = a, *const *n = b;

    return ((PathOrder)order)((*m)->path, (*n)->path);
}

static void
found_sort(GPtrArray *array, PathOrder order)
{
    g_ptr_array_sort_with_data(array, found_compare, (gpointer)order);
}

/* Every object that has INTERFACE, in ORDER. OBJECTS NULL: none. */
static GPtrArray *
objects_with(GVariant *objects, const char *interface, PathOrder order)
{
    GPtrArray *array = found_array();
    const char *path;
    GVariant *interfaces = NULL; /* the loop frees it */
    GVariantIter iter;

    if (objects == NULL)
        return array;
    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        g_autoptr(GVariant) properties =
            g_variant_lookup_value(interfaces, interface, G_VARIANT_TYPE_VARDICT);

        if (properties != NULL)
            found_add(array, path, properties);
    }
    found_sort(array, order);
    return array;
}

/* Moves the streams that have ended into a new array. */
static GPtrArray *
take_ended(GPtrArray *streams)
{
    GPtrArray *ended = found_array();

    for (guint i = 0; i < streams->len;) {
        const Found *stream = g_ptr_array_index(streams, i);

        if (properties_number(stream->properties, "ClosedAt") == 0) {
            i++;
            continue;
        }
        if (ended->len < MODEL_ENDED_MAX)
            found_add(ended, stream->path, stream->properties);
        (void)g_ptr_array_remove_index(streams, i);
    }
    return ended;
}

/* A device, with the counts being made. */
typedef struct {
    char *hub, *device;
    guint tunnels, streams;
    gboolean recent;
} Device;

static void
device_free(Device *device)
{
    g_free(device->hub);
    g_free(device->device);
    g_free(device);
}

static Device *
devices_get(GHashTable *devices, const char *hub, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s\n%s", name, hub);
    Device *device = g_hash_table_lookup(devices, key);

    if (device == NULL) {
        device = g_new0(Device, 1);
        device->hub = g_strdup(hub);
        device->device = g_strdup(name);
        (void)g_hash_table_insert(devices, g_steal_pointer(&key), device);
    }
    return device;
}

static void
devices_count(GHashTable *devices, GListStore *store, gboolean tunnels)
{
    Item *item;

    for (guint i = 0; (item = store_at(store, i)) != NULL; i++) {
        Device *device;

        /* In the device role the DeviceId is this machine. */
        if (g_str_equal(item_string(item, "Role"), "device"))
            continue;
        device = devices_get(devices, item_string(item, "Hub"), item_string(item, "DeviceId"));
        if (tunnels)
            device->tunnels++;
        else if (item_number(item, "ClosedAt") == 0)
            device->streams++;
    }
}

static GVariant *
device_properties(const Device *device)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "DeviceId", "s", device->device);
    g_variant_dict_insert(&dict, "Hub", "s", device->hub);
    g_variant_dict_insert(&dict, "Tunnels", "u", device->tunnels);
    g_variant_dict_insert(&dict, "Streams", "u", device->streams);
    g_variant_dict_insert(&dict, "Recent", "b", device->recent);
    return g_variant_dict_end(&dict);
}

void
model_devices_changed(Model *model)
{
    g_autoptr(GHashTable) devices =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)device_free);
    GPtrArray *found = found_array();
    const Recent *recent;
    GHashTableIter iter;
    gpointer key, value;

    for (guint i = 0; (recent = settings_recent(model->settings, i)) != NULL; i++)
        devices_get(devices, recent->hub, recent->device)->recent = TRUE;
    devices_count(devices, model->tunnels, TRUE);
    devices_count(devices, model->streams, FALSE);
    devices_count(devices, model->ended, FALSE);
    g_hash_table_iter_init(&iter, devices);
    while (g_hash_table_iter_next(&iter, &key, &value))
        found_add(found, key, device_properties(value));
    found_sort(found, order_by_name);
    store_become(model->devices, found, order_by_name);
}

void
model_apply(Model *model, GVariant *objects)
{
    GPtrArray *streams = objects_with(objects, STREAMD_STREAM, order_newest_first);
    GPtrArray *ended = take_ended(streams);

    store_become(model->hubs, objects_with(objects, STREAMD_HUB, order_by_name), order_by_name);
    store_become(model->targets, objects_with(objects, STREAMD_TARGET, order_by_name),
                 order_by_name);
    store_become(model->tunnels, objects_with(objects, STREAMD_TUNNEL, order_oldest_first),
                 order_oldest_first);
    store_become(model->streams, streams, order_newest_first);
    store_become(model->ended, ended, order_newest_first);
    model_devices_changed(model);
}

void
model_clear(Model *model)
{
    model_apply(model, NULL);
}

GStrv
model_service_hubs(Model *model)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    Item *hub;

    for (guint i = 0; (hub = store_at(model->hubs, i)) != NULL; i++) {
        if (g_str_equal(item_string(hub, "Role"), "service"))
            g_strv_builder_add(names, item_string(hub, "Name"));
    }
    return g_strv_builder_end(names);
}

Item *
model_named(GListStore *store, const char *name)
{
    Item *item;

    for (guint i = 0; (item = store_at(store, i)) != NULL; i++) {
        if (g_str_equal(item_string(item, "Name"), name))
            return item;
    }
    return NULL;
}

Item *
model_at(GListStore *store, const char *path)
{
    Item *item;

    for (guint i = 0; (item = store_at(store, i)) != NULL; i++) {
        if (g_str_equal(item_path(item), path))
            return item;
    }
    return NULL;
}

guint
model_incoming(Model *model, const char *hub)
{
    guint count = 0;
    Item *stream;

    for (guint i = 0; (stream = store_at(model->streams, i)) != NULL; i++)
        count += g_str_equal(item_string(stream, "Hub"), hub) &&
                         g_str_equal(item_string(stream, "Role"), "device")
                     ? 1
                     : 0;
    return count;
}

void
model_rates(Model *model, double *ret_in, double *ret_out)
{
    double in = 0, out = 0;
    Item *stream;

    for (guint i = 0; (stream = store_at(model->streams, i)) != NULL; i++) {
        in += item_rate_in(stream);
        out += item_rate_out(stream);
    }
    *ret_in = in;
    *ret_out = out;
}
