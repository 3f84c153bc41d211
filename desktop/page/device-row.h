/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device row: a device in a long list, whose rows are used again and again. Main thread. */
#pragma once

#include "desktop/device/device-list.h"

#include <gtk/gtk.h>

/* Makes the rows for Items with DeviceId and Hub. LIST, borrowed, knows which are connected. */
GtkListItemFactory *device_row_factory(DeviceList *list);
