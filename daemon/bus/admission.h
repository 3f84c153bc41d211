/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admission: who may make which call. This is the only place that decides it, before any object is
 * called.
 *
 * A user's instance serves processes of that user. The system's instance serves everybody. There, a
 * call that has an action in bus/access.h needs polkit's permission (bus/bouncer.h), unless the
 * caller is root or streamd itself; and if a hub has a list of users, only they open streams to it.
 * Main thread. */
#pragma once

#include "daemon/bus/caller.h"
#include "daemon/bus/context.h"

/* A CallerAdmit; DATA is the BusContext. */
int bus_admission_check(Caller *caller, sd_bus_message *message, void *data, sd_bus_error *error);
