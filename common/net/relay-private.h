/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a relay: relay.c (life and threads), relay-flow.c (one direction's bytes),
 * relay-side.c (one side's control frames and end), relay-end.c (how long an end waits for bytes
 * that stand still), relay-limit.c (what it may use), relay-state.c (how it stands). Nobody else
 * includes this. */
#pragma once

#include "common/codec/ws-frame.h"
#include "common/net/relay.h"
#include "common/resume/allowance.h"
#include "common/resume/message.h"

/* What one direction may carry in one turn of the reactor before others have theirs. */
#define RELAY_BUDGET (256 * 1024)

/* What a step costs of it at least: a peer may send its bytes one by one. */
#define RELAY_STEP 4096

typedef struct RelayProbe RelayProbe; /* relay-state.c */

typedef struct {
    Connection *connection; /* NULL once closed; then it is lost, too */
    gboolean framed, client;
    Caps caps;
    Reason closed;
    WsDecoder decoder;
    WsMaskPool *masks; /* a client's only */
    gboolean lost;     /* nothing more can be written to it */
    gboolean close_received;
    guint16 close_code; /* what the closing handshake says; 0: as the reason wants */
    gboolean had_data;
    gint64 empty; /* when an empty message came that may be the end of data; 0: none */
    Reason told;  /* why it has ended, as was heard of on another way than its leg */
    gboolean pong_wanted;
    uint8_t pong[WS_MAX_CONTROL];
    size_t pong_len;
    gboolean greet; /* to be told that it is paired */
    gboolean spoke; /* bytes have come at all */
    gboolean asked; /* for a word, since the local side has left */
    gint64 heard;   /* when bytes last came */
    gint64 pinged;  /* when we last asked for some */
    gint64 said;    /* when we last sent some */
    gint64 unheard; /* until when we had no ear for it */
    gint64 owing;   /* since when its kernel owes a sign of life; 0: it does not */
} Side;

/* From sides[i] to sides[1 - i]. The buffer holds first what is ready for the destination, then
 * what was read from a leg and is not decoded yet. A word of a stream that survives its legs
 * (section 8a) waits beside the buffer, behind what is ready: there is at most one, and only while
 * something is ready. */
typedef struct {
    uint8_t *buffer; /* NULL while nothing waits */
    uint8_t *out, *raw;
    size_t out_len, raw_len;
    gboolean begun; /* the destination has a part of the frame that OUT holds the rest of */
    gboolean ended; /* the source has no more data */
    gboolean told;  /* and the destination knows it */
    gint64 moved;   /* when data last came or went */
    gint64 worded;  /* the same of words */
    gint64 hurried; /* since when its source is known to have ended out of order; 0: it has not */
    gsize left;     /* then: what the destination had not taken when it was last looked at */
    gboolean stuck; /* given up: nothing is written any more, and what comes is dropped */
    gboolean out_is_word;
    uint8_t word_len;                   /* of the frame that waits; 0: none does */
    uint8_t word[WS_MAX_CONTROL_FRAME]; /* a frame, as the destination gets it */
    ResumeAllowance words;              /* of the source */
} Flow;

/* Which bytes a relay that is ended from here still delivers. */
typedef enum {
    RELAY_CLOSES_NOT,
    RELAY_CLOSES_FRAMES, /* the rest of frames that are begun */
    RELAY_CLOSES_ALL,    /* those that it has */
} RelayClosing;

struct Relay {
    atomic_uint references;
    Reactor *reactor;
    Side sides[2];
    Flow flows[2];
    RelayTimes times;
    RelayMeter *meter;
    Message start, kick, leave, over;
    Task again;
    Timer timer;
    gint64 due;        /* when the timer is to fire */
    atomic_int wanted; /* the reason that relay_close asks for */
    atomic_int heard;  /* by relay_ended_by: twice the reason, plus the side */
    Reason reason;     /* set once */
    int ender;         /* the side that ended it, -1: neither */
    gboolean finished;
    gboolean unsaid; /* a leg was not told why */
    gboolean worded; /* words pass between the two legs, and no data are text (section 8a) */
    RelayClosing closing;
    gint64 close_by;   /* with RELAY_CLOSES_FRAMES: until when, whatever moves */
    gint64 since;      /* when it began */
    guint64 allowance; /* bytes that it may still carry */
    Queue *owner;
    RelayEnded ended; /* OWNER's thread, as DATA; NULL once the owner let go */
    void *data;
    gboolean is_over;  /* OWNER's thread: the end was told */
    RelayProbe *probe; /* OWNER's thread: a question that is under way; NULL: none */
};

/* relay.c */
Relay *relay_ref(Relay *relay);
void relay_release(Relay *relay);
/* Remembers why the relay ends, the first time; SIDE -1 for neither. */
void relay_end(Relay *relay, Reason reason, int side);

/* The same for neither side; one that has ended in order, and still delivers, does so no more. */
void relay_cut_short(Relay *relay, Reason reason);

/* Of what is held only the rest of frames that are begun is still sent, for at most MOST µs. */
void relay_close_frames(Relay *relay, gint64 most);

void relay_wake_by(Relay *relay, gint64 delay); /* µs; the timer fires by then */

/* relay-flow.c: moves what can be moved within the budget. TRUE when there may be more. */
gboolean flow_pump(Relay *relay, int from);
void flow_drop(Relay *relay, Flow *flow);
/* Takes a text message from the source. */
void flow_word(Relay *relay, int from, const uint8_t *text, size_t len);

/* relay-side.c */
void side_init(Side *side, const RelaySide *spec, gint64 now);
void side_clear(Side *side);
/* Turns LEN bytes at PAYLOAD into a frame for this side, in place, and returns where it starts. */
uint8_t *side_frame(Side *side, uint8_t *payload, size_t *len);
void side_lost(Relay *relay, int index, int error);
/* The same for a REASON that is known: nothing more comes or goes. */
void side_gone(Relay *relay, int index, Reason reason);
/* Writing to the side failed; what it sent before is still read. */
void side_unwritable(Relay *relay, int index, int error);
/* When an application has closed both directions and all its bytes are delivered, this ends the
 * relay; else the other side could wait for it without end. It does nothing before the leg's peer
 * has sent a first frame, which it does when the legs are paired: a leg that ends before that would
 * lose the bytes that it carried. */
void side_check_left(Relay *relay, int index);
void side_event(Relay *relay, int index, const WsEvent *event);
/* What the close frame EVENT of this side's peer says. */
Reason side_close_reason(const Side *side, const WsEvent *event);
/* A text message as a frame for this side. Returns its size. */
size_t side_word(Side *side, const uint8_t *text, size_t len, uint8_t out[WS_MAX_CONTROL_FRAME]);
/* The peer of a worded leg broke the protocol. */
void side_broke_words(Relay *relay, int index);
/* Control frames that wait, when the direction toward the side is between two frames. */
void side_control(Relay *relay, int index);
/* Tells the side that no more data comes. FALSE: it has no way to be told. */
gboolean side_tell_end(Relay *relay, int index);
void side_close(Relay *relay, int index);
/* TRUE: an empty message has turned out to be the end of data. */
gboolean side_check_empty(Relay *relay, int index, gint64 now);
/* The reason of a side whose transport ended without a close frame. */
Reason side_lost_reason(const Side *side, int error);
/* Before anything else is said to it. */
void side_greet(Side *side);
/* Pings a silent leg, and ends the relay when its peer is gone. When to look again, in µs. */
gint64 side_check(Relay *relay, int index, gint64 now);

/* relay-end.c */
/* Its bytes may stand still for a while only, from now on. FIRST_HAND: nobody has waited yet. */
void flow_hurry(Relay *relay, int from, gboolean first_hand);
/* Looks for sides that were cut while they are not read, because the other one takes nothing. */
void relay_find_cuts(Relay *relay);
/* The relay has a reason to end, and bytes that are to be delivered before. */
gboolean relay_awaits(const Relay *relay, int from);
/* When the bytes of this direction are given up, if nothing moves; G_MAXINT64: never. */
gint64 relay_end_due(const Relay *relay, int from);
/* Gives up what has stood still for too long. */
void relay_end_check(Relay *relay, gint64 now);
/* µs until it has to be checked again; G_MAXINT64: never. */
gint64 relay_end_next(const Relay *relay, gint64 now);
/* Pure: when a flow has stood still for too long, if nothing moves from now on. */
gint64 flow_give_up_at(const Flow *flow, gint64 wait);

/* relay-limit.c: how many of LEN more bytes the stream may carry; fewer: the limit is reached. */
size_t relay_limit_take(Relay *relay, size_t len);
/* Counts a word of LEN bytes as data, as far as it is beyond its allowance. FALSE: it is more than
 * the stream may carry. */
gboolean relay_limit_word(Relay *relay, int from, size_t len);
/* Ends the relay when a time of its limits has passed. */
void relay_limit_check(Relay *relay, gint64 now);
/* µs until it has to be checked again; G_MAXINT64: never. */
gint64 relay_limit_next(const Relay *relay, gint64 now);
