/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/background.h"
#include "desktop/app/autostart.h"

#include <glib/gi18n.h>

#define QUIT "quit"
#define STAY "stay"
#define CANCEL "cancel"

static void
background_update(App *app)
{
    gboolean hold = app->stays || settings_background(app->settings);

    if (hold == app->held)
        return;
    app->held = hold;
    if (hold)
        g_application_hold(G_APPLICATION(app->application));
    else
        g_application_release(G_APPLICATION(app->application));
}

void
background_start(App *app)
{
    background_update(app);
}

void
background_stay(App *app)
{
    app->stays = TRUE;
    background_update(app);
}

static void background_set_autostart(App *app);

static void
background_on_autostart(gboolean on, const char *error, void *data)
{
    App *app = data;
    g_autofree char *text = NULL;

    app->starting = FALSE;
    if (app->start_again) {
        background_set_autostart(app);
        return; /* which tells what became of it in the end */
    }
    if (error == NULL || app->window == NULL)
        return;
    text = g_strdup_printf(settings_background(app->settings)
                               ? _("It does not start with the session: %s")
                               : _("It still starts with the session: %s"),
                           error);
    window_notice(app->window, text, TRUE);
}

/* One after the other: the last one is what stays. */
static void
background_set_autostart(App *app)
{
    app->start_again = app->starting;
    if (app->starting)
        return;
    app->starting = TRUE;
    autostart_set(g_application_get_dbus_connection(G_APPLICATION(app->application)),
                  settings_background(app->settings), app->cancellable, background_on_autostart,
                  app);
}

void
background_set(App *app, gboolean wanted)
{
    settings_set_background(app->settings, wanted);
    app->stays = app->stays && wanted;
    background_update(app);
    background_set_autostart(app);
}

/* Streams can come in only where this machine is a device of a hub. */
static gboolean
background_may_be_asked(App *app)
{
    GListModel *hubs = G_LIST_MODEL(app->model->hubs);

    for (guint i = 0; i < g_list_model_get_n_items(hubs); i++) {
        g_autoptr(Item) hub = g_list_model_get_item(hubs, i);

        if (g_str_equal(item_string(hub, "Role"), "device"))
            return consent_registered(app->consent);
    }
    return FALSE;
}

static gboolean
background_on_close(gpointer data)
{
    App *app = data;

    if (app->window != NULL)
        gtk_window_close(window_gtk(app->window));
    return G_SOURCE_REMOVE;
}

static void
background_on_response(AdwMessageDialog *dialog, const char *response, gpointer data)
{
    App *app = data;

    if (g_str_equal(response, QUIT)) {
        g_application_quit(G_APPLICATION(app->application));
    } else if (g_str_equal(response, STAY)) {
        background_stay(app);
        (void)g_idle_add(background_on_close, app); /* the dialog goes before its parent */
    }
}

static void
background_ask(App *app)
{
    GtkWindow *parent = app->window == NULL ? NULL : window_gtk(app->window);
    GtkWidget *widget = adw_message_dialog_new(
        parent, _("Quit Device Streams?"),
        _("Nobody is asked any more: streams that need consent are refused until it runs again."));
    AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG(widget);

    adw_message_dialog_add_responses(dialog, CANCEL, _("_Cancel"), QUIT, _("_Quit"), STAY,
                                     _("_Go On in the Background"), NULL);
    adw_message_dialog_set_response_appearance(dialog, QUIT, ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_response_appearance(dialog, STAY, ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(dialog, STAY);
    adw_message_dialog_set_close_response(dialog, CANCEL);
    (void)g_signal_connect(dialog, "response", G_CALLBACK(background_on_response), app);
    gtk_window_set_application(GTK_WINDOW(dialog), app->application);
    (void)g_set_weak_pointer(&app->question, GTK_WINDOW(dialog));
    gtk_window_present(GTK_WINDOW(dialog));
}

static void
background_ask_once(App *app)
{
    if (app->question != NULL)
        gtk_window_present(app->question);
    else
        background_ask(app);
}

gboolean
background_keeps_window(App *app)
{
    if (app->held || !background_may_be_asked(app))
        return FALSE;
    background_ask_once(app);
    return TRUE;
}

void
background_quit(App *app)
{
    if (consent_waits(app->consent) || (app->window != NULL && background_may_be_asked(app)))
        background_ask_once(app);
    else
        g_application_quit(G_APPLICATION(app->application));
}
