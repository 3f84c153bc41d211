/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recent menu: what was typed into a field earlier, to be chosen again. Main thread. */
#pragma once

#include "desktop/base/settings.h"

#include <gtk/gtk.h>

/* At the end of ENTRY, a row of base/form.h, a button that opens a menu of devices, or of streams;
 * none where nothing was used yet. */
void recent_menu_add(GtkWidget *entry, Settings *settings, gboolean devices);
