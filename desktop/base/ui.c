/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/base/ui.h"
#include "desktop/base/text.h"

#include <adwaita.h>

#define FACT_WIDTH 28 /* of a value, in characters; longer ones are wrapped */
#define DIALOG_WIDTH 460

void
ui_name(GtkWidget *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void
ui_set_label(GtkWidget *button, const char *mnemonic)
{
    GtkWidget *label;

    gtk_button_set_label(GTK_BUTTON(button), mnemonic);
    label = gtk_button_get_child(GTK_BUTTON(button));
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
    /* GTK 4.8 gives assistive technology the label twice: with its underscore, and without. */
    gtk_accessible_reset_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}

GtkWidget *
ui_button(const char *mnemonic)
{
    GtkWidget *button = gtk_button_new();

    gtk_button_set_use_underline(GTK_BUTTON(button), TRUE);
    ui_set_label(button, mnemonic);
    return button;
}

GtkWidget *
ui_icon_button(const char *icon, const char *text, const char *action, GVariant *target)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);
    g_autofree char *plain = text_plain(text); /* there may be a name from outside in it */

    gtk_widget_set_tooltip_text(button, plain);
    ui_name(button, plain);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    gtk_actionable_set_action_target_value(GTK_ACTIONABLE(button), target);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
    return button;
}

GtkWidget *
ui_facts_new(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 18);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    gtk_widget_add_css_class(grid, "facts");
    return grid;
}

void
ui_facts_clear(GtkWidget *facts)
{
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(facts)) != NULL)
        gtk_grid_remove(GTK_GRID(facts), child);
}

static GtkWidget *
facts_label(const char *text, const char *css_class)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_yalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(label, css_class);
    return label;
}

void
ui_facts_add(GtkWidget *facts, const char *caption, const char *value)
{
    g_autofree char *plain = text_plain(value);
    GtkWidget *name, *content;
    int row = 0;

    if (*value == '\0')
        return;
    while (gtk_grid_get_child_at(GTK_GRID(facts), 0, row) != NULL)
        row++;
    name = facts_label(caption, "dim-label");
    content = facts_label(plain, "fact");
    gtk_label_set_max_width_chars(GTK_LABEL(content), FACT_WIDTH);
    gtk_widget_set_hexpand(content, TRUE);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(content), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                   name, NULL, -1);
    gtk_grid_attach(GTK_GRID(facts), name, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(facts), content, 1, row, 1, 1);
}

static gboolean
close_on_escape(GtkWidget *widget, GVariant *args, gpointer data)
{
    gtk_window_close(GTK_WINDOW(widget));
    return TRUE;
}

void
ui_close_on_escape(GtkWindow *window)
{
    GtkEventController *controller = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(controller),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                         gtk_callback_action_new(close_on_escape, NULL, NULL)));
    gtk_widget_add_controller(GTK_WIDGET(window), controller);
}

static void
dialog_on_cancel(GtkButton *button, gpointer window)
{
    gtk_window_close(window);
}

/* Less wide than that of libadwaita where two buttons leave it little. */
static GtkWidget *
dialog_title(const char *title)
{
    GtkWidget *label = gtk_label_new(title);

    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_label_set_width_chars(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "title");
    return label;
}

static void
dialog_fill_header(GtkWindow *window, AdwHeaderBar *bar, GtkWidget *cancel, GtkWidget *do_it)
{
    if (cancel != NULL) {
        adw_header_bar_set_show_start_title_buttons(bar, FALSE);
        adw_header_bar_set_show_end_title_buttons(bar, FALSE);
        adw_header_bar_pack_start(bar, cancel);
        (void)g_signal_connect(cancel, "clicked", G_CALLBACK(dialog_on_cancel), window);
    }
    if (do_it != NULL) {
        gtk_widget_add_css_class(do_it, "suggested-action");
        adw_header_bar_pack_end(bar, do_it);
        gtk_window_set_default_widget(window, do_it);
    }
}

