/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page: one of the window's four pages: lists of rows, or what to do while they are empty. Main
 * thread. */
#pragma once

#include "desktop/bus/model.h"

#include <gtk/gtk.h>

/* Each updates itself from MODEL. */
GtkWidget *page_tunnels_new(Model *model);
GtkWidget *page_streams_new(Model *model);
GtkWidget *page_devices_new(Model *model);
GtkWidget *page_hubs_new(Model *model);

/* The base of a page: a widget with a GtkStack in it. EMPTY shows while all its lists are empty. */
GtkWidget *page_new(GtkWidget *empty);

/* Adds a list. TITLE may be NULL. An empty list is hidden with its title. CREATE makes a row for an
 * Item. */
void page_add_list(GtkWidget *page, const char *title, GListStore *items,
                   GtkListBoxCreateWidgetFunc create);
