/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relay state: how a relay stands, for whoever looks for what a stream waits for. It is asked by a
 * message and answers with a copy made on its reactor: nobody reads another thread's data. A
 * reactor that is stuck does not answer, so whoever asks has a time limit of his own
 * (RELAY_ANSWER).
 *
 * However often it is asked, a relay has one message under way: later questions join the first. On
 * the thread of the relay's owner, but for the parts that are pure. */
#pragma once

#include "common/net/relay.h"
#include "common/net/socket-state.h"

#define RELAY_ANSWER G_TIME_SPAN_SECOND /* how long to wait for an answer */

/* What a direction waits for. */
typedef enum {
    RELAY_WAITS_NOTHING,     /* it has ended, and that is told; or the relay ends */
    RELAY_WAITS_SOURCE,      /* the source has sent nothing more */
    RELAY_WAITS_DESTINATION, /* bytes wait, and the destination takes none */
    RELAY_WAITS_TURN,        /* of the reactor: it goes on by itself */
    RELAY_WAITS_OTHER, /* it has ended, but its destination can be told of the end of both only */
    RELAY_WAITS_GIVEN_UP, /* its bytes stood still for too long, and are dropped */
} RelayWaits;

/* From side i to side 1 - i. Times in µs. */
typedef struct {
    RelayWaits waits;
    guint64 bytes;        /* payload taken from the source: the offset; 0 of one that has ended */
    guint64 held;         /* bytes, heads of frames included, that wait for the destination */
    guint64 undecoded;    /* bytes read from a leg and not looked at yet */
    gboolean mid_frame;   /* the destination has a part of a frame */
    gboolean ended, told; /* the source has no more data; the destination knows */
    gint64 still;         /* since data moved */
    gint64 gives_up_in;   /* until what is held is dropped, if nothing moves; -1: never */
} RelayFlowState;

typedef struct {
    gboolean open; /* the rest is known */
    gboolean lost, framed, half_close, reasons, hung_up, spoke;
    guint64 queued;             /* control frames that wait */
    gint64 heard, said, pinged; /* µs ago */
    gint64 owing;               /* for how long its kernel owes a sign of life; -1: it owes none */
    char peer[64];
    SocketState socket;
} RelaySideState;

/* Of a stream that survives its legs (docs/wire-protocol.md, section 8a), which has a carrier
 * (daemon/carrier) where others have a relay. */
typedef struct {
    gboolean survives; /* the rest is known */
    gint64 suspended;  /* for how long it has had no other end, in µs; -1: it has one */
    guint64 kept;      /* bytes of side 0 that the other end has not consumed */
    guint64 credit;    /* bytes that may be sent to it now */
    guint64 window;    /* bytes that it may send beyond those that were consumed here */
} RelayKept;

typedef struct {
    Reason reason; /* why it ends; REASON_NONE: it does not */
    gint64 age;
    gint64 timer_in; /* until its timer looks at limits and silent peers */
    RelayLimits limits;
    guint64 allowance; /* bytes that it may still carry, where that is limited */
    RelayFlowState flows[2];
    RelaySideState sides[2];
    RelayKept kept;
} RelayState;

/* Part of who asks. */
typedef struct RelayQuestion RelayQuestion;
struct RelayQuestion {
    /* Once, never from within relay_ask; STATE is good for the call. */
    void (*answered)(RelayQuestion *question, const RelayState *state);
    GList link;    /* the relay's, from here on */
    GQueue *among; /* NULL: it waits for nothing */
};

/* QUESTION, whose `answered` is set, stays where it is until it is answered or cancelled. The relay
 * may meanwhile be let go of. */
void relay_ask(Relay *relay, RelayQuestion *question);
void relay_ask_cancel(RelayQuestion *question); /* nothing when it is answered */

/* Pure: which sides take nothing of what waits for them, a bit for each side. */
guint relay_state_full(const RelayState *state);

/* Pure: "nothing", "source", ... */
const char *relay_waits_name(RelayWaits waits);

/* Pure: all of it, into an object that is begun: "sides" and "directions", with NAMES for the two
 * sides ("local", "hub": "local-to-hub"). */
void relay_state_report(const RelayState *state, const char *const names[2], const Report *report);
