/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/app.h"
#include "desktop/app/actions.h"

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

    if (app->agent != NULL)
        agent_daemon_changed(app->agent);
    actions_update(app);
    app_update_window(app);
}

/* Shows requests that waited before this app was registered. Only an agent sees requests. */
static void
app_show_requests(App *app)
{
    GListModel *requests = G_LIST_MODEL(app->model->requests);
    guint count = agent_registered(app->agent) ? g_list_model_get_n_items(requests) : 0;

    for (guint i = 0; i < count; i++) {
        g_autoptr(Item) request = g_list_model_get_item(requests, i);

        prompt_add(app->prompt, item_path(request), item_properties(request));
    }
}

static void
app_on_objects(GVariant *objects, void *data)
{
    App *app = data;

    if (objects == NULL) {
        model_clear(app->model);
        if (app->prompt != NULL)
            prompt_clear(app->prompt);
    } else {
        model_apply(app->model, objects);
        app_show_requests(app);
    }
    app_update_window(app);
}

static void
app_on_asked(const char *request, GVariant *details, void *data)
{
    App *app = data;

    prompt_add(app->prompt, request, details);
}

static void
app_on_cancelled(const char *request, const char *reason, void *data)
{
    App *app = data;

    prompt_remove(app->prompt, request, reason);
}

static void
app_on_agent(void *data)
{
    App *app = data;

    if (!agent_registered(app->agent))
        prompt_clear(app->prompt);
    else
        daemon_refresh(app->daemon); /* gets the requests that wait already */
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
    static const AgentEvents agent_events = {app_on_asked, app_on_cancelled, app_on_agent};
    App *app = data;

    gtk_window_set_default_icon_name("io.streamd.Desktop");
    adw_style_manager_set_color_scheme(adw_style_manager_get_default(), app->scheme);
    app->settings = settings_new(NULL);
    app->model = model_new(app->settings);
    app->daemon = daemon_new(app->bus, &daemon_events, app);
    app->prompt = prompt_new(app->application, app->daemon, app_on_notice, app);
    app->agent = agent_new(app->daemon, &agent_events, app);
    actions_add(app);
    agent_set_wanted(app->agent, settings_answers(app->settings));
}

static void
app_on_activate(GApplication *application, gpointer data)
{
    App *app = data;

    if (app->window == NULL)
        app->window = window_new(app);
    gtk_window_present(window_gtk(app->window));
    prompt_present(app->prompt);
}

static void
app_on_shutdown(GApplication *application, gpointer data)
{
    App *app = data;

    g_clear_pointer(&app->window, window_free);
    g_clear_pointer(&app->prompt, prompt_free);
    g_clear_pointer(&app->agent, agent_free);
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
