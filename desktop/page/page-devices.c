/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/page/device-row.h"
#include "desktop/page/page.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

/* A list older than this, in µs, is read again when the page is shown. */
#define OLD (30 * G_USEC_PER_SEC)

typedef struct {
    Model *model;
    DeviceList *list;
    GHashTable *own;          /* keys of the devices of the model, which it owns */
    GtkFilter *rest, *wanted; /* rest: what is not among the own ones; wanted: what is searched */
    GtkWidget *page, *body, *search, *connected, *hub, *sum;
    GListModel *shown;
    GStrv hubs;
    char *text;    /* what is searched, in lower case */
    guint sorting; /* an idle source: the own ones are others now */
} Devices;

static void
devices_free(Devices *devices)
{
    (void)g_signal_handlers_disconnect_by_data(devices->model->devices, devices);
    (void)g_signal_handlers_disconnect_by_data(devices->model->hubs, devices);
    (void)g_signal_handlers_disconnect_by_data(devices->shown, devices);
    g_clear_handle_id(&devices->sorting, g_source_remove);
    device_list_free(devices->list);
    g_hash_table_unref(devices->own);
    g_object_unref(devices->rest);
    g_object_unref(devices->wanted);
    g_object_unref(devices->shown);
    g_strfreev(devices->hubs);
    g_free(devices->text);
    g_free(devices);
}

/* -- what is shown -------------------------------------------------------------------------- */

/* As the model makes the path of a device. */
static gboolean
devices_is_rest(gpointer item, gpointer data)
{
    const Devices *devices = data;
    g_autofree char *key =
        g_strdup_printf("%s\n%s", item_string(item, "DeviceId"), item_string(item, "Hub"));

    return !g_hash_table_contains(devices->own, key);
}

static gboolean
devices_is_wanted(gpointer item, gpointer data)
{
    const Devices *devices = data;
    const char *id = item_string(item, "DeviceId");
    Item *listed = device_list_find(devices->list, item_string(item, "Hub"), id);
    g_autofree char *lower = g_utf8_strdown(id, -1);

    if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(devices->connected)) &&
        (listed == NULL || !device_is_connected(listed)))
        return FALSE;
    return strstr(lower, devices->text) != NULL;
}

static char *
devices_count_text(Devices *devices)
{
    const guint all = g_list_model_get_n_items(G_LIST_MODEL(device_list_store(devices->list)));

    return g_strdup_printf(
        ngettext("%u of %u device is connected", "%u of %u devices are connected", all),
        device_list_connected(devices->list), all);
}

static char *
devices_sum_text(Devices *devices)
{
    g_autofree char *count = devices_count_text(devices);

    switch (device_list_state(devices->list)) {
    case DEVICE_LIST_READING:
        return text_join(_("Asking the hub…"), count, NULL);
    case DEVICE_LIST_CUT:
        return text_join(count, _("the hub has more than are shown"), NULL);
    case DEVICE_LIST_DENIED:
        return g_strdup(_("You may not see which devices the hub has: that takes the permission "
                          "registry-read there. Devices that you have used are shown, and you "
                          "reach each one whose name you know."));
    case DEVICE_LIST_FAILED:
        return g_strdup_printf(_("The hub's devices are not known now: %s"),
                               device_list_error(devices->list));
    case DEVICE_LIST_EMPTY:
        return g_strdup(_("No hub here opens streams: that takes an invitation for a user."));
    default:
        return g_steal_pointer(&count);
    }
}

static void
devices_update(Devices *devices)
{
    g_autofree char *text = devices_sum_text(devices);
    const gboolean empty = g_list_model_get_n_items(devices->shown) == 0;

    gtk_label_set_text(GTK_LABEL(devices->sum), text);
    gtk_stack_set_visible_child_name(GTK_STACK(devices->body), empty ? "empty" : "list");
}

/* Which are connected is known anew. */
static void
devices_on_read(void *data)
{
    Devices *devices = data;
    GListModel *own = G_LIST_MODEL(devices->model->devices);

    for (guint i = 0; i < g_list_model_get_n_items(own); i++) {
        g_autoptr(Item) item = g_list_model_get_item(own, i);

        g_signal_emit_by_name(item, "changed");
    }
    if (device_list_state(devices->list) != DEVICE_LIST_READING)
        gtk_filter_changed(devices->wanted, GTK_FILTER_CHANGE_DIFFERENT);
    devices_update(devices);
}

static gboolean
devices_on_sort(gpointer data)
{
    Devices *devices = data;
    GListModel *own = G_LIST_MODEL(devices->model->devices);

    devices->sorting = 0;
    g_hash_table_remove_all(devices->own);
    for (guint i = 0; i < g_list_model_get_n_items(own); i++) {
        g_autoptr(Item) item = g_list_model_get_item(own, i);

        (void)g_hash_table_add(devices->own, g_strdup(item_path(item)));
    }
    gtk_filter_changed(devices->rest, GTK_FILTER_CHANGE_DIFFERENT);
    return G_SOURCE_REMOVE;
}

