/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pump: standard input and output to and from a stream's socket, one thread, bounded buffers.
 *
 * The end of the input becomes a shutdown of the socket's write side, the end of the socket's
 * data closes the output. It is over when both directions are, or when the socket is dead. */
#pragma once

#include <glib.h>

typedef enum {
    PUMP_ENDED,       /* the socket's side ended; in order or cut is for streamd to say */
    PUMP_RESET,       /* the socket was reset */
    PUMP_OUTPUT_GONE, /* nobody reads our output any more */
} PumpEnd;

/* SOCKET is left open. Blocks. */
PumpEnd pump_run(int socket, int input, int output);
