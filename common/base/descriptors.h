/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: reserves the last tenth of them, so that strangers cannot use them up (requirement
 * R26). Any thread. */
#pragma once

#include <glib.h>

/* Whether FD, which a connection has just got, is in the last tenth of what the limit allows. The
 * kernel gives the lowest free number, so then nine tenths are in use. The rest is reserved for the
 * log, the database, a reload and the second half of a stream. */
gboolean descriptors_are_scarce(int fd);

/* So many descriptors this process may have before they are scarce; G_MAXUINT: without end. */
guint descriptors_capacity(void);

/* About how many it has: all below this number are in use. */
guint descriptors_used(void);

/* Raises the soft limit to the hard limit, but not above WANTED. If that fails, it warns and the
 * limit stays. */
void descriptors_raise_limit(guint64 wanted);
