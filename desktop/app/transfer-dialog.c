/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/transfer-dialog.h"
#include "desktop/app/endpoint.h"
#include "desktop/base/form.h"
#include "desktop/base/text.h"
#include "desktop/transfer/transfer.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

#define MEGABYTE G_GUINT64_CONSTANT(1000000)
#define SIZE_DEFAULT 100
#define SIZE_MAX_MB 100000
/* How often the bars are updated, in ms. */
#define TICK_MS 100

typedef struct {
    App *app;
    GtkWindow *window;
    Endpoint *endpoint;
    GtkWidget *size, *start, *out, *in, *progress, *result, *complaint;
    Transfer *transfer;
    guint tick;
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    g_clear_handle_id(&dialog->tick, g_source_remove);
    transfer_free(dialog->transfer);
    g_free(dialog);
}

static gboolean
dialog_running(Dialog *dialog)
{
    return dialog->transfer != NULL && transfer_state(dialog->transfer) <= TRANSFER_RUNNING;
}

static void
dialog_on_changed(void *data)
{
    Dialog *dialog = data;
    gboolean running = dialog_running(dialog);

    gtk_widget_set_sensitive(endpoint_widget(dialog->endpoint), !running);
    gtk_widget_set_sensitive(dialog->start, running || endpoint_valid(dialog->endpoint));
    ui_set_label(dialog->start, running ? _("_Stop") : _("_Start"));
}

static void
bar_show(GtkWidget *bar, guint64 done, Transfer *transfer)
{
    double seconds = transfer_seconds(transfer);
    guint64 size = transfer_size(transfer);
    g_autofree char *now = text_size(done);
    g_autofree char *all = text_size(size);
    g_autofree char *rate = text_rate(seconds > 0 ? (double)done / seconds : 0);
    /* TRANSLATORS: how much of how much: 12 MB of 100 MB */
    g_autofree char *amount = g_strdup_printf(_("%s of %s"), now, all);
    g_autofree char *text = text_join(amount, rate, NULL);

    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(bar),
                                  size == 0 ? 1 : (double)done / (double)size);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(bar), text);
}

static void
dialog_show_progress(Dialog *dialog)
{
    bar_show(dialog->out, transfer_sent(dialog->transfer), dialog->transfer);
    bar_show(dialog->in, transfer_received(dialog->transfer), dialog->transfer);
}

static gboolean
dialog_on_tick(gpointer data)
{
    dialog_show_progress(data);
    return G_SOURCE_CONTINUE;
}

static void
dialog_show_same(Dialog *dialog)
{
    double seconds = transfer_seconds(dialog->transfer);
    guint64 size = transfer_size(dialog->transfer);
    g_autofree char *amount = text_size(size);
    g_autofree char *rate = text_rate((double)size / MAX(seconds, 0.001));
    g_autofree char *text = g_strdup_printf(
        _("%s went there and came back the same, in %.1f s: %s each way"), amount, seconds, rate);

    gtk_label_set_text(GTK_LABEL(dialog->result), text);
    gtk_widget_set_visible(dialog->result, TRUE);
    endpoint_remember(dialog->endpoint);
}

static void
dialog_on_transfer(Transfer *transfer, void *data)
{
    Dialog *dialog = data;
    TransferState state = transfer_state(transfer);

    dialog->transfer = transfer; /* it may fail before dialog_begin() has stored it */
    dialog_on_changed(dialog);
    dialog_show_progress(dialog);
    if (state <= TRANSFER_RUNNING)
        return;
    g_clear_handle_id(&dialog->tick, g_source_remove);
    if (state == TRANSFER_SAME)
        dialog_show_same(dialog);
    else
        ui_complaint_set(dialog->complaint, transfer_error(transfer));
    daemon_refresh(dialog->app->daemon);
}

