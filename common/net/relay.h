/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relay: carries bytes between two sides, each a plain socket or a WebSocket leg, on one reactor.
 *
 * At most one buffer of 64 KiB per direction, held only while bytes wait in it; a side is not read
 * while the buffer that it fills is not empty: that is the backpressure. No byte is lost, repeated
 * or reordered. How an end is told and passed on: docs/wire-protocol.md, sections 4, 4a and 8. */
#pragma once

#include "common/base/reason.h"
#include "common/codec/caps.h"
#include "common/net/connection.h"

typedef struct Relay Relay;

typedef struct {
    Connection *connection; /* taken */
    gboolean framed;        /* a WebSocket leg */
    gboolean client; /* we are the WebSocket client of this leg: we mask, the peer must not */
    Caps caps;       /* what the peer of this leg shares with us */
    Reason closed;   /* the reason when this side ends in order */
    gboolean greet;  /* a ping at once: it tells the peer of this leg that both are paired */
} RelaySide;

/* How long a side that reads slowly may take to read the last bytes of a stream that has ended. */
#define RELAY_PATIENCE G_TIME_SPAN_HOUR

/* What a stream may use; 0: no limit. Reaching one ends it with the reason beside it, which both
 * ends are told. */
typedef struct {
    guint64 bytes;   /* both directions together, to the byte: REASON_BYTE_LIMIT */
    gint64 duration; /* µs from here on: REASON_TIME_LIMIT */
    gint64 idle;     /* µs in which no byte comes or goes: REASON_IDLE */
    gint64 stall;    /* µs in which bytes wait and none is taken: REASON_STALLED */
} RelayLimits;

typedef struct {
    gint64 quiet; /* µs; after the local end of data toward a side without half-close */
    gint64 ping;  /* µs of silence before a ping; 0: never */
    gint64 dead;  /* µs of silence before a leg counts as lost */
    RelayLimits limits;
    gint64 wait;  /* µs; 0: RELAY_WAIT */
    gint64 empty; /* µs; 0: RELAY_EMPTY */
    gint64 pair; /* µs for the first word of a leg's peer with CAP_REASON, which says nothing before
                  * the other leg is there: until then its silence says nothing, afterwards it is
                  * REASON_NOT_PAIRED; 0: it is paired already */
} RelayTimes;

#define RELAY_QUIET (60 * G_TIME_SPAN_SECOND)
#define RELAY_PING (20 * G_TIME_SPAN_SECOND)
#define RELAY_DEAD (45 * G_TIME_SPAN_SECOND)

/* How long undelivered bytes, and the word why, may stand still once the stream has ended otherwise
 * than in order: cut, reset, closed by hand, at a limit, revoked. Then the leg that is stuck is
 * reset, so that the end gets past them. An orderly end waits for its reader: RELAY_PATIENCE. */
#define RELAY_WAIT (10 * G_TIME_SPAN_SECOND)

/* The same when this program stops, whether or not bytes move. */
#define RELAY_HASTE (G_TIME_SPAN_SECOND / 2)

/* An empty message of a peer without half-close is its end of data when no data follow for so long
 * while we listen (docs/wire-protocol.md, section 4). */
#define RELAY_EMPTY (500 * G_TIME_SPAN_MILLISECOND)

/* Who is silent (requirement R12). A leg's peer with CAP_REASON is one of ours: it pings us when it
 * has said nothing for a while, also while its reader has stopped. When it says nothing for `dead`
 * although we read, it is gone, or what lies between us is. Of other peers nothing of the kind is
 * known: of those, and while we do not read, only the peer's kernel counts, which acknowledges what
 * is sent to it and answers the probes of a closed window. */

/* A stream's 64-bit offsets. The stream owns it; relays come and go. Counts payload that was taken
 * from side 0 ([0]) and from side 1 ([1]). Any thread. */
typedef struct {
    _Atomic guint64 bytes[2];
} RelayMeter;

/* On the thread of OWNER's receiver, once; both connections are closed or closing by then. */
typedef void (*RelayEnded)(Relay *relay, Reason reason, void *data);

/* Any thread. Both connections are detached, or on REACTOR and this is its thread. METER outlives
 * the relay's end. Times NULL: the constants above, no limits. The caller holds the first
 * reference. */
Relay *
relay_new(Reactor *reactor, const RelaySide *side0, const RelaySide *side1, const RelayTimes *times,
          RelayMeter *meter, Queue *owner, RelayEnded ended, void *data);

/* Any thread: ends it for REASON. What the relay still holds is dropped, and then an orderly REASON
 * becomes REASON_CUT, so that no truncated stream looks whole. Plain sockets are closed at once; a
 * leg has RELAY_WAIT for the frame that it is in the middle of, so that it can be told why. */
void relay_close(Relay *relay, Reason reason);

/* Any thread: SIDE has ended the stream for REASON, as was heard of on another way than its leg.
 * What it sent before is delivered first while that moves, as if it had said so itself. The first
 * time only. */
void relay_ended_by(Relay *relay, int side, Reason reason);

/* Once it has ended: perhaps a leg is not told why, because what was sent to it before is stuck. */
gboolean relay_is_unsaid(const Relay *relay);

/* Drops the caller's reference; ENDED is not called after this when it runs on OWNER's thread. A
 * relay still running is closed with REASON_CANCELLED. */
void relay_unref(Relay *relay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Relay, relay_unref)
