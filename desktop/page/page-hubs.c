/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/page.h"
#include "desktop/page/row.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/setup/hub-words.h"

#include <glib/gi18n.h>

static const char *
hub_look(const char *state)
{
    if (g_str_equal(state, "connected"))
        return "success";
    return g_str_equal(state, "refused") ? "error" : "dim";
}

static void
hub_update(Row *row, Item *hub)
{
    const char *state = item_string(hub, "State");
    gboolean away = g_str_equal(state, "disconnected") || g_str_equal(state, "refused");
    g_autofree char *role = hub_words_role(hub);
    g_autofree char *subtitle =
        text_join(text_hub_state(state), item_string(hub, "HostName"), role, NULL);

    row_set_icon(row, "streamd-hub-symbolic", hub_look(state));
    row_set_title(row, item_string(hub, "Name"));
    row_set_subtitle(row, subtitle);
    row_set_error(row, item_string(hub, "LastError"));
    gtk_widget_set_visible(row_get(row, "app.connect"), away);
}

/* NAME: the button's accessible name, which says which hub it means. Takes it. */
static void
hub_add_button(Row *row, Item *hub, const char *label, char *name, const char *action)
{
    GtkWidget *button = gtk_button_new_with_label(label);

    ui_name(button, name);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(button), "s", item_path(hub));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    row_add(row, button);
    row_remember(row, button, action);
    g_free(name);
}

static GtkWidget *
hub_create(gpointer item, gpointer data)
{
    Row *row = row_new("streamd-hub-symbolic");
    const char *name = item_string(item, "Name");
    g_autofree char *more = g_strdup_printf(_("More about %s"), name);

    hub_add_button(row, item, _("Connect"), g_strdup_printf(_("Connect to %s"), name),
                   "app.connect");
    row_add(row, ui_icon_button("view-more-symbolic", more, "app.show-hub",
                                g_variant_new("s", item_path(item))));
    row_bind(row, item, hub_update);
    return row_widget(row);
}

static GtkWidget *
join_button(void)
{
    GtkWidget *button = ui_button(_("_Join a Hub…"));

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "app.join");
    return button;
}

GtkWidget *
page_hubs_new(Model *model)
{
    GtkWidget *empty = ui_status_new(
        "streamd-hub-symbolic", _("No Hub"),
        _("A hub joins this machine and its devices. Whoever runs yours gives you an invitation: a "
          "file or a text. Drop it here, or begin with the button."),
        join_button());
    GtkWidget *page = page_new(empty);

    page_add_list(page, NULL, model->hubs, hub_create);
    page_add_widget(page, join_button());
    return page;
}
