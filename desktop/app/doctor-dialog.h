/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doctor dialog: checks the way to a hub, or to a stream of a device, and shows each step with what
 * helps. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* HUB: the hub's name. DEVICE and STREAM: a stream that is tried; both "": only the hub. */
void doctor_dialog_present(App *app, const char *hub, const char *device, const char *stream);
