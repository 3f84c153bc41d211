/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/page.h"
#include "desktop/base/ui.h"

#define PAGE_CONTENT "streamd-content"
#define PAGE_MODELS "streamd-models"

GtkWidget *
page_new(GtkWidget *empty)
{
    GtkWidget *stack = gtk_stack_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    gtk_widget_add_css_class(box, "page");
    (void)gtk_stack_add_named(GTK_STACK(stack), empty, "empty");
    (void)gtk_stack_add_named(GTK_STACK(stack), ui_scroll_new(box), "lists");
    gtk_stack_set_transition_type(GTK_STACK(stack), GTK_STACK_TRANSITION_TYPE_CROSSFADE);
    gtk_widget_set_vexpand(stack, TRUE);
    g_object_set_data(G_OBJECT(stack), PAGE_CONTENT, box);
    g_object_set_data_full(G_OBJECT(stack), PAGE_MODELS,
                           g_ptr_array_new_with_free_func(g_object_unref),
                           (GDestroyNotify)g_ptr_array_unref);
    return stack;
}

static void
page_on_items_changed(GListModel *model, guint position, guint removed, guint added,
                      GtkWidget *page)
{
    const GPtrArray *models = g_object_get_data(G_OBJECT(page), PAGE_MODELS);
    gboolean empty = TRUE;

    for (guint i = 0; i < models->len; i++)
        empty &= g_list_model_get_n_items(models->pdata[i]) == 0;
    gtk_stack_set_visible_child_name(GTK_STACK(page), empty ? "empty" : "lists");
}

static void
section_on_items_changed(GListModel *model, guint position, guint removed, guint added,
                         GtkWidget *section)
{
    gtk_widget_set_visible(section, g_list_model_get_n_items(model) > 0);
}

void
page_add_list(GtkWidget *page, const char *title, GListStore *items,
              GtkListBoxCreateWidgetFunc create)
{
    GtkWidget *content = g_object_get_data(G_OBJECT(page), PAGE_CONTENT);
    GtkWidget *section = gtk_box_new(GTK_ORIENTATION_VERTICAL, 9);
    GtkWidget *list = gtk_list_box_new();
    GListModel *model = G_LIST_MODEL(items);

    if (title != NULL) {
        GtkWidget *heading = gtk_label_new(title);

        gtk_label_set_wrap(GTK_LABEL(heading), TRUE);
        gtk_label_set_wrap_mode(GTK_LABEL(heading), PANGO_WRAP_WORD_CHAR);
        gtk_label_set_xalign(GTK_LABEL(heading), 0);
        gtk_label_set_wrap(GTK_LABEL(heading), TRUE);
        gtk_widget_add_css_class(heading, "heading");
        gtk_box_append(GTK_BOX(section), heading);
        gtk_accessible_update_relation(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                       heading, NULL, -1);
    }
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_list_box_bind_model(GTK_LIST_BOX(list), model, create, NULL, NULL);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_widget_add_css_class(section, "section");
    gtk_box_append(GTK_BOX(section), list);
    gtk_box_append(GTK_BOX(content), section);
    g_ptr_array_add(g_object_get_data(G_OBJECT(page), PAGE_MODELS), g_object_ref(model));
    (void)g_signal_connect_object(model, "items-changed", G_CALLBACK(section_on_items_changed),
                                  section, 0);
    (void)g_signal_connect_object(model, "items-changed", G_CALLBACK(page_on_items_changed), page,
                                  0);
    section_on_items_changed(model, 0, 0, 0, section);
    page_on_items_changed(model, 0, 0, 0, page);
}

void
page_add_widget(GtkWidget *page, GtkWidget *widget)
{
    GtkWidget *content = g_object_get_data(G_OBJECT(page), PAGE_CONTENT);

    gtk_widget_set_halign(widget, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(widget, "pill");
    gtk_widget_add_css_class(widget, "section");
    gtk_box_append(GTK_BOX(content), widget);
}
