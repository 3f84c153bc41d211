/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Browser dialog: opens a tunnel to a web service of a device, and its page in the user's browser.
 * Main thread. */
#pragma once

#include "desktop/app/app.h"

void browser_dialog_present(App *app, const char *hub, const char *device);
