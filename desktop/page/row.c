/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/page/row.h"
#include "desktop/base/fold.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#define ROW_DATA "streamd-row"

struct Row {
    GtkWidget *widget, *lines, *end; /* end: what is at the right, or below */
    GtkWidget *icon, *title, *subtitle, *error;
    char *css_class;   /* of the icon */
    GHashTable *known; /* static key -> GtkWidget, which the row owns */
    RowUpdate update;
};

static void
row_free(Row *row)
{
    g_hash_table_unref(row->known);
    g_free(row->css_class);
    g_free(row);
}

static GtkWidget *
row_label(const char *css_class)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(label, css_class);
    return label;
}

static void
row_build_lines(Row *row)
{
    row->lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    row->title = row_label("heading");
    row->subtitle = row_label("dim-label");
    row->error = row_label("error");
    gtk_widget_set_visible(row->error, FALSE);
    gtk_widget_set_valign(row->lines, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(row->lines), row->title);
    gtk_box_append(GTK_BOX(row->lines), row->subtitle);
    gtk_box_append(GTK_BOX(row->lines), row->error);
}

static GtkWidget *
row_build(Row *row)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *fold;

    row_build_lines(row);
    row->end = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_widget_set_visible(row->end, FALSE);
    gtk_widget_set_halign(row->end, GTK_ALIGN_END);
    fold = fold_new(row->lines, row->end);
    gtk_widget_set_hexpand(fold, TRUE);
    gtk_widget_add_css_class(row->icon, "row-icon");
    gtk_widget_set_valign(row->icon, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(box, "row");
    gtk_box_append(GTK_BOX(box), row->icon);
    gtk_box_append(GTK_BOX(box), fold);
    return box;
}

Row *
row_new(const char *icon)
{
    Row *row = g_new0(Row, 1);

    row->known = g_hash_table_new(g_str_hash, g_str_equal);
    row->widget = gtk_list_box_row_new();
    row->icon = gtk_image_new_from_icon_name(icon);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row->widget), row_build(row));
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row->widget), FALSE);
    g_object_set_data_full(G_OBJECT(row->widget), ROW_DATA, row, (GDestroyNotify)row_free);
    return row;
}

GtkWidget *
row_widget(Row *row)
{
    return row->widget;
}

static void
row_on_changed(Item *item, GtkWidget *widget)
{
    Row *row = g_object_get_data(G_OBJECT(widget), ROW_DATA);
    g_autofree char *name = NULL;

    row->update(row, item);
    name = text_join(gtk_label_get_text(GTK_LABEL(row->title)),
                     gtk_label_get_text(GTK_LABEL(row->subtitle)),
                     gtk_label_get_text(GTK_LABEL(row->error)), NULL);
    ui_name(widget, name);
}

void
row_bind(Row *row, Item *item, RowUpdate update)
{
    row->update = update;
    (void)g_signal_connect_object(item, "changed", G_CALLBACK(row_on_changed), row->widget, 0);
    row_on_changed(item, row->widget);
}

void
row_set_icon(Row *row, const char *icon, const char *css_class)
{
    if (g_strcmp0(gtk_image_get_icon_name(GTK_IMAGE(row->icon)), icon) != 0)
        gtk_image_set_from_icon_name(GTK_IMAGE(row->icon), icon);
    if (g_strcmp0(row->css_class, css_class) == 0)
        return;
    if (row->css_class != NULL)
        gtk_widget_remove_css_class(row->icon, row->css_class);
    gtk_widget_add_css_class(row->icon, css_class);
    g_free(row->css_class);
    row->css_class = g_strdup(css_class);
}

void
row_set_title(Row *row, const char *title)
{
    g_autofree char *plain = text_plain(title);

    gtk_label_set_text(GTK_LABEL(row->title), plain);
}

void
row_set_subtitle(Row *row, const char *subtitle)
{
    g_autofree char *plain = text_plain(subtitle);

    gtk_label_set_text(GTK_LABEL(row->subtitle), plain);
    gtk_widget_set_tooltip_text(row->subtitle, plain);
}

void
row_set_error(Row *row, const char *error)
{
    g_autofree char *plain = text_plain(error);

    gtk_label_set_text(GTK_LABEL(row->error), plain);
    gtk_widget_set_tooltip_text(row->error, plain);
    gtk_widget_set_visible(row->error, *error != '\0');
}

void
row_add(Row *row, GtkWidget *widget)
{
    gtk_widget_set_valign(widget, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(row->end), widget);
    gtk_widget_set_visible(row->end, TRUE);
}

void
row_add_line(Row *row, GtkWidget *widget)
{
    gtk_widget_set_halign(widget, GTK_ALIGN_START);
    gtk_box_insert_child_after(GTK_BOX(row->lines), widget, row->subtitle);
}

void
row_remember(Row *row, GtkWidget *widget, const char *key)
{
    (void)g_hash_table_insert(row->known, (gpointer)key, widget);
}

GtkWidget *
row_get(Row *row, const char *key)
{
    return g_hash_table_lookup(row->known, key);
}
