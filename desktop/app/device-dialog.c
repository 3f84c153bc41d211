/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/device-dialog.h"
#include "desktop/base/form.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/device/terminal.h"

#include <glib/gi18n.h>

#define USER_MAX 128

typedef struct {
    App *app;
    char *hub, *device;
    GtkWindow *window;
    GtkWidget *user;
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    g_free(dialog->hub);
    g_free(dialog->device);
    g_free(dialog);
}

/* The streamctl that came with this app, else that of the PATH. */
static char *
terminal_streamctl(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self == NULL ? NULL : g_path_get_dirname(self);
    g_autofree char *near = folder == NULL ? NULL : g_build_filename(folder, "streamctl", NULL);

    return near != NULL && g_file_test(near, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&near)
                                                                        : g_strdup("streamctl");
}

void
device_dialog_terminal(App *app, const char *hub, const char *device, const char *user)
{
    const char *bus = daemon_bus(app->daemon) == G_BUS_TYPE_SYSTEM ? "--system" : "--user";
    g_autofree char *streamctl = terminal_streamctl();
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) command = terminal_ssh(streamctl, bus, hub, user, device, &error);
    g_autofree char *text = g_strdup_printf(_("A terminal with %s opens"), device);

    if (command == NULL || !terminal_run((const char *const *)command, &error)) {
        window_notice(app->window, error->message, TRUE);
        return;
    }
    settings_use(app->settings, hub, device, "ssh");
    model_devices_changed(app->model);
    window_notice(app->window, text, FALSE);
}

static void
dialog_on_terminal(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    g_autofree char *user = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(dialog->user))));

    device_dialog_terminal(dialog->app, dialog->hub, dialog->device, user);
    gtk_window_destroy(dialog->window);
}

static void
dialog_button(Dialog *dialog, GtkWidget *box, const char *mnemonic, const char *action)
{
    gtk_box_append(
        GTK_BOX(box),
        ui_leave_button(mnemonic, action, g_variant_new("(ss)", dialog->hub, dialog->device)));
}

static GtkWidget *
dialog_build(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *group = form_group_new(NULL, _("ssh runs in your terminal, through the hub."));
    GtkWidget *terminal = ui_button(_("_Terminal"));

    dialog->user = form_entry(group, _("As the _user (empty: as ssh is set up)"), "", USER_MAX);
    gtk_widget_add_css_class(terminal, "pill");
    gtk_widget_add_css_class(terminal, "suggested-action");
    gtk_widget_set_halign(terminal, GTK_ALIGN_CENTER);
    (void)g_signal_connect(terminal, "clicked", G_CALLBACK(dialog_on_terminal), dialog);
    gtk_box_append(GTK_BOX(box), group);
    gtk_box_append(GTK_BOX(box), terminal);
    dialog_button(dialog, box, _("Web _Page…"), "browser");
    dialog_button(dialog, box, _("_Open Tunnel…"), "open-tunnel");
    dialog_button(dialog, box, _("Test a T_ransfer…"), "test-transfer");
    dialog_button(dialog, box, _("Chec_k the Way There…"), "check-device");
    dialog_button(dialog, box, _("_Forget It Here"), "forget");
    return box;
}

void
device_dialog_present(App *app, const char *hub, const char *device)
{
    Dialog *dialog = g_new0(Dialog, 1);
    g_autofree char *title = text_plain(device);

    dialog->app = app;
    dialog->hub = g_strdup(hub);
    dialog->device = g_strdup(device);
    dialog->window = ui_dialog_new(window_gtk(app->window), title, dialog_build(dialog),
                                   ui_button(_("_Done")), NULL);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    gtk_window_present(dialog->window);
}
