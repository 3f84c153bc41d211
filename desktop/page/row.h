/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row: an Item in a list: an icon, two lines, perhaps a third with an error, and on the right
 * further widgets. Main thread. */
#pragma once

#include "desktop/base/item.h"

#include <gtk/gtk.h>

typedef struct Row Row;

/* Shows the row's Item. Called at once, and whenever the Item changes. */
typedef void (*RowUpdate)(Row *row, Item *item);

/* The Row lives as long as its widget, row_widget(), a GtkListBoxRow. ICON: the icon's name. */
Row *row_new(const char *icon);
GtkWidget *row_widget(Row *row);

void row_bind(Row *row, Item *item, RowUpdate update);

void row_set_icon(Row *row, const char *icon, const char *css_class);
/* Texts may come from outside: they are shown plain, on one line. */
void row_set_title(Row *row, const char *title);
void row_set_subtitle(Row *row, const char *subtitle);
void row_set_error(Row *row, const char *error); /* "": there is none */

/* Puts a widget at the right end, or below the lines where the row is narrow. */
void row_add(Row *row, GtkWidget *widget);

/* Puts a widget below the second line. */
void row_add_line(Row *row, GtkWidget *widget);

/* Keeps a widget that the update needs again, under a static name. The Row does not own it. */
void row_remember(Row *row, GtkWidget *widget, const char *key);
GtkWidget *row_get(Row *row, const char *key);
