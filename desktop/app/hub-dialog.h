/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub dialog: all that is known of one hub, and what can be done with it. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* HUB: the path of its object. Nothing happens when it is gone. */
void hub_dialog_present(App *app, const char *hub);

/* Asks whether to remove it, and says which streams would end. */
void hub_dialog_remove(App *app, const char *hub);
