/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/keys.h"

#include <glib/gi18n.h>

typedef struct {
    const char *action; /* NULL: GTK handles it */
    const char *keys[3];
    const char *title;
} Key;

static const Key key_table[] = {
    {"app.new-tunnel", {"<Control>n"}, N_("Open a tunnel")},
    {"app.join", {"<Control>j"}, N_("Join a hub")},
    {"app.new-transfer", {"<Control>t"}, N_("Test a transfer")},
    {"app.page::tunnels", {"<Alt>1"}, N_("Tunnels")},
    {"app.page::streams", {"<Alt>2"}, N_("Streams")},
    {"app.page::devices", {"<Alt>3"}, N_("Devices")},
    {"app.page::services", {"<Alt>4"}, N_("Services")},
    {"app.page::hubs", {"<Alt>5"}, N_("Hubs")},
    {NULL, {"F5"}, N_("Ask the hub for its devices again")},
    {NULL, {"F10"}, N_("Main menu")},
    {"app.keys", {"<Control>question"}, N_("Keyboard shortcuts")},
    {"app.close-window", {"<Control>w"}, N_("Close")},
    {"app.quit", {"<Control>q"}, N_("Quit")},
};

void
keys_add(GtkApplication *application)
{
    for (guint i = 0; i < G_N_ELEMENTS(key_table); i++) {
        if (key_table[i].action != NULL)
            gtk_application_set_accels_for_action(application, key_table[i].action,
                                                  key_table[i].keys);
    }
}

/* GTK 4.8 can make such a window only from a description. */
static char *
keys_describe(void)
{
    g_autoptr(GString) xml = g_string_new(
        "<interface><object class='GtkShortcutsWindow' id='window'><property "
        "name='modal'>1</property>"
        "<child><object class='GtkShortcutsSection'><child><object class='GtkShortcutsGroup'>");

    for (guint i = 0; i < G_N_ELEMENTS(key_table); i++) {
        g_autofree char *keys = g_strjoinv(" ", (char **)key_table[i].keys);
        g_autofree char *entry = g_markup_printf_escaped(
            "<child><object class='GtkShortcutsShortcut'><property name='title'>%s</property>"
            "<property name='accelerator'>%s</property></object></child>",
            _(key_table[i].title), keys);

        g_string_append(xml, entry);
    }
    g_string_append(xml, "</object></child></object></child></object></interface>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

void
keys_present(GtkWindow *parent)
{
    g_autofree char *xml = keys_describe();
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml, -1);
    GtkWindow *window = GTK_WINDOW(gtk_builder_get_object(builder, "window"));

    gtk_window_set_transient_for(window, parent);
    gtk_window_present(window);
}
