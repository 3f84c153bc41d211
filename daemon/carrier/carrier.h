/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Carrier: carries the bytes of one stream that survives its legs, between its local socket and
 * whichever leg it has (docs/wire-protocol.md, section 8a). It is what a relay (common/net/relay.h)
 * is for a stream that ends with its leg. The rules of the talk are common/resume/stream.h's; this
 * is the I/O around it, on one reactor: it reads the leg always and the local socket as far as its
 * bytes may be kept, holds the limits of the rule, and notices a leg that is silent.
 *
 * A leg that is lost before the other end's `r` ends the stream, as a relay would. From then on it
 * is `lost`, and waits for another one; how long is for the caller to say, who ends it by
 * carrier_end. */
#pragma once

#include "common/net/relay-state.h"
#include "common/net/relay.h"
#include "common/resume/stream.h"

typedef struct Carrier Carrier;

typedef struct {
    Connection *local; /* taken, detached */
    gboolean device;   /* we are the device's side: it leaves the last close to the service */
    Caps caps;         /* of the legs; with CAP_RESUME */
    RelayTimes times;  /* ping, dead, wait, pair, patience and limits are used */
    ResumeBudget *budget;
    RelayMeter *meter; /* [0]: from the local socket, [1]: from the hub; outlives the carrier;
                          what it has counts for the limit of bytes */
    gint64 elapsed;    /* µs that its limit of duration has run already, in a former process */
} CarrierOptions;

/* On the thread of OWNER's receiver. */
typedef struct {
    /* The other end's `r` has come on this leg: from now on, and again after each loss, it goes on.
     */
    void (*talking)(Carrier *carrier, void *data);
    /* The leg is gone for REASON; the stream waits for another one. PENDING: bytes that the other
     * end has not consumed as far as we know. */
    void (*lost)(Carrier *carrier, Reason reason, guint64 pending, void *data);
    /* The end, once; nothing but `parted` is called after it. REASON as a relay tells it. FIGURES:
     * for the tombstone. */
    void (*ended)(Carrier *carrier, Reason reason, const ResumeFigures *figures, void *data);
    /* After `ended`, where carrier_is_parting says so, once: the last leg is closed. LOST: it was
     * lost before all had arrived there that was said at the end. NULL: nobody asks. */
    void (*parted)(Carrier *carrier, gboolean lost, void *data);
} CarrierEvents;

#define CARRIER_LAST_CLOSE (5 * G_TIME_SPAN_SECOND) /* for the service's close, when completed */

/* Any thread. OPTIONS and EVENTS are copied. RESTORED: of a former process (taken); NULL: a new
 * stream. The caller holds the first reference. It has no leg yet. */
Carrier *carrier_new(Reactor *reactor, const CarrierOptions *options, ResumeStream *restored,
                     const CarrierEvents *events, Queue *owner, void *data);

Reactor *carrier_reactor(const Carrier *carrier); /* its legs are to be made there */

/* Any thread. LEG is taken, detached or on the reactor; the carrier is its WebSocket client. A leg
 * that it had is dropped first (no `lost` is told for that one). */
void carrier_attach(Carrier *carrier, Connection *leg);

/* Any thread: lets go of the leg at once; then as if it was lost for REASON. */
void carrier_detach(Carrier *carrier, Reason reason);

/* Any thread: asks the hub for a sign of life, because the network has changed. Without one within
 * LIMIT µs the leg is lost (REASON_SILENT). */
#define CARRIER_STALE                                                                              \
    (100 * G_TIME_SPAN_MILLISECOND) /* what comes sooner may have been on its way */
void carrier_probe(Carrier *carrier, gint64 limit);

/* Any thread: the stream ends for REASON. With a leg the other end is told by `c`, what it has not
 * got is dropped. The local socket is reset, unless REASON is orderly: then what has come is
 * delivered while that makes progress, and it gets FIN. DELIVERED_ENDS: REASON is what the other
 * end has ended with, of which we heard on another way than a leg (`ended`): FIN only if its `e`
 * had come and all before it was delivered. Only the first call counts. */
void carrier_end(Carrier *carrier, Reason reason);
void carrier_ended_there(Carrier *carrier, Reason reason);

/* After the end: a leg could not be told why (as relay_is_unsaid). Service: the other end does not
 * know, as far as this end can tell. */
gboolean carrier_is_unsaid(const Carrier *carrier);

/* After the end: the last word is still on its way. */
gboolean carrier_is_parting(const Carrier *carrier);

/* After the end: the other end knows of it, because it said so itself. */
gboolean carrier_is_known(const Carrier *carrier);

/* Any thread: the other end has consumed more, as it said since the last call. */
gboolean carrier_take_advance(Carrier *carrier);

/* How it stands, as relay_ask: sides[0] is the local one, sides[1] the leg (closed: there is none).
 */
void carrier_ask(Carrier *carrier, RelayQuestion *question);

/* For a restart of the program. FROZEN is called once on OWNER's receiver: nothing is read or
 * written any more, the leg is dropped without a word, LOCAL is detached (the callee closes it or
 * hands it on), SAVED and STREAM are good until the carrier is let go of. LOCAL NULL: it has ended
 * or cannot go on without this process, and `ended` is called as ever. */
typedef void (*CarrierFrozen)(Carrier *carrier, Connection *local, const ResumeStream *stream,
                              gint64 elapsed, void *data);
void carrier_freeze(Carrier *carrier, CarrierFrozen frozen);

/* Drops the caller's reference; no event is told after this when it runs on OWNER's thread. One
 * that has not ended ends with REASON_CANCELLED. NULL is fine. */
void carrier_unref(Carrier *carrier);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Carrier, carrier_unref)
