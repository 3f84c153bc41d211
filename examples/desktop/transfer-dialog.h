/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer dialog: has a Transfer run and shows how far it is. Main thread. */
#pragma once

#include "app.h"

/* HUB and DEVICE: what to begin with; may be "". */
void transfer_dialog_present(App *app, const char *hub, const char *device);
