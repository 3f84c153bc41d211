/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/doctor-dialog.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/bus/failure.h"
#include "desktop/setup/diagnosis.h"

#include <glib/gi18n.h>

/* Longer than all steps of streamd together can take, in µs. */
#define DOCTOR_LIMIT (120 * G_USEC_PER_SEC)

typedef struct {
    App *app;
    char *path, *title;
    char *device, *stream;
    GtkWindow *window;
    GtkWidget *spinner, *sum, *list, *complaint, *copy, *again;
    GCancellable *cancellable;
    GVariant *checks; /* NULL: none yet; the rows borrow from it */
    GPtrArray *rows;
} Dialog;

static void
dialog_forget(Dialog *dialog)
{
    g_clear_pointer(&dialog->rows, g_ptr_array_unref);
    g_clear_pointer(&dialog->checks, g_variant_unref);
}

static void
dialog_free(Dialog *dialog)
{
    g_cancellable_cancel(dialog->cancellable);
    g_object_unref(dialog->cancellable);
    dialog_forget(dialog);
    g_free(dialog->path);
    g_free(dialog->title);
    g_free(dialog->device);
    g_free(dialog->stream);
    g_free(dialog);
}

static GtkWidget *
row_label(const char *text, const char *css_class)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(label, css_class);
    return label;
}

/* A step: what it is, how it went, what it found, what helps. */
static GtkWidget *
row_lines(const Diagnosis *row)
{
    static const char *const words[] = {N_("ok"), N_("failed"), N_("skipped")};
    GtkWidget *lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    g_autofree char *title = g_strdup_printf("%s: %s", row->step, _(words[row->result]));
    g_autofree char *cure =
        row->cure == NULL ? NULL : g_strdup_printf(_("What helps: %s"), row->cure);

    gtk_box_append(GTK_BOX(lines), row_label(title, "heading"));
    if (*row->finding != '\0')
        gtk_box_append(
            GTK_BOX(lines),
            row_label(row->finding, row->result == DIAGNOSIS_FAILED ? "error" : "dim-label"));
    if (cure != NULL)
        gtk_box_append(GTK_BOX(lines), row_label(cure, "body"));
    gtk_widget_set_hexpand(lines, TRUE);
    return lines;
}

static void
dialog_add_row(Dialog *dialog, const Diagnosis *row)
{
    static const char *const icons[] = {"emblem-ok-symbolic", "dialog-error-symbolic",
                                        "content-loading-symbolic"};
    static const char *const looks[] = {"success", "error", "dim-label"};
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *icon = gtk_image_new_from_icon_name(icons[row->result]);
    GtkWidget *widget = gtk_list_box_row_new();

    gtk_widget_add_css_class(icon, looks[row->result]);
    gtk_widget_add_css_class(box, "row");
    gtk_box_append(GTK_BOX(box), icon);
    gtk_box_append(GTK_BOX(box), row_lines(row));
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(widget), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(widget), FALSE);
    gtk_list_box_append(GTK_LIST_BOX(dialog->list), widget);
}

static void
dialog_clear(Dialog *dialog)
{
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(dialog->list)) != NULL)
        gtk_list_box_remove(GTK_LIST_BOX(dialog->list), child);
    gtk_widget_set_visible(dialog->list, FALSE);
    dialog_forget(dialog);
}

static void
dialog_set_busy(Dialog *dialog, gboolean busy)
{
    gtk_widget_set_visible(dialog->spinner, busy);
    gtk_spinner_set_spinning(GTK_SPINNER(dialog->spinner), busy);
    gtk_widget_set_sensitive(dialog->again, !busy);
    gtk_widget_set_sensitive(dialog->copy, dialog->rows != NULL);
}

static void
dialog_show(Dialog *dialog)
{
    const guint failures = diagnosis_failures(dialog->rows);
    g_autofree char *sum =
        g_strdup_printf(ngettext("%u step fails", "%u steps fail", failures), failures);

    for (guint i = 0; i < dialog->rows->len; i++)
        dialog_add_row(dialog, g_ptr_array_index(dialog->rows, i));
    gtk_widget_set_visible(dialog->list, TRUE);
    gtk_label_set_text(GTK_LABEL(dialog->sum), failures == 0 ? _("All is well") : sum);
}

