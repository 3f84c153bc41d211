/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device dialog: what can be done with one device. Main thread. */
#pragma once

#include "desktop/app/app.h"

void device_dialog_present(App *app, const char *hub, const char *device);

/* Runs ssh to the device in the user's terminal, and tells how it went. */
void device_dialog_terminal(App *app, const char *hub, const char *device, const char *user);
