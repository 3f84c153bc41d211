/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Setup actions: what sets hubs, services and devices up, under the names that menus and buttons
 * use. Main thread. */
#pragma once

#include "desktop/app/app.h"

void setup_actions_add(App *app);

/* They are there with a window and a daemon. actions_update() calls it. */
void setup_actions_update(App *app);