static void
dialog_on_diagnosed(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Dialog *dialog = data;

    if (error != NULL) {
        g_autofree char *text = failure_text(error);

        ui_complaint_set(dialog->complaint, text);
        gtk_label_set_text(GTK_LABEL(dialog->sum), _("It could not be checked"));
    } else {
        dialog->checks = g_variant_get_child_value(result, 0);
        dialog->rows = diagnosis_read(dialog->checks);
        dialog_show(dialog);
    }
    dialog_set_busy(dialog, FALSE);
}

static void
dialog_check(Dialog *dialog)
{
    GVariantDict options;
    DaemonCall call = {
        .path = dialog->path, .interface = STREAMD_HUB, .method = "Diagnose", .wait = DOCTOR_LIMIT};

    g_variant_dict_init(&options, NULL);
    if (*dialog->device != '\0') {
        g_variant_dict_insert(&options, "device", "s", dialog->device);
        g_variant_dict_insert(&options, "stream", "s", dialog->stream);
    }
    call.args = g_variant_new("(@a{sv})", g_variant_dict_end(&options));
    ui_complaint_set(dialog->complaint, NULL);
    dialog_clear(dialog);
    dialog_set_busy(dialog, TRUE);
    gtk_label_set_text(GTK_LABEL(dialog->sum), _("Checking each step of the way…"));
    daemon_call(dialog->app->daemon, &call, dialog->cancellable, dialog_on_diagnosed, dialog);
}

static void
dialog_on_copy(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    g_autofree char *text = diagnosis_text(dialog->title, dialog->rows);

    gdk_clipboard_set_text(gdk_display_get_clipboard(gdk_display_get_default()), text);
    gtk_label_set_text(GTK_LABEL(dialog->sum), _("Copied, to send it to whoever helps"));
}

static GtkWidget *
dialog_build(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);

    dialog->spinner = gtk_spinner_new();
    dialog->sum = row_label("", "title-4");
    dialog->complaint = ui_complaint_new();
    dialog->list = gtk_list_box_new();
    dialog->copy = ui_button(_("_Copy as Text"));
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(dialog->list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(dialog->list, "boxed-list");
    ui_name(dialog->list, _("Steps"));
    gtk_widget_set_halign(dialog->copy, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(dialog->copy, "pill");
    gtk_box_append(GTK_BOX(head), dialog->spinner);
    gtk_box_append(GTK_BOX(head), dialog->sum);
    gtk_box_append(GTK_BOX(box), row_label(dialog->title, "dim-label"));
    gtk_box_append(GTK_BOX(box), head);
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->list);
    gtk_box_append(GTK_BOX(box), dialog->copy);
    return box;
}

/* "Hub office, as the device gw-1 at hub.example.org", and what is tried there. */
static char *
dialog_title(Item *hub, const char *device, const char *stream)
{
    const gboolean is_device = g_str_equal(item_string(hub, "Role"), "device");
    g_autofree char *text = g_strdup_printf(
        is_device ? _("Hub %s, as device %s at %s") : _("Hub %s, as the user %s at %s"),
        item_string(hub, "Name"), item_string(hub, "Identity"), item_string(hub, "HostName"));
    g_autofree char *all = text_join(text, device, stream, NULL);

    return text_plain(all);
}

void
doctor_dialog_present(App *app, const char *hub, const char *device, const char *stream)
{
    Item *item = model_named(app->model->hubs, hub);
    Dialog *dialog;

    if (item == NULL)
        return;
    dialog = g_new0(Dialog, 1);
    dialog->app = app;
    dialog->path = g_strdup(item_path(item));
    dialog->title = dialog_title(item, device, stream);
    dialog->device = g_strdup(device);
    dialog->stream = g_strdup(stream);
    dialog->cancellable = g_cancellable_new();
    dialog->again = ui_button(_("Check _Again"));
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Check"), dialog_build(dialog),
                                   ui_button(_("_Done")), dialog->again);
    (void)g_signal_connect_swapped(dialog->again, "clicked", G_CALLBACK(dialog_check), dialog);
    (void)g_signal_connect(dialog->copy, "clicked", G_CALLBACK(dialog_on_copy), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    dialog_check(dialog);
    gtk_window_present(dialog->window);
}
