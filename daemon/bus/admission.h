/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admission: who may make which call. The one place that decides it, in front of all objects.
 *
 * An instance of a user serves processes of that user. The system's serves everybody: what
 * bus/access.h gives an action needs polkit's yes (bus/bouncer.h), unless the caller is root or
 * streamd itself; and of a hub with a list of users only they open streams. Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

/* A CallerAdmit; DATA is the BusContext. */
int bus_admission_check(Caller *caller, sd_bus_message *message, void *data, sd_bus_error *error);
