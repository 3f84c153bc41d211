/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Door: accepts the connections of a listener as they come, and asks at once who owns each one.
 *
 * The kernel knows the owner of a closed client for some 40 ms only (peer-uid.h), and the main
 * thread may be busy for longer. So the doors of all listeners run on a reactor of their own
 * (Runtime.door), which does nothing else. Call from the main thread. */
#pragma once

#include "daemon/local/listener.h"
#include "daemon/net/runtime.h"

typedef struct Door Door;

#define DOOR_ACCEPTS_PER_TURN 64
#define DOOR_ARRIVALS_MAX 256                      /* taken, and not yet told to the main thread */
#define DOOR_PAUSE (250 * G_TIME_SPAN_MILLISECOND) /* when descriptors are short (R26), or that */

/* A connection; the callee owns FD. ERROR 0: UID owns it (0 when the door does not ask). ERROR
 * negative: as of peer_uid_get. FD -1: no connection could be accepted, ERROR says why, and the
 * door retries. */
typedef void (*DoorArrived)(int fd, int error, guint32 uid, void *data);

/* LISTENER outlives the door. ASK: each connection is asked about. */
Door *
door_new(Runtime *runtime, const Listener *listener, gboolean ask, DoorArrived arrived, void *data);

/* Accepts nothing more: who comes now waits in the kernel. ARRIVED is still called for those that
 * it has accepted. Waits for one turn of the reactor. */
void door_hold(Door *door);

/* ARRIVED will not be called any more; connections that it was not told of are reset. Waits for one
 * turn of the reactor. NULL is fine. */
void door_free(Door *door);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Door, door_free)
