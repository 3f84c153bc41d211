/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Suspension: tells on the terminal when a stream has lost its way, and when it goes on: a line
 * each, on standard error, and only where that is a terminal. One thread. */
#pragma once

#include "client/bus/bus.h"

typedef struct Suspension Suspension;

/* Begins to watch the stream at PATH. BUS is borrowed. NULL: nobody reads standard error, or the
 * bus does not tell. */
Suspension *suspension_watch(Bus *bus, const char *path);

/* For poll(2): when it is readable, call suspension_look. */
int suspension_descriptor(const Suspension *suspension);

/* FALSE: nothing more will come. */
gboolean suspension_look(Suspension *suspension);

void suspension_free(Suspension *suspension); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Suspension, suspension_free)
