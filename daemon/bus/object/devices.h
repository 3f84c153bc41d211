/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.ListDevices: which devices a hub has. Main thread. */
#pragma once

#include "daemon/bus/kind.h"

int bus_devices_on_list(sd_bus_message *message, void *data, sd_bus_error *error);
