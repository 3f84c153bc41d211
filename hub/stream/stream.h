/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stream: one stream of the hub. It carries out the cells of the stream table. Main thread; for
 * hub/stream/streams.c, which owns the streams and finds them. */
#pragma once

#include "common/net/relay.h"
#include "hub/stream/bridge.h"
#include "hub/stream/by-device.h"
#include "hub/stream/state.h"
#include "hub/stream/streams.h"

#define STREAM_ID_SIZE 33 /* 32 hexadecimal digits and the NUL */

/* What a stream needs of its surroundings; one for all. */
typedef struct {
    StreamsNeeds needs;
    TokenStore *tokens;
    char *authority;
    char *hub;
    guint64 ignored;
    /* The state has changed: counts move. An ended stream may be freed by it; BEFORE is
     * STREAM_ENDED when one waited for its bridge or the end of its tokens. */
    void (*changed)(HubStream *stream, HubStreamState before, void *data);
    void *data;
} StreamWorld;

struct HubStream {
    StreamWorld *world;
    char id[STREAM_ID_SIZE];
    guint64 number; /* rises with the time of its opening; the owner of the streams sets it */
    gint64 begun;
    char *device;
    char *client_id; /* device or device/module */
    char *name;
    char *policy;
    RegistryKeys policy_keys; /* which key of its policy opened it */
    RegistryKeys device_keys; /* which key its device was connected with when it was asked */
    char *from;               /* the initiator's address */
    char device_from[64];     /* the address that the device's leg came from */
    gint64 opened;            /* when it was open; 0: it never was, or its end is told */
    char *order;              /* among the streams of its tunnel; NULL: none */
    guint rid;                /* of its request; 0: not published yet */
    HubStreamState state;
    HubStreamState ended_in; /* the state that it ended in */
    Reason reason;

    Request *post; /* NULL: answered */
    gboolean extended;
    Caps asked;           /* by the service */
    Caps capable;         /* the device said at CONNECT */
    Caps agreed;          /* the device said in its answer */
    StreamResume resume;  /* what the service said of it */
    gboolean unresumable; /* it resumes a stream, which its device cannot */
    gint64 response_timeout;
    Reason rejection; /* the device's answer 400 */
    Reason told;      /* the same, of a stream that it had accepted */
    char *rejection_text;
    char *rule;      /* of the device's, which decided; NULL: not told */
    RestError error; /* of the POST, where a cell leaves it open */

    Token tokens[LEG_SIDES];
    char device_token[TOKEN_TEXT + 1]; /* to publish again; wiped on the answer */
    Leg *legs[LEG_SIDES];
    gboolean leg_lost[LEG_SIDES];
    gboolean leg_taken[LEG_SIDES];
    Relay *relay;
    gboolean closing; /* ended, and the relay still delivers */
    RelayMeter meter; /* the stream's offsets */

    Timer timer;         /* connect time-out, then response time-out */
    Timer deadline;      /* of the handshake; afterwards of the tokens */
    gint64 answer_by;    /* when the device is asked: the end of response_timeout; 0: not yet */
    gint64 deadline_at;  /* of the handshake */
    gint64 tokens_until; /* late legs are told why until then */
    GList by_device;     /* in its device's list */
    GList by_age;        /* among the ended ones */
    GList by_number;     /* among those that run: not ended, or with a bridge */
    StreamDevice *owner; /* its device's entry; the owner of the streams sets it */
    void *account;       /* its policy's */
    RegistryTags *tags;  /* its device's, as they are now */
    guint64 counted;     /* of the meter, in the account */
};

/* streams.c: of those that run, by its id, or the first one above NUMBER; NULL: there is none. */
HubStream *streams_find(Streams *streams, const char *id);
HubStream *streams_next(Streams *streams, guint64 number);

/* WAIT: µs for a device that is away. */
HubStream *
hub_stream_new(StreamWorld *world, Request *post, const StreamOpening *opening, gint64 wait);

/* Whatever the state: closes, cancels and frees all of it. Does not call `changed`. */
void hub_stream_free(HubStream *stream);

/* The only way to change a stream: finds the cell of INPUT and carries it out. REQUEST is the leg's
 * request when the input is a leg, else NULL. The stream may be freed by the call. */
void hub_stream_input(HubStream *stream, StreamInput input, Request *request);

/* Whether an answer with the rid of the stream's request belongs to this request: a device that was
 * told the stream's id repeats it in its answer. */
gboolean hub_stream_is_meant(const HubStream *stream, const StreamAnswer *answer);

/* Answer 200 or 400 that is meant for it. */
void hub_stream_answered(HubStream *stream, const StreamAnswer *answer);

/* A request for a leg without a good token: answers it. */
void hub_stream_refuse_leg(const StreamWorld *world, Request *request);

/* A request with the good token of SIDE. */
void hub_stream_leg(HubStream *stream, LegSide side, Request *request);

gboolean hub_stream_has_tokens(const HubStream *stream); /* some leg may still come */
