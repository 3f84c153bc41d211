/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bus/objects.c and bus/signal.c share. Main thread. */
#pragma once

#include "daemon/bus/objects.h"

/* One "{sv}" per property of the vtable; NAMES NULL: all of them. */
int bus_object_append(BusServer *server, const BusKind *kind, gpointer object, const char *path,
                      GPtrArray *names, sd_bus_message *message);

/* "{sa{sv}}": an interface with all its properties. */
int bus_object_append_interface(BusServer *server, const BusKind *kind, gpointer object,
                                const char *path, sd_bus_message *message);
