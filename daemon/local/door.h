/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Door: takes the connections of a listener as they come, and asks at once whose each one is.
 *
 * A client that has closed is known for some 40 ms only (peer-uid.h), and the main thread may have
 * other work for longer than that: so the doors of all listeners stand on a reactor of their own
 * (Runtime.door), which does nothing else. Main thread, but for what the reactor does inside. */
#pragma once

#include "daemon/local/listener.h"
#include "daemon/net/runtime.h"

typedef struct Door Door;

#define DOOR_ACCEPTS_PER_TURN 64
#define DOOR_ARRIVALS_MAX 256                      /* taken, and not yet told to the main thread */
#define DOOR_PAUSE (250 * G_TIME_SPAN_MILLISECOND) /* when descriptors are short (R26), or that */

/* A connection: FD is the callee's. ERROR: 0, and UID is whose it is; negative: as of
 * peer_uid_get; 0 and UID 0 where the door does not ask. With FD -1 none could be taken, and ERROR
 * says why; the door tries again. */
typedef void (*DoorArrived)(int fd, int error, guint32 uid, void *data);

/* LISTENER outlives the door. ASK: each connection is asked about. */
Door *
door_new(Runtime *runtime, const Listener *listener, gboolean ask, DoorArrived arrived, void *data);

/* ARRIVED is not called any more; connections that it was not told are reset. Waits for the
 * reactor's turn. NULL is fine. */
void door_free(Door *door);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Door, door_free)
