/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/actions.h"
#include "desktop/app/background.h"
#include "desktop/app/keys.h"
#include "desktop/app/setup-actions.h"
#include "desktop/base/names.h"
#include "desktop/app/transfer-dialog.h"
#include "desktop/app/tunnel-dialog.h"

#include <glib/gi18n.h>

typedef GSimpleAction Action;

/* The dialog that WINDOW waits for; NULL: none. */
static GtkWindow *
actions_dialog_of(GtkWindow *window)
{
    GListModel *all = gtk_window_get_toplevels();

    for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
        g_autoptr(GtkWindow) other = g_list_model_get_item(all, i);

        if (gtk_window_get_transient_for(other) == window && gtk_window_get_modal(other))
            return other; /* which GTK owns */
    }
    return NULL;
}

/* The window that a key means: the active one, or a dialog over it that is not active yet. One that
 * has just come is the application's own idea of the active one, though another has the keyboard.
 */
static GtkWindow *
actions_window(App *app)
{
    GtkWindow *window = gtk_application_get_active_window(app->application), *dialog;

    for (GList *l = gtk_application_get_windows(app->application); l != NULL; l = l->next) {
        if (gtk_window_is_active(l->data))
            window = l->data;
    }
    while (window != NULL && (dialog = actions_dialog_of(window)) != NULL)
        window = dialog;
    return window;
}

gboolean
actions_covered(App *app)
{
    return actions_window(app) != window_gtk(app->window);
}

static void
actions_on_called(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    App *app = data;

    if (app->window == NULL)
        return;
    if (error != NULL)
        window_notice(app->window, error->message, TRUE);
    daemon_refresh(app->daemon);
}

static void
actions_call(App *app, const char *path, const char *interface, const char *method, GVariant *args)
{
    const DaemonCall call = {path, interface, method, args, 0};

    daemon_call(app->daemon, &call, NULL, actions_on_called, app);
}

static void
on_new_tunnel(Action *action, GVariant *target, gpointer app)
{
    if (!actions_covered(app))
        tunnel_dialog_present(app, "", "");
}

static void
on_open_tunnel(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    g_variant_get(target, "(&s&s)", &hub, &device);
    tunnel_dialog_present(app, hub, device);
}

static void
on_new_transfer(Action *action, GVariant *target, gpointer app)
{
    if (!actions_covered(app))
        transfer_dialog_present(app, "", "");
}

static void
on_test_transfer(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    g_variant_get(target, "(&s&s)", &hub, &device);
    transfer_dialog_present(app, hub, device);
}

static void
on_close(Action *action, GVariant *target, gpointer app)
{
    const char *path = g_variant_get_string(target, NULL);
    gboolean tunnel = g_str_has_prefix(path, STREAMD_ROOT "/tunnel/");

    actions_call(app, path, tunnel ? STREAMD_TUNNEL : STREAMD_STREAM, "Close", NULL);
}

static void
on_connect(Action *action, GVariant *target, gpointer app)
{
    actions_call(app, g_variant_get_string(target, NULL), STREAMD_HUB, "Connect", NULL);
}

static void
on_disconnect(Action *action, GVariant *target, gpointer app)
{
    actions_call(app, g_variant_get_string(target, NULL), STREAMD_HUB, "Disconnect", NULL);
}

static void
on_forget(Action *action, GVariant *target, gpointer data)
{
    App *app = data;
    const char *hub, *device;

    g_variant_get(target, "(&s&s)", &hub, &device);
    settings_forget(app->settings, hub, device);
    model_devices_changed(app->model);
}

static void
on_copy(Action *action, GVariant *target, gpointer data)
{
    App *app = data;
    const char *text = g_variant_get_string(target, NULL);
    g_autofree char *notice = g_strdup_printf(_("Copied: %s"), text);

    gdk_clipboard_set_text(gdk_display_get_clipboard(gdk_display_get_default()), text);
    window_notice(app->window, notice, FALSE);
}

static void
on_watch(Action *action, GVariant *target, gpointer app)
{
    actions_call(app, STREAMD_ROOT, STREAMD_MANAGER, "Watch",
                 g_variant_new("(@a{sv})", g_variant_new("a{sv}", NULL)));
}

static void
on_start(Action *action, GVariant *target, gpointer data)
{
    App *app = data;

    daemon_start(app->daemon, NULL, actions_on_called, app);
}

static void
on_bus(Action *action, GVariant *value, gpointer data)
{
    App *app = data;
    const char *name = g_variant_get_string(value, NULL);

    g_simple_action_set_state(action, value);
    if (g_str_equal(name, "user"))
        app->bus = G_BUS_TYPE_SESSION;
    else
        app->bus = g_str_equal(name, "system") ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_NONE;
    if (app->window != NULL)
        daemon_use_bus(app->daemon, app->bus);
}

static void
on_answer(Action *action, GVariant *value, gpointer data)
{
    App *app = data;
    gboolean answers = g_variant_get_boolean(value);

    g_simple_action_set_state(action, value);
    settings_set_answers(app->settings, answers);
    consent_set_wanted(app->consent, answers);
}

static void
on_background(Action *action, GVariant *value, gpointer app)
{
    g_simple_action_set_state(action, value);
    background_set(app, g_variant_get_boolean(value));
}

static void
on_stay(Action *action, GVariant *target, gpointer app)
{
    background_stay(app);
}