/* A snapshot changes many, and all devices are looked at: once, before they are drawn. */
static void
devices_on_own(GListModel *own, guint position, guint removed, guint added, Devices *devices)
{
    if (devices->sorting == 0)
        devices->sorting = g_idle_add_full(G_PRIORITY_HIGH_IDLE, devices_on_sort, devices, NULL);
}

static void
devices_on_search(GtkWidget *widget, Devices *devices)
{
    const char *text = gtk_editable_get_text(GTK_EDITABLE(devices->search));

    g_free(devices->text);
    devices->text = g_utf8_strdown(text, -1);
    gtk_filter_changed(devices->wanted, GTK_FILTER_CHANGE_DIFFERENT);
    devices_update(devices);
}

static void
devices_on_shown(GListModel *shown, guint position, guint removed, guint added, Devices *devices)
{
    devices_update(devices);
}

/* -- reading -------------------------------------------------------------------------------- */

static void
devices_read_list(Devices *devices, gboolean unasked)
{
    const guint i = gtk_drop_down_get_selected(GTK_DROP_DOWN(devices->hub));
    const gboolean there = devices->hubs != NULL && i < g_strv_length(devices->hubs);

    device_list_read(devices->list, there ? devices->hubs[i] : "", unasked);
}

/* By itself. */
static void
devices_read(Devices *devices)
{
    devices_read_list(devices, TRUE);
}

/* The user wants it, and can be asked for a password. */
static void
devices_ask(Devices *devices)
{
    devices_read_list(devices, FALSE);
}

static void
devices_on_map(GtkWidget *page, Devices *devices)
{
    if (g_get_monotonic_time() - device_list_read_at(devices->list) > OLD &&
        device_list_state(devices->list) != DEVICE_LIST_READING)
        devices_read(devices);
}

static void
devices_on_hub(GtkDropDown *hub, GParamSpec *property, Devices *devices)
{
    devices_ask(devices);
}

/* The choice is set anew only when it has to be: it would read the list each time. */
static void
devices_on_hubs(GListModel *hubs, guint position, guint removed, guint added, Devices *devices)
{
    g_auto(GStrv) names = model_service_hubs(devices->model);
    g_autoptr(GtkStringList) list = NULL;

    if (devices->hubs != NULL &&
        g_strv_equal((const char *const *)names, (const char *const *)devices->hubs))
        return;
    g_strfreev(devices->hubs);
    devices->hubs = g_steal_pointer(&names);
    list = gtk_string_list_new((const char *const *)devices->hubs);
    (void)g_signal_handlers_block_by_func(devices->hub, devices_on_hub, devices);
    gtk_drop_down_set_model(GTK_DROP_DOWN(devices->hub), G_LIST_MODEL(list));
    (void)g_signal_handlers_unblock_by_func(devices->hub, devices_on_hub, devices);
    gtk_widget_set_visible(devices->hub, g_strv_length(devices->hubs) > 1);
    if (gtk_widget_get_mapped(devices->page) || *devices->hubs == NULL)
        devices_read(devices);
}

static gboolean
devices_on_refresh_key(GtkWidget *widget, GVariant *args, gpointer devices)
{
    devices_ask(devices);
    return TRUE;
}

/* -- building ------------------------------------------------------------------------------- */

static void
devices_build_models(Devices *devices)
{
    GListStore *parts = g_list_store_new(G_TYPE_LIST_MODEL);
    GListModel *hub = G_LIST_MODEL(device_list_store(devices->list));
    GListModel *rest, *all;

    devices->rest = GTK_FILTER(gtk_custom_filter_new(devices_is_rest, devices, NULL));
    devices->wanted = GTK_FILTER(gtk_custom_filter_new(devices_is_wanted, devices, NULL));
    rest = G_LIST_MODEL(gtk_filter_list_model_new(g_object_ref(hub), g_object_ref(devices->rest)));
    g_list_store_append(parts, devices->model->devices);
    g_list_store_append(parts, rest);
    g_object_unref(rest);
    all = G_LIST_MODEL(gtk_flatten_list_model_new(G_LIST_MODEL(parts)));
    devices->shown = G_LIST_MODEL(gtk_filter_list_model_new(all, g_object_ref(devices->wanted)));
}

static GtkWidget *
devices_build_list(Devices *devices)
{
    GtkWidget *view =
        gtk_list_view_new(GTK_SELECTION_MODEL(gtk_no_selection_new(g_object_ref(devices->shown))),
                          device_row_factory(devices->list));
    GtkWidget *scroll = gtk_scrolled_window_new(), *clamp = adw_clamp_scrollable_new();

    gtk_list_view_set_show_separators(GTK_LIST_VIEW(view), TRUE);
    ui_name(view, _("Devices"));
    adw_clamp_scrollable_set_child(ADW_CLAMP_SCROLLABLE(clamp), view);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), clamp);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scroll, TRUE);
    return scroll;
}

