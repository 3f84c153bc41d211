/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bus secret: reads a short secret from a descriptor that came over the bus, until its end, without
 * blocking, with limits on size and time, and wipes it. Main thread. */
#pragma once

#include <glib.h>

#define BUS_SECRET_TIMEOUT (10 * G_TIME_SPAN_SECOND)

typedef struct BusSecret BusSecret;

/* TEXT is NUL-terminated, without a final line end, and wiped after the call. Or it is NULL, with
 * ERROR. The reader is freed after it. */
typedef void (*BusSecretDone)(const char *text, const GError *error, void *data);

/* Duplicates FD, which must be a pipe, a socket or a memfd: reading any other file could block, and
 * a terminal is not ours. DONE is called later, never from inside this call. NULL with ERROR set
 * when FD is none of these. */
BusSecret *bus_secret_read(int fd, gsize max, BusSecretDone done, void *data, GError **error);

/* DONE is not called any more; NULL is fine. */
void bus_secret_cancel(BusSecret *secret);
