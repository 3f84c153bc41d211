/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: what the keyboard does, and the window that says so. Main thread. */
#pragma once

#include <gtk/gtk.h>

/* Gives the application's actions their keys. */
void keys_add(GtkApplication *application);

/* Shows the list of them over PARENT. */
void keys_present(GtkWindow *parent);
