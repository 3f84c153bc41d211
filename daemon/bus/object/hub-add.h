/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.AddHub: reads the options of a new hub and its secrets, and adds it. Main thread. */
#pragma once

#include "daemon/bus/call.h"
#include "daemon/bus/kind.h"

/* For the vtable of the manager. */
int bus_hub_add(sd_bus_message *message, void *data, sd_bus_error *error);

/* Ends a call that has added an object: with its path, or with ERROR. */
void bus_object_answer_added(BusCall *call, const BusKind *kind, gconstpointer object,
                             const GError *error);
