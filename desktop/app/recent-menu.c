/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/recent-menu.h"
#include "desktop/base/form.h"

#include <glib/gi18n.h>

/* A menu would take an underscore for that of a mnemonic. */
static char *
recent_label(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);

    return g_strjoinv("__", parts);
}

/* The newest first, without repeats. */
static GMenuModel *
recent_menu(Settings *settings, gboolean devices)
{
    GMenu *menu = g_menu_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const Recent *recent;

    for (guint i = 0; (recent = settings_recent(settings, i)) != NULL; i++) {
        const char *text = devices ? recent->device : recent->stream;
        g_autofree char *label = recent_label(text);
        g_autoptr(GMenuItem) item = g_menu_item_new(label, NULL);

        if (*text == '\0' || !g_hash_table_add(seen, (gpointer)text))
            continue;
        g_menu_item_set_action_and_target(item, "recent.use", "s", text);
        g_menu_append_item(menu, item);
    }
    return G_MENU_MODEL(menu);
}

static void
recent_on_use(GSimpleAction *action, GVariant *text, gpointer entry)
{
    gtk_editable_set_text(GTK_EDITABLE(entry), g_variant_get_string(text, NULL));
}

void
recent_menu_add(GtkWidget *entry, Settings *settings, gboolean devices)
{
    static const GActionEntry entries[] = {
        {.name = "use", .activate = recent_on_use, .parameter_type = "s"},
    };
    g_autoptr(GMenuModel) menu = recent_menu(settings, devices);
    g_autoptr(GSimpleActionGroup) actions = g_simple_action_group_new();

    if (g_menu_model_get_n_items(menu) == 0)
        return;
    g_action_map_add_action_entries(G_ACTION_MAP(actions), entries, G_N_ELEMENTS(entries), entry);
    gtk_widget_insert_action_group(entry, "recent", G_ACTION_GROUP(actions));
    form_add_menu(entry, menu, devices ? _("Devices used before") : _("Streams used before"));
}
