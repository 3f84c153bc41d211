/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/page.h"
#include "desktop/page/row.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

static void
tunnel_update(Row *row, Item *tunnel)
{
    guint64 streams = item_number(tunnel, "Streams");
    g_autofree char *title =
        text_join(item_string(tunnel, "DeviceId"), item_string(tunnel, "StreamName"), NULL);
    g_autofree char *via = text_via(item_string(tunnel, "Hub"));
    g_autofree char *count = g_strdup_printf(
        ngettext("%u connection", "%u connections", (unsigned long)streams), (guint)streams);
    const char *kept = item_boolean(tunnel, "Persistent") ? _("stays open") : "";
    const char *shared = item_boolean(tunnel, "Shared") ? _("for every user") : "";
    g_autofree char *subtitle =
        text_join(via, streams > 0 ? count : _("nobody connected"), kept, shared, NULL);

    row_set_icon(row, "streamd-tunnel-symbolic", streams > 0 ? "success" : "dim");
    row_set_title(row, title);
    row_set_subtitle(row, subtitle);
    row_set_error(row, item_string(tunnel, "LastError"));
}

/* The address is what the user needs here, so it stands out and can be copied. */
static GtkWidget *
tunnel_address(Item *tunnel)
{
    GtkWidget *label = gtk_label_new(item_string(tunnel, "ListenAddress"));

    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "monospace");
    gtk_widget_add_css_class(label, "address");
    gtk_widget_set_can_focus(label, FALSE);
    return label;
}

static GtkWidget *
tunnel_create(gpointer item, gpointer data)
{
    Item *tunnel = item;
    Row *row = row_new("streamd-tunnel-symbolic");
    const char *device = item_string(tunnel, "DeviceId"),
               *stream = item_string(tunnel, "StreamName");
    g_autofree char *copy = g_strdup_printf(_("Copy the address of %s · %s"), device, stream);
    g_autofree char *close = g_strdup_printf(_("Close the tunnel %s · %s"), device, stream);

    row_add_line(row, tunnel_address(tunnel));
    row_add(row, ui_icon_button("edit-copy-symbolic", copy, "app.copy",
                                g_variant_new("s", item_string(tunnel, "ListenAddress"))));
    row_add(row, ui_icon_button("window-close-symbolic", close, "app.close",
                                g_variant_new("s", item_path(tunnel))));
    row_bind(row, tunnel, tunnel_update);
    return row_widget(row);
}

GtkWidget *
page_tunnels_new(Model *model)
{
    GtkWidget *button = ui_button(_("_Open Tunnel…"));
    GtkWidget *empty = ui_status_new("streamd-tunnel-symbolic", _("No Tunnels"),
                                     _("A tunnel is a port on this machine that leads to a device: "
                                       "open one to its ssh, and connect "
                                       "your programs to the address that appears here."),
                                     button);
    GtkWidget *page = page_new(empty);

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.new-tunnel");
    page_add_list(page, NULL, model->tunnels, tunnel_create);
    return page;
}
