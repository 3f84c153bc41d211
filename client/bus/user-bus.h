/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User bus: finds the bus of a user where the environment does not lead to it, as under cron, under
 * su, or in a command of ssh. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* What the environment says; NULL or "": nothing. */
typedef struct {
    const char *address; /* DBUS_SESSION_BUS_ADDRESS */
    const char *folder;  /* XDG_RUNTIME_DIR */
} UserBusHints;

/* Where the bus of UID is, as an address, when the hints say nothing, or lead into the runtime
 * folder of another user, which su leaves in the environment. RUN: where the runtime folders are,
 * "/run/user". NULL: the hints are to be followed, or there is no socket of UID's own there. Caller
 * frees. */
char *user_bus_find(const char *run, uid_t uid, const UserBusHints *hints);
