/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/page.h"
#include "desktop/page/row.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

static void
device_update(Row *row, Item *device)
{
    guint64 tunnels = item_number(device, "Tunnels"), streams = item_number(device, "Streams");
    g_autofree char *via = text_via(item_string(device, "Hub"));
    g_autofree char *tunnel_count = g_strdup_printf(
        ngettext("%u tunnel", "%u tunnels", (unsigned long)tunnels), (guint)tunnels);
    g_autofree char *stream_count = g_strdup_printf(
        ngettext("%u stream", "%u streams", (unsigned long)streams), (guint)streams);
    g_autofree char *subtitle =
        text_join(via, tunnels > 0 ? tunnel_count : "", streams > 0 ? stream_count : "",
                  tunnels + streams == 0 ? _("used before") : "", NULL);

    row_set_icon(row, "streamd-device-symbolic", tunnels + streams > 0 ? "success" : "dim");
    row_set_title(row, item_string(device, "DeviceId"));
    row_set_subtitle(row, subtitle);
    gtk_widget_set_visible(row_get(row, "forget"),
                           item_boolean(device, "Recent") && tunnels + streams == 0);
}

static GVariant *
device_target(Item *device)
{
    return g_variant_new("(ss)", item_string(device, "Hub"), item_string(device, "DeviceId"));
}

static GtkWidget *
device_create(gpointer item, gpointer data)
{
    Item *device = item;
    Row *row = row_new("streamd-device-symbolic");
    const char *name = item_string(device, "DeviceId");
    g_autofree char *open = g_strdup_printf(_("Open a tunnel to %s"), name);
    g_autofree char *test = g_strdup_printf(_("Test a transfer with %s"), name);
    g_autofree char *forget = g_strdup_printf(_("Forget %s"), name);
    GtkWidget *remove;

    remove = ui_icon_button("list-remove-symbolic", forget, "app.forget", device_target(device));
    row_add(row, remove);
    row_remember(row, remove, "forget");
    row_add(row, ui_icon_button("streamd-transfer-symbolic", test, "app.test-transfer",
                                device_target(device)));
    row_add(row, ui_icon_button("streamd-tunnel-symbolic", open, "app.open-tunnel",
                                device_target(device)));
    row_bind(row, device, device_update);
    return row_widget(row);
}

GtkWidget *
page_devices_new(Model *model)
{
    GtkWidget *button = ui_button(_("_Open Tunnel…"));
    GtkWidget *empty = ui_status_new("streamd-device-symbolic", _("No Devices Yet"),
                                     _("A device appears here once you have opened a tunnel or a "
                                       "stream to it. You need its name, as "
                                       "the hub knows it."),
                                     button);
    GtkWidget *page = page_new(empty);

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.new-tunnel");
    page_add_list(page, NULL, model->devices, device_create);
    return page;
}
