/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket dial: connects a plain socket, TCP or Unix, without blocking.
 *
 * Names are resolved off the main thread and addresses tried side by side (RFC 8305, by
 * GSocketClient). No proxy yet. Main thread. */
#pragma once

#include "daemon/runtime.h"

#include <gio/gio.h>

typedef struct SocketDial SocketDial;

/* FD is the callee's, or -1: then ERROR is GIO's, or STREAMD_ERROR_TIMED_OUT. Once, later. */
typedef void (*SocketDialDone)(int fd, const GError *error, void *data);

SocketDial *socket_dial_new(Runtime *runtime, GSocketConnectable *to, gint64 limit,
                            SocketDialDone done, void *data);

/* DONE is not called any more; nothing stays behind. Not after DONE; NULL is fine. */
void socket_dial_cancel(SocketDial *dial);
