/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub.Update: reads what is to be changed and its secrets, tries it, and changes it. Main thread.
 */
#pragma once

#include "daemon/bus/context.h"

/* For the vtable of the hubs. */
int bus_hub_update(sd_bus_message *message, void *data, sd_bus_error *error);
