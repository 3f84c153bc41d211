/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: so that strangers cannot take the last ones (requirement R26). Any thread. */
#pragma once

#include <glib.h>

/* FD was just taken by a connection. The kernel gives the lowest number that is free: one in the
 * last tenth of what the limit allows means that nine tenths are in use. Those that are left are
 * for what is there already: a log, the database, a reload, the other half of a stream. */
gboolean descriptors_are_scarce(int fd);

/* So many descriptors this process may have before they are scarce; G_MAXUINT: without end. */
guint descriptors_capacity(void);

/* Lets this process have as many as its hard limit allows, but no more than WANTED. What cannot be
 * raised stays as it is, with a warning. */
void descriptors_raise_limit(guint64 wanted);
