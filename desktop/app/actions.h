/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions: what buttons, menu and keys do. They are GActions of the application, "app.NAME". Main
 * thread. */
#pragma once

#include "desktop/app/app.h"

void actions_add(App *app);

/* Call it when the daemon's state has changed: without streamd some actions are disabled. */
void actions_update(App *app);

/* Whether a dialog, or another window of ours, has the keyboard: what opens a dialog of the main
 * window is not meant then. */
gboolean actions_covered(App *app);

/* The menu of the header bar. */
GMenuModel *actions_menu(void);
