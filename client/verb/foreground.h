/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreground: a tunnel that lives as long as the program. One thread. */
#pragma once

#include "client/bus/bus.h"

/* Stays with the tunnel at PATH until it ends or a signal comes. Writes to standard error what
 * happens to its connections: a client itself only sees a reset. On a terminal it also shows that
 * it waits for DEVICE. The bus must listen (bus_listen). */
ExitCode foreground_stay(Bus *bus, const char *path, const char *device, GError **error);
