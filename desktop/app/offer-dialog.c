/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/offer-dialog.h"
#include "desktop/base/form.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/bus/failure.h"
#include "desktop/setup/offer.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

#define TEXT_MAX 256

typedef struct {
    App *app;
    GtkWindow *window; /* NULL: the user has closed it meanwhile */
    GtkWidget *group, *name, *address, *who, *complaint, *offer;
    gboolean busy;
} Dialog;

static void
dialog_on_destroy(Dialog *dialog)
{
    dialog->window = NULL;
    if (!dialog->busy)
        g_free(dialog);
}

static char *
dialog_text(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(entry))));
}

static void
dialog_on_changed(Dialog *dialog)
{
    g_autofree char *name = dialog_text(dialog->name), *address = dialog_text(dialog->address);

    ui_complaint_set(dialog->complaint, NULL);
    gtk_widget_set_sensitive(dialog->offer, *name != '\0' && *address != '\0' && !dialog->busy);
}

static void
dialog_done(App *app, const char *name)
{
    g_autofree char *text = g_strdup_printf(_("Offered: streams named %s are accepted"), name);

    window_show_page(app->window, "services");
    window_notice(app->window, text, FALSE);
}

static void
dialog_on_offered(guint left, const GError *error, void *data)
{
    Dialog *dialog = data;
    g_autofree char *text = error == NULL ? NULL : failure_text(error);

    dialog->busy = FALSE;
    daemon_refresh(dialog->app->daemon);
    if (dialog->window == NULL) {
        g_free(dialog);
        return;
    }
    gtk_widget_set_sensitive(dialog->group, TRUE);
    dialog_on_changed(dialog);
    ui_complaint_set(dialog->complaint, text);
    if (error == NULL) {
        g_autofree char *name = dialog_text(dialog->name);

        dialog_done(dialog->app, name);
        gtk_window_destroy(dialog->window);
    }
}

/* "8080" and "localhost:8080" are what people type. Caller frees. */
static char *
dialog_address(Dialog *dialog)
{
    g_autofree char *typed = dialog_text(dialog->address);

    if (strspn(typed, "0123456789") == strlen(typed))
        return g_strdup_printf("tcp:127.0.0.1:%s", typed);
    if (*typed == '/')
        return g_strdup_printf("unix:%s", typed);
    if (!g_str_has_prefix(typed, "tcp:") && !g_str_has_prefix(typed, "unix:"))
        return g_strdup_printf("tcp:%s", typed);
    return g_steal_pointer(&typed);
}

static void
dialog_on_offer(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    g_autofree char *name = dialog_text(dialog->name), *who = dialog_text(dialog->who);
    g_autofree char *address = dialog_address(dialog);
    const OfferPlan plan = {name, address, who};

    dialog->busy = TRUE;
    dialog_on_changed(dialog);
    gtk_widget_set_sensitive(dialog->group, FALSE);
    offer_make(dialog->app->daemon, dialog->app->model, &plan, dialog_on_offered, dialog);
}

static GtkWidget *
dialog_build(Dialog *dialog, const char *name, const char *address)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

    dialog->complaint = ui_complaint_new();
    dialog->group = form_group_new(
        NULL, _("Whoever may open streams to this machine reaches the service by its name. Nothing "
                "listens on the network for that. An address is a port of this machine, "
                "tcp:HOST:PORT or unix:PATH."));
    dialog->name = form_entry(dialog->group, _("_Name of the service"), name, TEXT_MAX);
    dialog->address = form_entry(dialog->group, _("_Address"), address, TEXT_MAX);
    dialog->who = form_entry(dialog->group, _("Only for the _user (empty: all)"), "", TEXT_MAX);
    for (guint i = 0; i < 2; i++)
        (void)g_signal_connect_swapped(i == 0 ? dialog->name : dialog->address, "changed",
                                       G_CALLBACK(dialog_on_changed), dialog);
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->group);
    return box;
}

void
offer_dialog_present(App *app, const char *name, const char *address)
{
    Dialog *dialog = g_new0(Dialog, 1);
    GtkWidget *content;

    dialog->app = app;
    dialog->offer = ui_button(_("_Offer"));
    content = dialog_build(dialog, name, address);
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Offer a Service"), content,
                                   ui_button(_("_Cancel")), dialog->offer);
    (void)g_signal_connect(dialog->offer, "clicked", G_CALLBACK(dialog_on_offer), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_on_destroy),
                                   dialog);
    dialog_on_changed(dialog);
    (void)gtk_widget_grab_focus(*name == '\0' ? dialog->name : dialog->who);
    gtk_window_present(dialog->window);
}

/* -- withdrawing ---------------------------------------------------------------------------- */

static void
withdraw_on_done(guint left, const GError *error, void *data)
{
    App *app = data;
    g_autofree char *text = error == NULL ? NULL : failure_text(error);

    if (app->window == NULL)
        return;
    if (error == NULL && left > 0)
        text = g_strdup_printf(ngettext("The service stays: %u other rule leads to it",
                                        "The service stays: %u other rules lead to it", left),
                               left);
    window_notice(app->window, text == NULL ? _("Withdrawn: it is not accepted any more") : text,
                  text != NULL);
    daemon_refresh(app->daemon);
}

static void
withdraw_on_response(AdwMessageDialog *dialog, const char *response, gpointer data)
{
    App *app = data;

    if (g_str_equal(response, "remove"))
        offer_withdraw(app->daemon, app->model, gtk_widget_get_name(GTK_WIDGET(dialog)),
                       withdraw_on_done, app);
}

/* Where it leads to, and how many use it now. Caller frees. */
static char *
withdraw_text(App *app, const char *name)
{
    Item *target = model_named(app->model->targets, name);
    const guint64 streams = target == NULL ? 0 : item_number(target, "Streams");
    g_autofree char *count = g_strdup_printf(
        ngettext("%u connection", "%u connections", (unsigned long)streams), (guint)streams);
    g_autofree char *text = text_join(target == NULL ? "" : item_string(target, "Address"),
                                      streams > 0 ? count : "", NULL);

    return text_plain(text);
}

void
offer_dialog_withdraw(App *app, const char *name)
{
    g_autofree char *apart = text_apart(name), *text = withdraw_text(app, name);
    g_autofree char *title = g_strdup_printf(_("Withdraw %s"), apart);
    GtkWidget *dialog = adw_message_dialog_new(window_gtk(app->window), title, text);

    gtk_widget_set_name(dialog, name);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "remove",
                                     _("_Remove"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "remove",
                                               ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    (void)g_signal_connect(dialog, "response", G_CALLBACK(withdraw_on_response), app);
    gtk_window_present(GTK_WINDOW(dialog));
}