static void
dialog_begin(Dialog *dialog)
{
    g_autofree char *device = endpoint_device(dialog->endpoint);
    g_autofree char *stream = endpoint_stream(dialog->endpoint);
    const TransferPlan plan = {
        .hub = endpoint_hub(dialog->endpoint),
        .device = device,
        .stream = stream,
        .size = (guint64)gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(dialog->size)) * MEGABYTE,
    };

    ui_complaint_set(dialog->complaint, NULL);
    gtk_widget_set_visible(dialog->result, FALSE);
    gtk_widget_set_visible(dialog->progress, TRUE);
    dialog->tick = g_timeout_add(TICK_MS, dialog_on_tick, dialog);
    dialog->transfer = transfer_new(dialog->app->daemon, &plan, dialog_on_transfer, dialog);
    dialog_on_changed(dialog);
}

static void
dialog_on_start(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    gboolean running = dialog_running(dialog);

    g_clear_handle_id(&dialog->tick, g_source_remove);
    g_clear_pointer(&dialog->transfer, transfer_free);
    if (running) {
        ui_complaint_set(dialog->complaint, _("Stopped; the stream was ended"));
        dialog_on_changed(dialog);
    } else {
        dialog_begin(dialog);
    }
}

static GtkWidget *
dialog_bar(Dialog *dialog, const char *caption)
{
    GtkWidget *bar = gtk_progress_bar_new();
    GtkWidget *label = gtk_label_new(caption);

    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(bar), TRUE);
    gtk_widget_set_hexpand(bar, TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "dim-label");
    ui_name(bar, caption);
    gtk_box_append(GTK_BOX(dialog->progress), label);
    gtk_box_append(GTK_BOX(dialog->progress), bar);
    return bar;
}

static void
dialog_build_progress(Dialog *dialog)
{
    dialog->progress = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    gtk_widget_set_visible(dialog->progress, FALSE);
    dialog->out = dialog_bar(dialog, _("Sent"));
    dialog->in = dialog_bar(dialog, _("Came back"));
    dialog->result = gtk_label_new(NULL);
    gtk_label_set_wrap(GTK_LABEL(dialog->result), TRUE);
    gtk_label_set_xalign(GTK_LABEL(dialog->result), 0);
    gtk_widget_add_css_class(dialog->result, "notice");
    gtk_widget_add_css_class(dialog->result, "success");
    gtk_widget_set_visible(dialog->result, FALSE);
}

static GtkWidget *
dialog_build(Dialog *dialog, const char *hub, const char *device)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
    GtkWidget *about =
        gtk_label_new(_("Bytes go to a target that sends them back, both ways at once, "
                        "and are compared. The device needs an echo service behind the "
                        "stream."));

    gtk_label_set_wrap(GTK_LABEL(about), TRUE);
    gtk_label_set_xalign(GTK_LABEL(about), 0);
    gtk_widget_add_css_class(about, "dim-label");
    dialog->endpoint = endpoint_new(dialog->app->model, hub, device, dialog_on_changed, dialog);
    dialog->size = form_number(endpoint_widget(dialog->endpoint), _("_Megabytes each way"), 1,
                               SIZE_MAX_MB, 10);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(dialog->size), SIZE_DEFAULT);
    dialog_build_progress(dialog);
    dialog->complaint = ui_complaint_new();
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->result);
    gtk_box_append(GTK_BOX(box), dialog->progress);
    gtk_box_append(GTK_BOX(box), about);
    gtk_box_append(GTK_BOX(box), endpoint_widget(dialog->endpoint));
    return box;
}

void
transfer_dialog_present(App *app, const char *hub, const char *device)
{
    Dialog *dialog = g_new0(Dialog, 1);
    GtkWidget *content;

    dialog->app = app;
    dialog->start = ui_button(_("_Start"));
    content = dialog_build(dialog, hub, device);
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Test a Transfer"), content,
                                   ui_button(_("_Done")), dialog->start);
    (void)g_signal_connect(dialog->start, "clicked", G_CALLBACK(dialog_on_start), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    dialog_on_changed(dialog);
    endpoint_present(dialog->endpoint, dialog->window, dialog->complaint);
}
