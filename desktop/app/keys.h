/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: the keyboard shortcuts, and the window that lists them. Main thread. */
#pragma once

#include <gtk/gtk.h>

/* Gives the application's actions their keys. */
void keys_add(GtkApplication *application);

/* Shows the list of shortcuts over PARENT. */
void keys_present(GtkWindow *parent);