GtkWidget *
ui_scroll_new(GtkWidget *content)
{
    GtkWidget *scroll = gtk_scrolled_window_new(), *clamp = adw_clamp_new();

    adw_clamp_set_child(ADW_CLAMP(clamp), content);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), clamp);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroll), TRUE);
    gtk_widget_set_vexpand(scroll, TRUE);
    return scroll;
}

GtkWindow *
ui_window_new(const char *title, GtkWidget *bar, GtkWidget *content)
{
    GtkWindow *window = GTK_WINDOW(adw_window_new());
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    gtk_window_set_title(window, title);
    gtk_widget_add_css_class(content, "dialog-content");
    gtk_box_append(GTK_BOX(box), bar);
    gtk_box_append(GTK_BOX(box), ui_scroll_new(content));
    adw_window_set_content(ADW_WINDOW(window), box);
    ui_close_on_escape(window);
    return window;
}

GtkWindow *
ui_dialog_new(GtkWindow *parent, const char *title, GtkWidget *content, GtkWidget *cancel,
              GtkWidget *do_it)
{
    GtkWidget *bar = adw_header_bar_new();
    GtkWindow *window = ui_window_new(title, bar, content);

    adw_header_bar_set_title_widget(ADW_HEADER_BAR(bar), dialog_title(title));
    dialog_fill_header(window, ADW_HEADER_BAR(bar), cancel, do_it);
    gtk_window_set_transient_for(window, parent);
    gtk_window_set_application(window, gtk_window_get_application(parent)); /* has the actions */
    gtk_window_set_destroy_with_parent(window, TRUE);
    gtk_window_set_modal(window, TRUE);
    gtk_window_set_default_size(window, DIALOG_WIDTH, -1);
    return window;
}

static void
leave_on_clicked(GtkButton *button, gpointer target)
{
    GtkWindow *window = GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(button)));
    GtkApplication *application = gtk_window_get_application(window);
    g_autofree char *action = g_strdup(gtk_widget_get_name(GTK_WIDGET(button)));
    g_autoptr(GVariant) kept = g_variant_ref(target);

    gtk_window_destroy(window);
    g_action_group_activate_action(G_ACTION_GROUP(application), action, kept);
}

static void
leave_free(gpointer target, GClosure *closure)
{
    g_variant_unref(target);
}

GtkWidget *
ui_leave_button(const char *mnemonic, const char *action, GVariant *target)
{
    GtkWidget *button = ui_button(mnemonic);

    gtk_widget_set_name(button, action);
    gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(button, "pill");
    (void)g_signal_connect_data(button, "clicked", G_CALLBACK(leave_on_clicked),
                                g_variant_ref_sink(target), leave_free, 0);
    return button;
}

GtkWidget *
ui_complaint_new(void)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 48);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_widget_add_css_class(label, "notice");
    gtk_widget_add_css_class(label, "error");
    gtk_widget_set_visible(label, FALSE);
    return label;
}

void
ui_complaint_set(GtkWidget *complaint, const char *text)
{
    gtk_label_set_text(GTK_LABEL(complaint), text == NULL ? "" : text);
    gtk_widget_set_visible(complaint, text != NULL);
}

GtkWidget *
ui_status_new(const char *icon, const char *title, const char *text, GtkWidget *button)
{
    GtkWidget *page = adw_status_page_new();

    adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), icon);
    ui_status_set(page, title, text);
    if (button != NULL) {
        gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
        if (GTK_IS_BUTTON(button))
            gtk_widget_add_css_class(button, "pill");
        adw_status_page_set_child(ADW_STATUS_PAGE(page), button);
    }
    gtk_widget_set_vexpand(page, TRUE);
    return page;
}

void
ui_status_set(GtkWidget *status, const char *title, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    adw_status_page_set_title(ADW_STATUS_PAGE(status), title);
    adw_status_page_set_description(ADW_STATUS_PAGE(status), escaped);
}
