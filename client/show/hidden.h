/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hidden: whether other users have something that a list leaves out. */
#pragma once

#include "client/bus/bus.h"

/* PROPERTY of the manager, "HiddenStreams" or "HiddenTunnels", as it is now. FALSE also when it
 * cannot be read, as of an older streamd. */
gboolean show_is_hidden(Bus *bus, const char *property);

/* Says so below a list, on standard error: what is a list for another program stays one. TEXT is
 * translated. */
void show_hidden(Bus *bus, const char *property, const char *text);
