/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pair wait: waits with an initiator's leg until the hub has paired it with the device's leg
 * (docs/wire-protocol.md, section 8).
 *
 * The hub does not read a leg before the other one is there. The first frame from the hub means
 * that the stream is open: streamhub pings at once, another hub answers our ping. Or the hub closes
 * the leg with the reason. Main thread; the bytes move on the reactor. */
#pragma once

#include "common/base/reason.h"
#include "common/net/connection.h"
#include "daemon/net/runtime.h"

typedef struct PairWait PairWait;

/* CONNECTION is detached, and the callee owns it; what has arrived on it is still to be read. Or it
 * is NULL, and REASON is what the hub said (REASON_CUT if nothing). Called once, later. */
typedef void (*PairWaitDone)(Connection *connection, Reason reason, void *data);

/* Takes CONNECTION. After LIMIT µs: REASON_NOT_PAIRED. */
PairWait *pair_wait_new(Runtime *runtime, Reactor *reactor, Connection *connection, gint64 limit,
                        PairWaitDone done, void *data);

/* Closes the connection; DONE will not be called. Not allowed after DONE. NULL is fine. */
void pair_wait_cancel(PairWait *wait);
