/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Look: streams as the operator sees them, a page at a time. What a bridge knows is asked of its
 * reactor (common/net/relay-state.h): one that is stuck leaves its streams without an answer after
 * RELAY_ANSWER, and does not hold up the others. Main thread. */
#pragma once

#include "common/net/relay-state.h"
#include "hub/base/clock.h"
#include "hub/stream/token.h"

#define STREAM_PAGE_MAX 200 /* streams of an answer */

typedef struct {
    guint64 number; /* rises with the time of its opening; where the next page begins */
    char *id;
    char *device; /* or device/module */
    char *name;
    char *user;
    char *from;        /* the user's address */
    char *resumes;     /* the stream that it goes on with; NULL: it is a new one */
    const char *state; /* as in docs/wire-protocol.md, section 4a; "closing": ended, and delivers */
    const char *waits_for;
    Reason reason;      /* REASON_NONE until it has ended */
    gint64 age;         /* µs */
    gint64 answer_in;   /* µs until the device must have answered; -1: that is not waited for */
    gint64 deadline_in; /* µs until it must be open; -1: it is */
    guint64 bytes[LEG_SIDES]; /* taken from each side */
    gboolean legs[LEG_SIDES]; /* which have come */
    gboolean bridged;         /* it has a bridge, */
    gboolean answered;        /* which has answered: */
    RelayState relay;         /* sides and directions as in LegSide */
} StreamView;

typedef struct {
    const char *id; /* this one; NULL: a page of all, the oldest first */
    guint64 after;  /* numbers above this one */
    guint limit;    /* 1 to STREAM_PAGE_MAX */
} StreamQuery;

/* VIEWS are good for the call. */
typedef void (*StreamsLooked)(const StreamView *views, guint n_views, gboolean more, void *data);

typedef struct Streams Streams;
typedef struct StreamLooks StreamLooks;

StreamLooks *stream_looks_new(Streams *streams, Clock *clock); /* kept by reference */

/* Those under way are answered with what there is. NULL is fine. */
void stream_looks_free(StreamLooks *looks);

/* DONE is called once, maybe before this returns. */
void
stream_looks_begin(StreamLooks *looks, const StreamQuery *query, StreamsLooked done, void *data);
