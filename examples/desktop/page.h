/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page: one of the window's four: lists of rows, or what to do while they are empty. Main thread.
 */
#pragma once

#include "model.h"

#include <gtk/gtk.h>

/* Each follows MODEL by itself. */
GtkWidget *page_tunnels_new(Model *model);
GtkWidget *page_streams_new(Model *model);
GtkWidget *page_devices_new(Model *model);
GtkWidget *page_hubs_new(Model *model);

/* What they are made of: a widget with a GtkStack in it. EMPTY is what to show while all of its
 * lists are empty. */
GtkWidget *page_new(GtkWidget *empty);

/* Adds a list. TITLE may be NULL; a list with nothing in it is hidden with its title. CREATE makes
 * a row of an Item. */
void page_add_list(GtkWidget *page, const char *title, GListStore *items,
                   GtkListBoxCreateWidgetFunc create);
