/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreground: a tunnel that stays as long as the program. One thread. */
#pragma once

#include "client/bus/bus.h"

/* Stays with the tunnel at PATH until it ends or a signal says so, and tells on standard error what
 * becomes of its connections: who connected sees a reset and nothing else. On a terminal it also
 * tells that DEVICE is being waited for. The bus has to listen (bus_listen). */
ExitCode foreground_stay(Bus *bus, const char *path, const char *device, GError **error);
