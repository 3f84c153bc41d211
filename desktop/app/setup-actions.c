/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/setup-actions.h"
#include "desktop/app/actions.h"
#include "desktop/app/browser-dialog.h"
#include "desktop/app/device-dialog.h"
#include "desktop/app/doctor-dialog.h"
#include "desktop/app/hub-dialog.h"
#include "desktop/app/join-dialog.h"
#include "desktop/app/offer-dialog.h"

typedef GSimpleAction Action;

static void
on_join(Action *action, GVariant *target, gpointer app)
{
    if (!actions_covered(app))
        join_dialog_present(app);
}

static void
on_show_hub(Action *action, GVariant *target, gpointer app)
{
    hub_dialog_present(app, g_variant_get_string(target, NULL));
}

static void
on_remove_hub(Action *action, GVariant *target, gpointer app)
{
    hub_dialog_remove(app, g_variant_get_string(target, NULL));
}

static void
on_check_hub(Action *action, GVariant *target, gpointer data)
{
    App *app = data;
    Item *hub = model_at(app->model->hubs, g_variant_get_string(target, NULL));

    if (hub != NULL)
        doctor_dialog_present(app, item_string(hub, "Name"), "", "");
}

static void
on_offer(Action *action, GVariant *target, gpointer app)
{
    const char *name, *address;

    g_variant_get(target, "(&s&s)", &name, &address);
    offer_dialog_present(app, name, address);
}

static void
on_withdraw(Action *action, GVariant *target, gpointer app)
{
    offer_dialog_withdraw(app, g_variant_get_string(target, NULL));
}

/* What a device's actions have as target. */
static void
device_target(GVariant *target, const char **ret_hub, const char **ret_device)
{
    g_variant_get(target, "(&s&s)", ret_hub, ret_device);
}

static void
on_show_rules(Action *action, GVariant *target, gpointer data)
{
    App *app = data;

    rules_ask(app->rules);
}

static void
on_show_device(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    device_target(target, &hub, &device);
    device_dialog_present(app, hub, device);
}

static void
on_terminal(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    device_target(target, &hub, &device);
    device_dialog_terminal(app, hub, device, "");
}

static void
on_browser(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    device_target(target, &hub, &device);
    browser_dialog_present(app, hub, device);
}

static void
on_check_device(Action *action, GVariant *target, gpointer app)
{
    const char *hub, *device;

    device_target(target, &hub, &device);
    doctor_dialog_present(app, hub, device, "ssh");
}

static const GActionEntry entries[] = {
    {.name = "join", .activate = on_join},
    {.name = "show-hub", .activate = on_show_hub, .parameter_type = "s"},
    {.name = "remove-hub", .activate = on_remove_hub, .parameter_type = "s"},
    {.name = "check-hub", .activate = on_check_hub, .parameter_type = "s"},
    {.name = "offer", .activate = on_offer, .parameter_type = "(ss)"},
    {.name = "withdraw", .activate = on_withdraw, .parameter_type = "s"},
    {.name = "show-rules", .activate = on_show_rules},
    {.name = "show-device", .activate = on_show_device, .parameter_type = "(ss)"},
    {.name = "terminal", .activate = on_terminal, .parameter_type = "(ss)"},
    {.name = "browser", .activate = on_browser, .parameter_type = "(ss)"},
    {.name = "check-device", .activate = on_check_device, .parameter_type = "(ss)"},
};

void
setup_actions_add(App *app)
{
    g_action_map_add_action_entries(G_ACTION_MAP(app->application), entries, G_N_ELEMENTS(entries),
                                    app);
    setup_actions_update(app);
}

void
setup_actions_update(App *app)
{
    const gboolean there =
        app->window != NULL && app->daemon != NULL && daemon_state(app->daemon) == DAEMON_PRESENT;

    for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
        GAction *action =
            g_action_map_lookup_action(G_ACTION_MAP(app->application), entries[i].name);

        if (action != NULL)
            g_simple_action_set_enabled(G_SIMPLE_ACTION(action), there);
    }
}
