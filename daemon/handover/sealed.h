/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealed: memory that one process writes and the next one reads, by a descriptor that the service
 * manager keeps between the two. It is never on a disk (memfd_create(2)); swap as all memory. Once
 * it is sealed nobody can change it, nor its size: reading it can give no SIGBUS. Main thread. */
#pragma once

#include <gio/gio.h>

/* Writes SIZE bytes. RET is the descriptor (CLOEXEC), the caller's. INVALID: SIZE is 0, as of what
 * cannot be written. */
typedef void (*SealedWrite)(guint8 *out, gsize size, const void *data);
gboolean sealed_make(gsize size, SealedWrite write, const void *data, int *ret, GError **error);

/* The bytes of FD, which stays the caller's; the mapping ends with the last reference. INVALID: it
 * is no such memory, or has more than MOST bytes. */
GBytes *sealed_read(int fd, gsize most, GError **error);
