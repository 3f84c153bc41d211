/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/app.h"
#include "desktop/app/actions.h"
#include "desktop/app/background.h"
#include "desktop/app/setup-actions.h"

/* There is no window before the daemon's first event, nor after the last one. */
static void
app_update_window(App *app)
{
    if (app->window != NULL)
        window_update(app->window);
}

static void
app_on_state(void *data)
{
    App *app = data;

    actions_update(app);
    app_update_window(app);
}

static void
app_on_objects(GVariant *objects, void *data)
{
    App *app = data;

    if (objects == NULL)
        model_clear(app->model);
    else
        model_apply(app->model, objects);
    if (objects == NULL && app->rules != NULL)
        rules_clear(app->rules);
    else if (objects != NULL)
        rules_refresh(app->rules);
    app_update_window(app);
}

static void
app_on_notice(const char *text, gboolean is_error, void *data)
{
    App *app = data;

    if (app->window != NULL)
        window_notice(app->window, text, is_error);
}

static void
app_on_startup(GApplication *application, gpointer data)
{
    static const DaemonEvents daemon_events = {app_on_state, app_on_objects};
    static const ConsentEvents consent_events = {app_on_notice, app_on_state};
    App *app = data;

    gtk_window_set_default_icon_name("io.streamd.Desktop");
    adw_style_manager_set_color_scheme(adw_style_manager_get_default(), app->scheme);
    app->cancellable = g_cancellable_new();
    app->settings = settings_new(NULL);
    app->model = model_new(app->settings);
    app->daemon = daemon_new(app->bus, &daemon_events, app);
    app->rules = rules_new(app->daemon);
    actions_add(app);
    setup_actions_add(app);
    daemon_rest(app->daemon);
    app->consent = consent_new(app->application, &consent_events, app);
    consent_set_wanted(app->consent, settings_answers(app->settings));
    background_start(app);
}

/* Without a window nobody looks. What was opened for as long as the window is there ends. */
static gboolean
app_on_closed(gpointer data)
{
    App *app = data;

    app->closing = 0;
    if (app->window == NULL)
        daemon_rest(app->daemon);
    return G_SOURCE_REMOVE;
}

static void
app_on_window_gone(GtkWidget *widget, gpointer data)
{
    App *app = data;

    consent_set_open(app->consent, FALSE);
    actions_update(app);
    if (app->closing == 0)
        app->closing = g_idle_add(app_on_closed, app);
}

static void
app_open_window(App *app)
{
    app->window = window_new(app);
    (void)g_signal_connect(window_gtk(app->window), "destroy", G_CALLBACK(app_on_window_gone), app);
    consent_set_open(app->consent, TRUE);
    actions_update(app);
    daemon_use_bus(app->daemon, app->bus);
}

static void
app_on_activate(GApplication *application, gpointer data)
{
    App *app = data;

    if (app->hidden) {
        app->hidden = FALSE;
        return;
    }
    if (app->window == NULL)
        app_open_window(app);
    gtk_window_present(window_gtk(app->window));
    consent_present(app->consent);
}

static void
app_on_shutdown(GApplication *application, gpointer data)
{
    App *app = data;

    if (app->window != NULL)
        (void)g_signal_handlers_disconnect_by_data(window_gtk(app->window), app);
    if (app->question != NULL)
        gtk_window_destroy(app->question);
    g_clear_pointer(&app->window, window_free);
    g_clear_handle_id(&app->closing, g_source_remove);
    g_cancellable_cancel(app->cancellable);
    g_clear_object(&app->cancellable);
    g_clear_pointer(&app->consent, consent_free);
    g_clear_pointer(&app->rules, rules_free);
    g_clear_pointer(&app->daemon, daemon_free);
    g_clear_pointer(&app->model, model_free);
    g_clear_pointer(&app->settings, settings_free);
}

void
app_attach(App *app)
{
    (void)g_signal_connect(app->application, "startup", G_CALLBACK(app_on_startup), app);
    (void)g_signal_connect(app->application, "activate", G_CALLBACK(app_on_activate), app);
    (void)g_signal_connect(app->application, "shutdown", G_CALLBACK(app_on_shutdown), app);
}
