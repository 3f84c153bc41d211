/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relay: carries bytes between two sides, each a plain socket or a WebSocket leg, on one reactor.
 *
 * Each direction has at most one buffer of 64 KiB, held only while bytes wait in it. A side is not
 * read while its buffer is not empty: this is the backpressure. No byte is lost, repeated or
 * reordered. How an end is told and passed on: docs/wire-protocol.md, sections 4, 4a and 8. */
#pragma once

#include "common/base/reason.h"
#include "common/codec/caps.h"
#include "common/net/connection.h"

typedef struct Relay Relay;

typedef struct {
    Connection *connection; /* taken */
    gboolean framed;        /* a WebSocket leg */
    gboolean client; /* we are the WebSocket client of this leg: we mask, the peer must not */
    Caps caps;       /* what the peer of this leg shares with us; CAP_RESUME: both sides or none */
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
    gint64 wait;     /* µs; 0: RELAY_WAIT */
    gint64 empty;    /* µs; 0: RELAY_EMPTY */
    gint64 pair;     /* µs for the first frame of a leg's peer with CAP_REASON, which sends nothing
                        before the other leg is there. Until then its silence is normal; after it the
                        relay ends with REASON_NOT_PAIRED. 0: it is paired already */
    gint64 patience; /* µs; 0: RELAY_PATIENCE, as a relay has it in any case */
} RelayTimes;

#define RELAY_QUIET (60 * G_TIME_SPAN_SECOND)
#define RELAY_PING (20 * G_TIME_SPAN_SECOND)
#define RELAY_DEAD (45 * G_TIME_SPAN_SECOND)

/* How long undelivered bytes, and the close frame with the reason, may make no progress after an
 * abnormal end: cut, reset, closed by a user, at a limit, revoked. Then the stuck leg is reset. An
 * orderly end waits for its reader: RELAY_PATIENCE. */
#define RELAY_WAIT (10 * G_TIME_SPAN_SECOND)

/* The same when this program stops, whether or not bytes move. */
#define RELAY_HASTE (G_TIME_SPAN_SECOND / 2)

/* An empty message of a peer without half-close is its end of data when no data follow for so long
 * while we listen (docs/wire-protocol.md, section 4). */
#define RELAY_EMPTY (500 * G_TIME_SPAN_MILLISECOND)

/* When a peer counts as dead (requirement R12). A peer with CAP_REASON is streamd or streamhub: it
 * pings when it has sent nothing for a while, also while its reader has stopped. When we read and
 * nothing comes from it for `dead`, it or the network is gone. Other peers need not ping. For
 * those, and while we do not read, only the peer's kernel counts: it acknowledges what is sent to
 * it, and answers probes of a closed window. */

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

/* Any thread: ends it for REASON. Bytes that the relay still holds are dropped; if there were any,
 * an orderly REASON becomes REASON_CUT, so that no truncated stream looks complete. Plain sockets
 * are closed at once. A leg has RELAY_WAIT to finish the frame that was begun, so that it can be
 * told the reason. */
void relay_close(Relay *relay, Reason reason);

/* Any thread: SIDE has ended the stream for REASON, and this was learned on another way than its
 * leg. As with an end on the leg, what it sent before is delivered first while that makes progress.
 * Only the first call counts. */
void relay_ended_by(Relay *relay, int side, Reason reason);

/* After the end: TRUE when a leg may not have been told the reason, because bytes before it are
 * stuck. */
gboolean relay_is_unsaid(const Relay *relay);

/* Drops the caller's reference; ENDED is not called after this when it runs on OWNER's thread. A
 * relay still running is closed with REASON_CANCELLED. */
void relay_unref(Relay *relay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Relay, relay_unref)