static void
on_page(Action *action, GVariant *target, gpointer data)
{
    App *app = data;

    if (!actions_covered(app))
        window_show_page(app->window, g_variant_get_string(target, NULL));
}

static void
on_keys(Action *action, GVariant *target, gpointer data)
{
    App *app = data;

    if (!actions_covered(app))
        keys_present(window_gtk(app->window));
}

static void
on_about(Action *action, GVariant *target, gpointer data)
{
    App *app = data;

    if (actions_covered(app))
        return;
    adw_show_about_window(window_gtk(app->window), "application-name", _("Device Streams"),
                          "version", STREAMD_VERSION, "application-icon", APP_ID, "license-type",
                          GTK_LICENSE_LGPL_2_1, "comments",
                          _("Hubs, devices and tunnels of streamd"), NULL);
}

static void
on_close_window(Action *action, GVariant *target, gpointer data)
{
    App *app = data;
    GtkWindow *window = actions_window(app);

    if (window != NULL)
        gtk_window_close(window);
}

static void
on_quit(Action *action, GVariant *target, gpointer app)
{
    background_quit(app);
}

static const GActionEntry entries[] = {
    {.name = "new-tunnel", .activate = on_new_tunnel},
    {.name = "open-tunnel", .activate = on_open_tunnel, .parameter_type = "(ss)"},
    {.name = "new-transfer", .activate = on_new_transfer},
    {.name = "test-transfer", .activate = on_test_transfer, .parameter_type = "(ss)"},
    {.name = "close", .activate = on_close, .parameter_type = "s"},
    {.name = "connect", .activate = on_connect, .parameter_type = "s"},
    {.name = "disconnect", .activate = on_disconnect, .parameter_type = "s"},
    {.name = "forget", .activate = on_forget, .parameter_type = "(ss)"},
    {.name = "copy", .activate = on_copy, .parameter_type = "s"},
    {.name = "watch", .activate = on_watch},
    {.name = "start", .activate = on_start},
    {.name = "bus", .parameter_type = "s", .state = "'auto'", .change_state = on_bus},
    {.name = "answer", .state = "true", .change_state = on_answer},
    {.name = "background", .state = "false", .change_state = on_background},
    {.name = "stay", .activate = on_stay},
    {.name = "page", .activate = on_page, .parameter_type = "s"},
    {.name = "keys", .activate = on_keys},
    {.name = "about", .activate = on_about},
    {.name = "close-window", .activate = on_close_window},
    {.name = "quit", .activate = on_quit},
};

static void
actions_set_state(App *app, const char *name, GVariant *state)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(app->application), name);

    g_simple_action_set_state(G_SIMPLE_ACTION(action), state);
}

void
actions_add(App *app)
{
    const char *bus = app->bus == G_BUS_TYPE_SESSION  ? "user"
                      : app->bus == G_BUS_TYPE_SYSTEM ? "system"
                                                      : "auto";

    g_action_map_add_action_entries(G_ACTION_MAP(app->application), entries, G_N_ELEMENTS(entries),
                                    app);
    actions_set_state(app, "bus", g_variant_new_string(bus));
    actions_set_state(app, "answer", g_variant_new_boolean(settings_answers(app->settings)));
    actions_set_state(app, "background", g_variant_new_boolean(settings_background(app->settings)));
    keys_add(app->application);
    actions_update(app);
}

/* Others can call an action while there is no window, too. */
void
actions_update(App *app)
{
    static const struct {
        const char *name;
        gboolean needs_daemon;
    } needing[] = {{"new-tunnel", TRUE},    {"open-tunnel", TRUE}, {"new-transfer", TRUE},
                   {"test-transfer", TRUE}, {"watch", TRUE},       {"copy", FALSE},
                   {"page", FALSE},         {"keys", FALSE},       {"about", FALSE}};
    gboolean there = app->daemon != NULL && daemon_state(app->daemon) == DAEMON_PRESENT;

    for (guint i = 0; i < G_N_ELEMENTS(needing); i++) {
        GAction *action =
            g_action_map_lookup_action(G_ACTION_MAP(app->application), needing[i].name);

        if (action != NULL)
            g_simple_action_set_enabled(G_SIMPLE_ACTION(action),
                                        app->window != NULL && (there || !needing[i].needs_daemon));
    }
    setup_actions_update(app);
}

GMenuModel *
actions_menu(void)
{
    g_autoptr(GMenu) bus = g_menu_new(), tools = g_menu_new(), about = g_menu_new();
    GMenu *menu = g_menu_new();

    g_menu_append(tools, _("_Join a Hub…"), "app.join");
    g_menu_append(tools, _("_Test a Transfer…"), "app.new-transfer");
    g_menu_append(tools, _("_Ask Me About Incoming Streams"), "app.answer");
    g_menu_append(tools, _("Ask Me Also When the _Window Is Closed"), "app.background");
    g_menu_append(tools, _("Show _Everyone's Streams"), "app.watch");
    g_menu_append(bus, _("_Wherever streamd Runs"), "app.bus::auto");
    g_menu_append(bus, _("_My Own streamd"), "app.bus::user");
    g_menu_append(bus, _("The _System's streamd"), "app.bus::system");
    g_menu_append(about, _("_Keyboard Shortcuts"), "app.keys");
    g_menu_append(about, _("A_bout Device Streams"), "app.about");
    g_menu_append(about, _("_Quit"), "app.quit");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(tools));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(bus));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(about));
    return G_MENU_MODEL(menu);
}
