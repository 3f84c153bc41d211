/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer dialog: runs a Transfer and shows its progress. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* HUB and DEVICE are the first values; may be "". */
void transfer_dialog_present(App *app, const char *hub, const char *device);
