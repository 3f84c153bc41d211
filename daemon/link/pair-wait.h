/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pair wait: the leg of an initiator that is up, until the hub has paired it with the device's
 * (docs/wire-protocol.md, section 8).
 *
 * The hub does not read a leg before the other one is there. With the first word that comes from it
 * the stream is open: a hub of ours pings at once, an older one answers the ping that it finds. Or
 * it closes the leg, and says why. Main thread; the bytes move on the reactor. */
#pragma once

#include "common/base/reason.h"
#include "common/net/connection.h"
#include "daemon/net/runtime.h"

typedef struct PairWait PairWait;

/* CONNECTION is detached and the callee's, what has come on it is still to be read. Or it is NULL,
 * and REASON is the hub's: REASON_CUT when it said none. Once, later. */
typedef void (*PairWaitDone)(Connection *connection, Reason reason, void *data);

/* Takes CONNECTION. After LIMIT µs: REASON_NOT_PAIRED. */
PairWait *pair_wait_new(Runtime *runtime, Reactor *reactor, Connection *connection, gint64 limit,
                        PairWaitDone done, void *data);

/* DONE is not called any more, the connection is closed. Not after DONE; NULL is fine. */
void pair_wait_cancel(PairWait *wait);