static GtkWidget *
devices_build_empty(void)
{
    GtkWidget *button = ui_button(_("_Open Tunnel…"));

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.new-tunnel");
    return ui_status_new("streamd-device-symbolic", _("No Devices"),
                         _("None is listed here. You reach a device that is not listed by its "
                           "name, as the hub knows it."),
                         button);
}

static GtkWidget *
devices_build_bar(Devices *devices)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *refresh = gtk_button_new_from_icon_name("view-refresh-symbolic");

    devices->search = gtk_search_entry_new();
    devices->connected = gtk_toggle_button_new();
    devices->hub = gtk_drop_down_new(NULL, NULL);
    gtk_button_set_icon_name(GTK_BUTTON(devices->connected), "network-transmit-receive-symbolic");
    gtk_widget_set_tooltip_text(devices->connected, _("Only connected devices"));
    ui_name(devices->connected, _("Only connected devices"));
    ui_name(devices->search, _("Search devices"));
    ui_name(devices->hub, _("Hub"));
    gtk_widget_set_tooltip_text(refresh, _("Ask the hub again (F5)"));
    ui_name(refresh, _("Ask the hub again"));
    gtk_widget_set_hexpand(devices->search, TRUE);
    gtk_widget_set_visible(devices->hub, FALSE);
    gtk_box_append(GTK_BOX(box), devices->search);
    gtk_box_append(GTK_BOX(box), devices->hub);
    gtk_box_append(GTK_BOX(box), devices->connected);
    gtk_box_append(GTK_BOX(box), refresh);
    (void)g_signal_connect(devices->search, "search-changed", G_CALLBACK(devices_on_search),
                           devices);
    (void)g_signal_connect(devices->connected, "toggled", G_CALLBACK(devices_on_search), devices);
    (void)g_signal_connect(devices->hub, "notify::selected", G_CALLBACK(devices_on_hub), devices);
    (void)g_signal_connect_swapped(refresh, "clicked", G_CALLBACK(devices_ask), devices);
    return box;
}

static GtkWidget *
devices_build_head(Devices *devices)
{
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *clamp = adw_clamp_new();

    devices->sum = gtk_label_new(NULL);
    gtk_label_set_wrap(GTK_LABEL(devices->sum), TRUE);
    gtk_label_set_xalign(GTK_LABEL(devices->sum), 0);
    gtk_widget_add_css_class(devices->sum, "dim-label");
    gtk_widget_add_css_class(head, "page-head");
    gtk_box_append(GTK_BOX(head), devices_build_bar(devices));
    gtk_box_append(GTK_BOX(head), devices->sum);
    adw_clamp_set_child(ADW_CLAMP(clamp), head);
    return clamp;
}

static void
devices_add_key(Devices *devices)
{
    GtkEventController *keys = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_F5, 0),
                         gtk_callback_action_new(devices_on_refresh_key, devices, NULL)));
    gtk_widget_add_controller(devices->page, keys);
}

GtkWidget *
page_devices_new(Model *model, Daemon *daemon)
{
    Devices *devices = g_new0(Devices, 1);

    devices->model = model;
    devices->text = g_strdup("");
    devices->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    devices->page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    devices->body = gtk_stack_new();
    devices->list = device_list_new(daemon, devices_on_read, devices);
    gtk_box_append(GTK_BOX(devices->page), devices_build_head(devices));
    devices_build_models(devices);
    (void)gtk_stack_add_named(GTK_STACK(devices->body), devices_build_list(devices), "list");
    (void)gtk_stack_add_named(GTK_STACK(devices->body), devices_build_empty(), "empty");
    gtk_box_append(GTK_BOX(devices->page), devices->body);
    devices_add_key(devices);
    g_object_set_data_full(G_OBJECT(devices->page), "streamd-devices", devices,
                           (GDestroyNotify)devices_free);
    (void)g_signal_connect(devices->page, "map", G_CALLBACK(devices_on_map), devices);
    (void)g_signal_connect(devices->shown, "items-changed", G_CALLBACK(devices_on_shown), devices);
    (void)g_signal_connect(model->devices, "items-changed", G_CALLBACK(devices_on_own), devices);
    (void)g_signal_connect(model->hubs, "items-changed", G_CALLBACK(devices_on_hubs), devices);
    devices_on_own(G_LIST_MODEL(model->devices), 0, 0, 0, devices);
    devices_on_hubs(G_LIST_MODEL(model->hubs), 0, 0, 0, devices);
    return devices->page;
}
