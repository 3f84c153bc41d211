/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream table: docs/wire-protocol.md, section 4a, as data. For a state and an input it gives the
 * next state, the reason of an end, and the actions, which hub/stream/stream.c carries out. Pure;
 * any thread. tests/unit/hub/stream/gen-stream-cells.py makes a test of every cell of the document.
 */
#pragma once

#include "common/base/reason.h"

typedef enum {
    STREAM_WAITING,  /* the device is not connected or not subscribed */
    STREAM_ASKED,    /* the request is published */
    STREAM_ACCEPTED, /* answer 200 seen, POST answered */
    STREAM_OPEN,     /* both legs paired */
    STREAM_ENDED,
} HubStreamState;

#define STREAM_STATES STREAM_ENDED /* columns of the table; no input moves an ended stream */

typedef enum {
    /* the rows of the document, in its order */
    STREAM_SUBSCRIBED, /* or connected with kept subscriptions */
    STREAM_LINK_LOST,  /* control link lost, or taken over */
    STREAM_ANSWER_200,
    STREAM_ANSWER_400,
    STREAM_DEVICE_LEG, /* with a good token */
    STREAM_SERVICE_LEG,
    STREAM_LATE_LEG, /* a good token of a stream that ended in this state */
    STREAM_DEVICE_LEG_LOST,
    STREAM_SERVICE_LEG_LOST,
    STREAM_CLIENT_GONE, /* the POST's */
    STREAM_CONNECT_TIMEOUT,
    STREAM_RESPONSE_TIMEOUT,
    STREAM_DEADLINE, /* 60 s since the POST */
    STREAM_REVOKED,  /* device disabled or removed, policy revoked */
    STREAM_OPERATOR_CLOSES,
    STREAM_USED_UP, /* the user has had the bytes of the day */
    STREAM_HUB_STOPS,
    STREAM_ROWS,
    /* the second halves of cells that say "afterwards" or "with" */
    STREAM_ANSWER_200_TOO_LATE = STREAM_ROWS, /* answer 200 after the device leg was lost */
    STREAM_ANSWER_400_TOO_LATE,               /* answer 400 with the reason of a cut, after 200 */
    STREAM_DEVICE_LEG_PAIRS,                  /* the service leg is there */
    STREAM_SERVICE_LEG_PAIRS,                 /* the device leg is there */
    STREAM_INPUTS,
} StreamInput;

typedef enum {
    STREAM_SEND_REQUEST = 1 << 0,  /* send the request to the device, see hub/stream/stream.c */
    STREAM_COUNT_IGNORED = 1 << 1, /* count the input and do nothing */
    STREAM_POST_ACCEPTED = 1 << 2, /* POST: 200 True, url, token */
    STREAM_POST_REJECTED = 1 << 3, /* POST: 200 False, reason */
    STREAM_POST_ERROR = 1 << 4,    /* POST: the cell's error */
    STREAM_LEG_HOLD = 1 << 5,      /* 101; not read */
    STREAM_LEG_REFUSE = 1 << 6,    /* 401 */
    STREAM_LEG_TELL = 1 << 7,      /* 101, then close with the stream's reason */
    STREAM_BRIDGE = 1 << 8,        /* pair the legs: what is held is delivered first */
    STREAM_REMEMBER_LOSS = 1 << 9, /* the leg is gone; the stream is not */
    STREAM_KEEP_LEG = 1 << 10,     /* the lost leg's unread bytes are still to be delivered */
    STREAM_CLOSE_LEGS =
        1 << 11, /* those of idle legs; capable: the reason's code, plain: see close_code */
    STREAM_DRAIN = 1 << 12,         /* the bridge delivers what it holds and closes the other leg */
    STREAM_REVOKE_TOKENS = 1 << 13, /* they pair nothing any more */
    STREAM_AFTER_GRACE = 1 << 14,   /* the cell counts when the grace is over */
    STREAM_TELL_BRIDGE = 1 << 15,   /* the device has ended, for the reason that it gives */
} StreamActions;

typedef struct {
    HubStreamState next; /* the column's own: it stays */
    Reason reason;       /* when next is STREAM_ENDED; REASON_NONE: the one that the bridge tells */
    guint32 error;       /* with STREAM_POST_ERROR: six digits (section 3); 0: as the input says */
    guint16 close_code;  /* toward plain legs, with STREAM_CLOSE_LEGS */
    guint32 actions;     /* StreamActions */
} StreamCell;

/* STATE below STREAM_STATES. Never NULL: for a dash in the document it is a cell that keeps the
 * state and has no action. */
const StreamCell *stream_table_look(HubStreamState state, StreamInput input);

const char *hub_stream_state_name(HubStreamState state);
