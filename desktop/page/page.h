/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page: one of the window's pages: lists of rows, or what to do while they are empty. Main
 * thread. */
#pragma once

#include "desktop/bus/daemon.h"
#include "desktop/bus/model.h"
#include "desktop/setup/rules.h"

#include <gtk/gtk.h>

/* Each updates itself from MODEL. */
GtkWidget *page_tunnels_new(Model *model);
GtkWidget *page_streams_new(Model *model);
GtkWidget *page_devices_new(Model *model, Daemon *daemon);
GtkWidget *page_services_new(Model *model, Rules *rules);
GtkWidget *page_hubs_new(Model *model);

/* The base of a page: a widget with a GtkStack in it. EMPTY shows while all its lists are empty. */
GtkWidget *page_new(GtkWidget *empty);

/* Adds a list. TITLE may be NULL. An empty list is hidden with its title. CREATE makes a row for an
 * Item. */
void page_add_list(GtkWidget *page, const char *title, GListStore *items,
                   GtkListBoxCreateWidgetFunc create);

/* Adds a widget below what is there, in the middle. */
void page_add_widget(GtkWidget *page, GtkWidget *widget);
