/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/form.h"
#include "desktop/base/ui.h"

#include <adwaita.h>

static void
form_add(GtkWidget *group, GtkWidget *row)
{
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
}

/* "_Device" without its underscore: what assistive technology says. */
static char *
form_name(const char *mnemonic)
{
    g_auto(GStrv) parts = g_strsplit(mnemonic, "_", -1);

    return g_strjoinv("", parts);
}

GtkWidget *
form_group_new(const char *title, const char *description)
{
    GtkWidget *group = adw_preferences_group_new();
    g_autofree char *shown = title == NULL ? NULL : g_markup_escape_text(title, -1);
    g_autofree char *told = description == NULL ? NULL : g_markup_escape_text(description, -1);

    if (shown != NULL)
        adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group), shown);
    adw_preferences_group_set_description(ADW_PREFERENCES_GROUP(group), told);
    return group;
}

static void
form_set_title(GtkWidget *row, const char *title, gboolean mnemonic)
{
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_use_underline(ADW_PREFERENCES_ROW(row), mnemonic);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
}

/* Captions and names: libadwaita 1.2 tells assistive technology of the row, not of the text in it.
 */
static GtkWidget *
form_add_entry(GtkWidget *group, GtkWidget *row, const char *mnemonic)
{
    GtkEditable *text = gtk_editable_get_delegate(GTK_EDITABLE(row));
    g_autofree char *name = form_name(mnemonic);

    form_set_title(row, mnemonic, TRUE);
    adw_entry_row_set_activates_default(ADW_ENTRY_ROW(row), TRUE);
    ui_name(GTK_WIDGET(text), name);
    form_add(group, row);
    return row;
}

GtkWidget *
form_entry(GtkWidget *group, const char *mnemonic, const char *text, int max)
{
    GtkWidget *row = form_add_entry(group, adw_entry_row_new(), mnemonic);

    gtk_text_set_max_length(GTK_TEXT(gtk_editable_get_delegate(GTK_EDITABLE(row))), max);
    gtk_editable_set_text(GTK_EDITABLE(row), text);
    return row;
}

void
form_set_hint(GtkWidget *entry, const char *hint)
{
    gtk_widget_set_tooltip_text(entry, hint);
}

void
form_add_menu(GtkWidget *entry, GMenuModel *menu, const char *name)
{
    GtkWidget *button = gtk_menu_button_new();

    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), menu);
    gtk_widget_set_tooltip_text(button, name);
    ui_name(button, name);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    adw_entry_row_add_suffix(ADW_ENTRY_ROW(entry), button);
}

GtkWidget *
form_secret(GtkWidget *group, const char *mnemonic)
{
    return form_add_entry(group, adw_password_entry_row_new(), mnemonic);
}

GtkWidget *
form_row(GtkWidget *group, const char *title, const char *subtitle)
{
    GtkWidget *row = adw_action_row_new();

    form_set_title(row, title, FALSE);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    form_add(group, row);
    return row;
}

/* A row whose mnemonic, and a click anywhere, go to WIDGET at its end. */
static GtkWidget *
form_add_widget(GtkWidget *group, const char *mnemonic, const char *explanation, GtkWidget *widget)
{
    GtkWidget *row = form_row(group, mnemonic, explanation);
    g_autofree char *name = form_name(mnemonic);

    adw_preferences_row_set_use_underline(ADW_PREFERENCES_ROW(row), TRUE);
    gtk_widget_set_valign(widget, GTK_ALIGN_CENTER);
    ui_name(widget, name);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), widget);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), widget);
    return widget;
}

GtkWidget *
form_switch(GtkWidget *group, const char *mnemonic, const char *explanation)
{
    return form_add_widget(group, mnemonic, explanation, gtk_switch_new());
}

GtkWidget *
form_number(GtkWidget *group, const char *mnemonic, double least, double most, double step)
{
    return form_add_widget(group, mnemonic, "", gtk_spin_button_new_with_range(least, most, step));
}

GtkWidget *
form_choice(GtkWidget *group, const char *mnemonic, const char *const *texts)
{
    GtkWidget *row = adw_combo_row_new();
    g_autoptr(GtkStringList) list = gtk_string_list_new(texts);

    form_set_title(row, mnemonic, TRUE);
    adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(list));
    form_add(group, row);
    return row;
}
