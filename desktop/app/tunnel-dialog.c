/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/tunnel-dialog.h"
#include "desktop/app/endpoint.h"
#include "desktop/base/form.h"
#include "desktop/base/names.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

/* How long to wait for a device that is offline, in µs. */
#define WAIT_MAX (60 * G_USEC_PER_SEC)
#define LISTEN_MAX 256 /* characters */

typedef struct {
    App *app;
    GtkWindow *window;
    Endpoint *endpoint;
    GtkWidget *listen, *wait, *keep, *open, *complaint;
    GCancellable *cancellable;
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    g_cancellable_cancel(dialog->cancellable);
    g_object_unref(dialog->cancellable);
    g_free(dialog);
}

static void
dialog_set_busy(Dialog *dialog, gboolean busy)
{
    gtk_widget_set_sensitive(endpoint_widget(dialog->endpoint), !busy);
    gtk_widget_set_sensitive(dialog->open, !busy && endpoint_valid(dialog->endpoint));
    ui_set_label(dialog->open, busy ? _("Opening…") : _("_Open"));
}

static void
dialog_on_changed(void *data)
{
    Dialog *dialog = data;

    ui_complaint_set(dialog->complaint, NULL);
    gtk_widget_set_sensitive(dialog->open, endpoint_valid(dialog->endpoint));
}

static void
dialog_on_opened(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Dialog *dialog = data;
    const char *path, *address;
    g_autofree char *text = NULL;

    if (error != NULL) {
        dialog_set_busy(dialog, FALSE);
        ui_complaint_set(dialog->complaint, error->message);
        return;
    }
    g_variant_get(result, "(&o&s)", &path, &address);
    text = g_strdup_printf(_("The tunnel listens on %s"), address);
    endpoint_remember(dialog->endpoint);
    daemon_refresh(dialog->app->daemon);
    window_show_page(dialog->app->window, "tunnels");
    window_notice(dialog->app->window, text, FALSE);
    gtk_window_destroy(dialog->window);
}

static GVariant *
dialog_arguments(Dialog *dialog)
{
    g_autofree char *device = endpoint_device(dialog->endpoint);
    g_autofree char *stream = endpoint_stream(dialog->endpoint);
    g_autofree char *listen =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(dialog->listen))));
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    if (gtk_switch_get_active(GTK_SWITCH(dialog->keep)))
        g_variant_dict_insert(&options, "persistent", "b", TRUE);
    if (gtk_switch_get_active(GTK_SWITCH(dialog->wait)))
        g_variant_dict_insert(&options, "wait", "t", (guint64)WAIT_MAX);
    return g_variant_new("(ssss@a{sv})", endpoint_hub(dialog->endpoint), device, stream, listen,
                         g_variant_dict_end(&options));
}

static void
dialog_on_open(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    const DaemonCall call = {STREAMD_ROOT, STREAMD_MANAGER, "OpenTunnel", dialog_arguments(dialog),
                             0};

    ui_complaint_set(dialog->complaint, NULL);
    dialog_set_busy(dialog, TRUE);
    daemon_call(dialog->app->daemon, &call, dialog->cancellable, dialog_on_opened, dialog);
}

static GtkWidget *
dialog_build(Dialog *dialog, const char *hub, const char *device)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18), *group;
    g_autofree char *hint = NULL;

    dialog->endpoint = endpoint_new(dialog->app->model, hub, device, dialog_on_changed, dialog);
    group = endpoint_widget(dialog->endpoint);
    dialog->listen = form_entry(group, _("_Listen on"), "", LISTEN_MAX);
    hint = g_strdup_printf("%s\n%s", _("tcp:127.0.0.1, any free port"),
                           _("tcp:HOST:PORT or unix:PATH"));
    form_set_hint(dialog->listen, hint);
    dialog->wait = form_switch(group, _("_Wait for the device"),
                               _("A connection waits up to a minute for a device that is offline"));
    dialog->keep =
        form_switch(group, _("_Keep it open"), _("The tunnel stays when this app is closed"));
    dialog->complaint = ui_complaint_new();
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), group);
    return box;
}

void
tunnel_dialog_present(App *app, const char *hub, const char *device)
{
    Dialog *dialog = g_new0(Dialog, 1);
    GtkWidget *content;

    dialog->app = app;
    dialog->cancellable = g_cancellable_new();
    dialog->open = ui_button(_("_Open"));
    content = dialog_build(dialog, hub, device);
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Open a Tunnel"), content,
                                   ui_button(_("_Cancel")), dialog->open);
    (void)g_signal_connect(dialog->open, "clicked", G_CALLBACK(dialog_on_open), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    dialog_on_changed(dialog);
    endpoint_present(dialog->endpoint, dialog->window, dialog->complaint);
}
