/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/hub-dialog.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/bus/failure.h"
#include "desktop/setup/hub-words.h"

#include <adwaita.h>
#include <glib/gi18n.h>

/* -- removing ------------------------------------------------------------------------------- */

typedef struct {
    App *app;
    char *path, *name;
} Removal;

static void
removal_free(Removal *removal)
{
    g_free(removal->path);
    g_free(removal->name);
    g_free(removal);
}

static void
removal_on_removed(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Removal *removal = data;
    g_autofree char *text = error != NULL ? failure_text(error)
                                          : g_strdup_printf(_("Removed the hub %s"), removal->name);

    if (removal->app->window != NULL)
        window_notice(removal->app->window, text, error != NULL);
    daemon_refresh(removal->app->daemon);
    removal_free(removal);
}

static void
removal_on_response(AdwMessageDialog *dialog, const char *response, gpointer data)
{
    Removal *removal = data;
    const DaemonCall call = {.path = removal->path, .interface = STREAMD_HUB, .method = "Remove"};

    if (g_str_equal(response, "remove"))
        daemon_call(removal->app->daemon, &call, NULL, removal_on_removed, removal);
    else
        removal_free(removal);
}

/* As streamctl says it: whoever has come in through the hub shuts himself out. */
static char *
removal_text(App *app, const char *name)
{
    const guint streams = model_incoming(app->model, name);
    g_autofree char *open =
        g_strdup_printf(ngettext("%u stream that came in through this hub is open, perhaps the "
                                 "one you work through. It ends.",
                                 "%u streams that came in through this hub are open, perhaps the "
                                 "one you work through. They end.",
                                 streams),
                        streams);
    const char *always = _("Its key is deleted here, its tunnels close and its streams end. To "
                           "join again you need a new invitation.");

    return streams == 0 ? g_strdup(always) : g_strdup_printf("%s\n\n%s", open, always);
}

void
hub_dialog_remove(App *app, const char *hub)
{
    Item *item = model_at(app->model->hubs, hub);
    Removal *removal;
    GtkWidget *dialog;
    g_autofree char *title = NULL, *text = NULL;

    if (item == NULL)
        return;
    removal = g_new0(Removal, 1);
    removal->app = app;
    removal->path = g_strdup(hub);
    removal->name = g_strdup(item_string(item, "Name"));
    title = g_strdup_printf(_("Remove the Hub %s?"), removal->name);
    text = removal_text(app, removal->name);
    dialog = adw_message_dialog_new(window_gtk(app->window), title, text);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "remove",
                                     _("_Remove"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "remove",
                                               ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    (void)g_signal_connect(dialog, "response", G_CALLBACK(removal_on_response), removal);
    gtk_window_present(GTK_WINDOW(dialog));
}

/* -- showing -------------------------------------------------------------------------------- */

typedef struct {
    App *app;
    Item *hub;
    GtkWindow *window;
    GtkWidget *facts, *complaint, *connect, *disconnect, *remove;
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    (void)g_signal_handlers_disconnect_by_data(dialog->hub, dialog);
    (void)g_signal_handlers_disconnect_by_data(dialog->app->model->hubs, dialog);
    g_object_unref(dialog->hub);
    g_free(dialog);
}

static void
dialog_show_facts(Dialog *dialog)
{
    Item *hub = dialog->hub;
    g_autofree char *state = hub_words_state(hub), *role = hub_words_role(hub);
    g_autofree char *in = text_size(item_number(hub, "BytesIn"));
    g_autofree char *out = text_size(item_number(hub, "BytesOut"));
    g_autofree char *bytes = g_strdup_printf("↓ %s  ↑ %s", in, out);
    gboolean config = g_str_equal(item_string(hub, "Source"), "config");

    ui_facts_clear(dialog->facts);
    ui_facts_add(dialog->facts, _("State"), state);
    ui_facts_add(dialog->facts, _("Address"), item_string(hub, "HostName"));
    ui_facts_add(dialog->facts, _("Role"), role);
    ui_facts_add(dialog->facts, _("Bytes"), bytes);
    ui_facts_add(dialog->facts, _("Proxy"), item_string(hub, "Proxy"));
    ui_facts_add(dialog->facts, _("Certificate"), item_string(hub, "CertificateFile"));
    ui_facts_add(dialog->facts, _("Hub's authority"), hub_words_authority(hub));
    ui_facts_add(dialog->facts, _("Will be found at"), item_string(hub, "NextAddress"));
    ui_facts_add(dialog->facts, _("Set up in"),
                 config ? _("the configuration, which alone can change it") : "");
}

static void
dialog_update(Dialog *dialog)
{
    Item *hub = dialog->hub;
    const char *state = item_string(hub, "State"), *error = item_string(hub, "LastError");
    const char *cure = hub_words_cure(hub);
    const gboolean away = g_str_equal(state, "disconnected") || g_str_equal(state, "refused");
    g_autofree char *plain = text_plain(error);
    g_autofree char *why = g_strstrip(g_strdup_printf("%s\n%s", plain, cure));

    dialog_show_facts(dialog);
    ui_complaint_set(dialog->complaint, *why == '\0' ? NULL : why);
    gtk_widget_set_visible(dialog->connect, away);
    gtk_widget_set_visible(dialog->disconnect, !away);
}

static void
dialog_on_hubs(GListModel *hubs, guint position, guint removed, guint added, Dialog *dialog)
{
    if (model_at(G_LIST_STORE(hubs), item_path(dialog->hub)) != dialog->hub)
        gtk_window_destroy(dialog->window);
}

static GtkWidget *
dialog_button(Dialog *dialog, GtkWidget *box, const char *mnemonic, const char *action)
{
    GtkWidget *button = ui_button(mnemonic);

    gtk_widget_add_css_class(button, "pill");
    gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", item_path(dialog->hub));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    gtk_box_append(GTK_BOX(box), button);
    return button;
}

static GtkWidget *
dialog_build(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    const char *path = item_path(dialog->hub);

    dialog->complaint = ui_complaint_new();
    dialog->facts = ui_facts_new();
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->facts);
    dialog->connect = dialog_button(dialog, box, _("C_onnect"), "app.connect");
    dialog->disconnect = dialog_button(dialog, box, _("_Disconnect"), "app.disconnect");
    gtk_box_append(GTK_BOX(box),
                   ui_leave_button(_("Chec_k…"), "check-hub", g_variant_new("s", path)));
    dialog->remove = ui_leave_button(_("_Remove…"), "remove-hub", g_variant_new("s", path));
    gtk_box_append(GTK_BOX(box), dialog->remove);
    gtk_widget_add_css_class(dialog->remove, "destructive-action");
    gtk_widget_set_visible(dialog->remove,
                           !g_str_equal(item_string(dialog->hub, "Source"), "config"));
    return box;
}

void
hub_dialog_present(App *app, const char *hub)
{
    Item *item = model_at(app->model->hubs, hub);
    Dialog *dialog;

    if (item == NULL)
        return;
    dialog = g_new0(Dialog, 1);
    dialog->app = app;
    dialog->hub = g_object_ref(item);
    dialog->window = ui_dialog_new(window_gtk(app->window), item_string(item, "Name"),
                                   dialog_build(dialog), ui_button(_("_Done")), NULL);
    (void)g_signal_connect_swapped(item, "changed", G_CALLBACK(dialog_update), dialog);
    (void)g_signal_connect(app->model->hubs, "items-changed", G_CALLBACK(dialog_on_hubs), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    dialog_update(dialog);
    gtk_window_present(dialog->window);
}
