/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnel dialog: asks which tunnel to open, and opens it. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* HUB and DEVICE are the first values; may be "". */
void tunnel_dialog_present(App *app, const char *hub, const char *device);
