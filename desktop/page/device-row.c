/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/device-row.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

#define ROW_DATA "streamd-device-row"

typedef struct {
    DeviceList *list;
    Item *item; /* that is shown; NULL: none */
    GtkWidget *icon, *title, *subtitle;
    GtkWidget *terminal, *browser, *more;
    const char *look; /* CSS class of the icon */
} DeviceRow;

static void
row_set_look(DeviceRow *row, const char *look)
{
    if (row->look != NULL)
        gtk_widget_remove_css_class(row->icon, row->look);
    gtk_widget_add_css_class(row->icon, look);
    row->look = look;
}

/* "connected", as far as the hub has told. */
static const char *
row_state(Item *listed)
{
    if (listed == NULL)
        return "";
    if (g_str_equal(item_string(listed, "Status"), "disabled"))
        return _("disabled at the hub");
    return device_is_connected(listed) ? _("connected") : _("not connected");
}

static char *
row_counts(Item *item)
{
    const guint64 tunnels = item_number(item, "Tunnels"), streams = item_number(item, "Streams");
    g_autofree char *tunnel_count = g_strdup_printf(
        ngettext("%u tunnel", "%u tunnels", (unsigned long)tunnels), (guint)tunnels);
    g_autofree char *stream_count = g_strdup_printf(
        ngettext("%u stream", "%u streams", (unsigned long)streams), (guint)streams);
    const gboolean idle = tunnels + streams == 0;

    return text_join(tunnels > 0 ? tunnel_count : "", streams > 0 ? stream_count : "",
                     item_boolean(item, "Recent") && idle ? _("used before") : "", NULL);
}

static void
row_update(Item *item, DeviceRow *row)
{
    const char *id = item_string(item, "DeviceId"), *hub = item_string(item, "Hub");
    Item *listed = device_list_find(row->list, hub, id);
    g_autofree char *title = text_plain(id), *via = text_via(hub), *counts = row_counts(item);
    g_autofree char *subtitle = text_join(row_state(listed), counts, via, NULL);

    gtk_label_set_text(GTK_LABEL(row->title), title);
    gtk_label_set_text(GTK_LABEL(row->subtitle), subtitle);
    row_set_look(row, listed != NULL && device_is_connected(listed) ? "success" : "dim");
}

/* NAME: what it does, with which device. Takes it. GTK complains about an action without its
 * target, so the target comes first. */
static void
row_set_button(GtkWidget *button, char *name, const char *action, Item *item)
{
    gtk_widget_set_tooltip_text(button, name);
    ui_name(button, name);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "(ss)", item_string(item, "Hub"),
                                     item_string(item, "DeviceId"));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    g_free(name);
}

static void
row_on_bind(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer data)
{
    DeviceRow *row = g_object_get_data(G_OBJECT(gtk_list_item_get_child(list_item)), ROW_DATA);
    const char *id = item_string(gtk_list_item_get_item(list_item), "DeviceId");

    row->item = g_object_ref(gtk_list_item_get_item(list_item));
    row_set_button(row->terminal, g_strdup_printf(_("Terminal with %s"), id), "app.terminal",
                   row->item);
    row_set_button(row->browser, g_strdup_printf(_("Web page of %s"), id), "app.browser",
                   row->item);
    row_set_button(row->more, g_strdup_printf(_("More about %s"), id), "app.show-device",
                   row->item);
    (void)g_signal_connect(row->item, "changed", G_CALLBACK(row_update), row);
    row_update(row->item, row);
}

static void
row_forget(DeviceRow *row)
{
    if (row->item != NULL)
        (void)g_signal_handlers_disconnect_by_data(row->item, row);
    g_clear_object(&row->item);
}

static void
row_on_unbind(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer data)
{
    row_forget(g_object_get_data(G_OBJECT(gtk_list_item_get_child(list_item)), ROW_DATA));
}

static void
row_free(DeviceRow *row)
{
    row_forget(row);
    g_free(row);
}

static GtkWidget *
row_label(GtkWidget *lines, const char *css_class)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(label, css_class);
    gtk_box_append(GTK_BOX(lines), label);
    return label;
}

static GtkWidget *
row_button(GtkWidget *box, const char *icon)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);

    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(box), button);
    return button;
}

static void
row_on_setup(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer list)
{
    DeviceRow *row = g_new0(DeviceRow, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);

    row->list = list;
    row->icon = gtk_image_new_from_icon_name("streamd-device-symbolic");
    gtk_widget_add_css_class(row->icon, "row-icon");
    gtk_widget_set_valign(row->icon, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(box, "row");
    gtk_widget_set_hexpand(lines, TRUE);
    gtk_widget_set_valign(lines, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(box), row->icon);
    gtk_box_append(GTK_BOX(box), lines);
    row->title = row_label(lines, "heading");
    row->subtitle = row_label(lines, "dim-label");
    row->terminal = row_button(box, "utilities-terminal-symbolic");
    row->browser = row_button(box, "web-browser-symbolic");
    row->more = row_button(box, "view-more-symbolic");
    g_object_set_data_full(G_OBJECT(box), ROW_DATA, row, (GDestroyNotify)row_free);
    gtk_list_item_set_child(list_item, box);
    gtk_list_item_set_activatable(list_item, FALSE);
}

GtkListItemFactory *
device_row_factory(DeviceList *list)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    (void)g_signal_connect(factory, "setup", G_CALLBACK(row_on_setup), list);
    (void)g_signal_connect(factory, "bind", G_CALLBACK(row_on_bind), NULL);
    (void)g_signal_connect(factory, "unbind", G_CALLBACK(row_on_unbind), NULL);
    return factory;
}
