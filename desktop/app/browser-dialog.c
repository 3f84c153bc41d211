/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/browser-dialog.h"
#include "desktop/base/form.h"
#include "desktop/base/names.h"
#include "desktop/base/ui.h"
#include "desktop/bus/failure.h"

#include <glib/gi18n.h>
#include <string.h>

#define TEXT_MAX 256
#define TCP "tcp:"

typedef struct {
    App *app;
    char *hub, *device;
    GtkWindow *window;
    GtkWidget *stack, *group, *service, *encrypted, *complaint, *open, *page, *close, *cancel;
    GCancellable *cancellable;
    char *tunnel, *address; /* NULL: it is not open */
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    g_cancellable_cancel(dialog->cancellable);
    g_object_unref(dialog->cancellable);
    g_free(dialog->hub);
    g_free(dialog->device);
    g_free(dialog->tunnel);
    g_free(dialog->address);
    g_free(dialog);
}

static void
dialog_set_busy(Dialog *dialog, gboolean busy)
{
    gtk_widget_set_sensitive(dialog->group, !busy);
    gtk_widget_set_sensitive(dialog->open, !busy);
}

/* The page's address. A certificate of the device is for none that the browser could know: it says
 * so, and the user decides. */
static char *
dialog_uri(Dialog *dialog)
{
    const gboolean encrypted = gtk_switch_get_active(GTK_SWITCH(dialog->encrypted));

    return g_strdup_printf("%s://%s/", encrypted ? "https" : "http", dialog->address + strlen(TCP));
}

static void
dialog_on_shown(GObject *source, GAsyncResult *result, gpointer data)
{
    Dialog *dialog = data;
    g_autoptr(GError) error = NULL;

    if (gtk_show_uri_full_finish(GTK_WINDOW(source), result, &error) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA may be gone */
    ui_complaint_set(dialog->complaint, error->message);
}

static void
dialog_show_page(Dialog *dialog)
{
    g_autofree char *uri = dialog_uri(dialog);
    g_autofree char *text = g_strdup_printf(
        _("The page is at %s for as long as the tunnel is open. Close it here, or on the page "
          "Tunnels; it ends with this app, too."),
        uri);

    ui_status_set(dialog->page, dialog->device, text);
    gtk_stack_set_visible_child_name(GTK_STACK(dialog->stack), "page");
    gtk_widget_set_visible(dialog->open, FALSE);
    ui_set_label(dialog->cancel, _("_Done")); /* the tunnel stays */
    gtk_show_uri_full(dialog->window, uri, GDK_CURRENT_TIME, dialog->cancellable, dialog_on_shown,
                      dialog);
}

static void
dialog_on_opened(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Dialog *dialog = data;
    g_autofree char *service = NULL;

    dialog_set_busy(dialog, FALSE);
    if (error != NULL) {
        g_autofree char *text = failure_text(error);

        ui_complaint_set(dialog->complaint, text);
        return;
    }
    g_variant_get(result, "(os)", &dialog->tunnel, &dialog->address);
    service = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(dialog->service))));
    settings_use(dialog->app->settings, dialog->hub, dialog->device, service);
    model_devices_changed(dialog->app->model);
    daemon_refresh(dialog->app->daemon);
    dialog_show_page(dialog);
}

static void
dialog_on_open(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    g_autofree char *service =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(dialog->service))));
    const DaemonCall call = {.path = STREAMD_ROOT,
                             .interface = STREAMD_MANAGER,
                             .method = "OpenTunnel",
                             .args = g_variant_new("(ssss@a{sv})", dialog->hub, dialog->device,
                                                   service, "", g_variant_new("a{sv}", NULL))};

    ui_complaint_set(dialog->complaint, NULL);
    dialog_set_busy(dialog, TRUE);
    daemon_call(dialog->app->daemon, &call, dialog->cancellable, dialog_on_opened, dialog);
}

static void
dialog_on_closed(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    App *app = data;

    if (app->window != NULL && error != NULL)
        window_notice(app->window, error->message, TRUE);
    daemon_refresh(app->daemon);
}

static void
dialog_on_close(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    const DaemonCall call = {
        .path = dialog->tunnel, .interface = STREAMD_TUNNEL, .method = "Close"};

    daemon_call(dialog->app->daemon, &call, NULL, dialog_on_closed, dialog->app);
    gtk_window_destroy(dialog->window);
}

/* "https" and "web-443" are with TLS, as far as a name tells. */
static void
dialog_on_changed(Dialog *dialog)
{
    g_autofree char *service =
        g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(dialog->service))));

    ui_complaint_set(dialog->complaint, NULL);
    gtk_widget_set_sensitive(dialog->open, *service != '\0');
    gtk_switch_set_active(GTK_SWITCH(dialog->encrypted),
                          strstr(service, "https") != NULL || strstr(service, "443") != NULL);
}

static GtkWidget *
dialog_build_page(Dialog *dialog)
{
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *again = ui_button(_("_Show the Page Again"));

    dialog->close = ui_button(_("_Close the Tunnel"));
    gtk_widget_add_css_class(again, "pill");
    gtk_widget_add_css_class(dialog->close, "pill");
    gtk_box_append(GTK_BOX(buttons), again);
    gtk_box_append(GTK_BOX(buttons), dialog->close);
    (void)g_signal_connect_swapped(again, "clicked", G_CALLBACK(dialog_show_page), dialog);
    (void)g_signal_connect(dialog->close, "clicked", G_CALLBACK(dialog_on_close), dialog);
    dialog->page = ui_status_new("streamd-tunnel-symbolic", "", "", buttons);
    return dialog->page;
}

static GtkWidget *
dialog_build(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    g_autofree char *text = g_strdup_printf(
        _("A tunnel to %s is opened, and the page in your browser."), dialog->device);

    dialog->complaint = ui_complaint_new();
    dialog->group = form_group_new(NULL, text);
    dialog->service = form_entry(dialog->group, _("_Name of the web service"), "web", TEXT_MAX);
    dialog->encrypted = form_switch(dialog->group, _("_With TLS (https)"),
                                    _("The browser will not know the device's certificate"));
    dialog->stack = gtk_stack_new();
    gtk_stack_set_vhomogeneous(GTK_STACK(dialog->stack), FALSE);
    (void)gtk_stack_add_named(GTK_STACK(dialog->stack), dialog->group, "form");
    (void)gtk_stack_add_named(GTK_STACK(dialog->stack), dialog_build_page(dialog), "page");
    (void)g_signal_connect_swapped(dialog->service, "changed", G_CALLBACK(dialog_on_changed),
                                   dialog);
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->stack);
    return box;
}

void
browser_dialog_present(App *app, const char *hub, const char *device)
{
    Dialog *dialog = g_new0(Dialog, 1);
    GtkWidget *content;

    dialog->app = app;
    dialog->hub = g_strdup(hub);
    dialog->device = g_strdup(device);
    dialog->cancellable = g_cancellable_new();
    dialog->open = ui_button(_("_Open"));
    dialog->cancel = ui_button(_("_Cancel"));
    content = dialog_build(dialog);
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Show a Web Page"), content,
                                   dialog->cancel, dialog->open);
    (void)g_signal_connect(dialog->open, "clicked", G_CALLBACK(dialog_on_open), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    (void)gtk_widget_grab_focus(dialog->service);
    gtk_window_present(dialog->window);
}
