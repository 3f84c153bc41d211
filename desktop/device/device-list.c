/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/device/device-list.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"
#include "desktop/bus/failure.h"

#define PAGE_TIME (30 * G_USEC_PER_SEC) /* per page; streamd's own limits are shorter */

struct DeviceList {
    Daemon *daemon;
    DeviceListChanged changed;
    void *data;
    GListStore *store;
    GHashTable *known; /* id -> Item of the store, which owns both */
    GHashTable *seen;  /* ids of this reading; NULL: none is on */
    GHashTable *pages; /* names of pages that came in this reading */
    char *hub, *error;
    DeviceListState state;
    guint connected;
    gint64 read_at;
    GCancellable *cancellable;
    gboolean unasked; /* this reading */
};

gboolean
device_is_connected(Item *device)
{
    return g_str_equal(item_string(device, "ConnectionState"), "Connected");
}

static void
list_set_state(DeviceList *list, DeviceListState state, const char *error)
{
    g_free(list->error);
    list->error = g_strdup(error);
    list->state = state;
    list->changed(list->data);
}

static void
list_stop(DeviceList *list)
{
    if (list->cancellable != NULL)
        g_cancellable_cancel(list->cancellable);
    g_clear_object(&list->cancellable);
    g_clear_pointer(&list->seen, g_hash_table_unref);
    g_clear_pointer(&list->pages, g_hash_table_unref);
}

DeviceList *
device_list_new(Daemon *daemon, DeviceListChanged changed, void *data)
{
    DeviceList *list = g_new0(DeviceList, 1);

    list->daemon = daemon;
    list->changed = changed;
    list->data = data;
    list->store = g_list_store_new(ITEM_TYPE);
    list->known = g_hash_table_new(g_str_hash, g_str_equal);
    list->hub = g_strdup("");
    return list;
}

void
device_list_free(DeviceList *list)
{
    if (list == NULL)
        return;
    list_stop(list);
    g_hash_table_unref(list->known);
    g_object_unref(list->store);
    g_free(list->hub);
    g_free(list->error);
    g_free(list);
}

/* The properties of a row, with the hub's name among them. */
static GVariant *
row_properties(GVariant *device, const char *hub)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, device);
    g_variant_dict_insert(&dict, "Hub", "s", hub);
    return g_variant_dict_end(&dict);
}

/* One device of a page: known already, or appended to FRESH. */
static void
list_take_device(DeviceList *list, GVariant *device, GPtrArray *fresh)
{
    const char *id = properties_string(device, "DeviceId");
    GVariant *properties = row_properties(device, list->hub);
    Item *item = g_hash_table_lookup(list->known, id);

    if (item != NULL) {
        list->connected -= device_is_connected(item) ? 1 : 0;
        item_update(item, properties, 0);
    } else {
        item = item_new(id, properties, 0);
        g_ptr_array_add(fresh, item);
        (void)g_hash_table_insert(list->known, (gpointer)item_path(item), item);
    }
    list->connected += device_is_connected(item) ? 1 : 0;
    (void)g_hash_table_add(list->seen, (gpointer)item_path(item));
}

static void
list_take_page(DeviceList *list, GVariant *devices)
{
    g_autoptr(GPtrArray) fresh = g_ptr_array_new_with_free_func(g_object_unref);

    for (gsize i = 0; i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);

        list_take_device(list, device, fresh);
    }
    g_list_store_splice(list->store, g_list_model_get_n_items(G_LIST_MODEL(list->store)), 0,
                        fresh->pdata, fresh->len);
}

/* Removes what the hub does not list any more. */
static void
list_remove_gone(DeviceList *list)
{
    GListModel *model = G_LIST_MODEL(list->store);

    if (g_hash_table_size(list->seen) == g_hash_table_size(list->known))
        return;
    for (guint i = g_list_model_get_n_items(model); i-- > 0;) {
        g_autoptr(Item) item = g_list_model_get_item(model, i);

        if (g_hash_table_contains(list->seen, item_path(item)))
            continue;
        list->connected -= device_is_connected(item) ? 1 : 0;
        (void)g_hash_table_remove(list->known, item_path(item));
        g_list_store_remove(list->store, i);
    }
}

static void
list_end(DeviceList *list, DeviceListState state)
{
    list_remove_gone(list);
    list_stop(list);
    list->read_at = g_get_monotonic_time();
    list_set_state(list, state, NULL);
}

static void
list_forget(DeviceList *list)
{
    list->connected = 0;
    g_hash_table_remove_all(list->known);
    g_list_store_remove_all(list->store);
}

static void
list_fail(DeviceList *list, const GError *error)
{
    const gboolean denied = g_error_matches(error, FAILURE, FAILURE_DENIED);
    g_autofree char *text = failure_text(error);

    list_stop(list);
    if (denied)
        list_forget(list);
    list->read_at = g_get_monotonic_time();
    list_set_state(list, denied ? DEVICE_LIST_DENIED : DEVICE_LIST_FAILED, text);
}

static void list_read_page(DeviceList *list, const char *after);

static void
list_on_page(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    DeviceList *list = data;
    g_autoptr(GVariant) devices = NULL;
    const char *after;

    if (error != NULL) {
        list_fail(list, error);
        return;
    }
    g_variant_get(result, "(@aa{sv}&s)", &devices, &after);
    list_take_page(list, devices);
    if (*after == '\0') {
        list_end(list, DEVICE_LIST_WHOLE);
    } else if (g_list_model_get_n_items(G_LIST_MODEL(list->store)) >= DEVICE_LIST_MAX ||
               !g_hash_table_add(list->pages, g_strdup(after))) {
        list_end(list, DEVICE_LIST_CUT); /* or the hub goes in a circle */
    } else {
        list->changed(list->data);
        list_read_page(list, after);
    }
}

static void
list_read_page(DeviceList *list, const char *after)
{
    GVariantDict options;
    DaemonCall call = {.path = STREAMD_ROOT,
                       .interface = STREAMD_MANAGER,
                       .method = "ListDevices",
                       .wait = PAGE_TIME,
                       .unasked = list->unasked};

    g_variant_dict_init(&options, NULL);
    if (*after != '\0')
        g_variant_dict_insert(&options, "after", "s", after);
    call.args = g_variant_new("(s@a{sv})", list->hub, g_variant_dict_end(&options));
    daemon_call(list->daemon, &call, list->cancellable, list_on_page, list);
}

void
device_list_read(DeviceList *list, const char *hub, gboolean unasked)
{
    list_stop(list);
    list->unasked = unasked;
    if (!g_str_equal(list->hub, hub)) {
        list_forget(list);
        g_free(list->hub);
        list->hub = g_strdup(hub);
    }
    if (*hub == '\0') {
        list_set_state(list, DEVICE_LIST_EMPTY, NULL);
        return;
    }
    list->cancellable = g_cancellable_new();
    list->seen = g_hash_table_new(g_str_hash, g_str_equal);
    list->pages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    list_set_state(list, DEVICE_LIST_READING, NULL);
    list_read_page(list, "");
}

GListStore *
device_list_store(DeviceList *list)
{
    return list->store;
}

Item *
device_list_find(DeviceList *list, const char *hub, const char *device)
{
    return g_str_equal(list->hub, hub) ? g_hash_table_lookup(list->known, device) : NULL;
}

DeviceListState
device_list_state(DeviceList *list)
{
    return list->state;
}

const char *
device_list_error(DeviceList *list)
{
    return list->error;
}

guint
device_list_connected(DeviceList *list)
{
    return list->connected;
}

gint64
device_list_read_at(DeviceList *list)
{
    return list->read_at;
}
