/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fold: two widgets beside each other where there is room for both, else one below the other. Main
 * thread. */
#pragma once

#include <gtk/gtk.h>

/* FIRST gets the room that is left. SECOND is never narrower than it wants to be, and goes below
 * when FIRST would have less than about 20 characters. */
GtkWidget *fold_new(GtkWidget *first, GtkWidget *second);
