/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pump: copies standard input to a stream's socket and the socket to standard output. One thread,
 * bounded buffers.
 *
 * The end of the input becomes a shutdown of the socket's write side. The end of the socket's data
 * closes the output. The pump ends when both directions have ended, or when the socket is dead. */
#pragma once

#include <glib.h>

typedef enum {
    PUMP_ENDED,       /* the socket's side ended; streamd says whether in order or cut */
    PUMP_RESET,       /* the socket was reset */
    PUMP_OUTPUT_GONE, /* nobody reads our output any more */
} PumpEnd;

/* What is looked at beside: READABLE is called when FD is, until it returns FALSE. */
typedef struct {
    int fd;
    gboolean (*readable)(void *data);
    void *data;
} PumpAside;

/* SOCKET stays open. ASIDE NULL: nothing. Blocks. */
PumpEnd pump_run(int socket, int input, int output, const PumpAside *aside);
