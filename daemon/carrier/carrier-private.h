/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a carrier: carrier.c (life and threads), carrier-note.c (what the owner is
 * told), carrier-local.c (the local socket), carrier-leg.c (the frames of a leg), carrier-silence.c
 * (its signs of life), carrier-end.c (how legs are lost and how the stream ends), carrier-limit.c
 * (what it may use), carrier-state.c (how it stands). Nobody else includes this. */
#pragma once

#include "common/codec/ws-frame.h"
#include "daemon/carrier/carrier.h"

/* What one direction may carry in one turn of the reactor before others have theirs. */
#define CARRIER_BUDGET (256 * 1024)

/* What a step costs of it at least: a peer may send its bytes one by one. */
#define CARRIER_STEP 4096

/* No new word while so many bytes of words wait for the leg: a later `w` says all that an earlier
 * one does. */
#define CARRIER_WORDS_WAIT 1024

/* How often a local socket that may not be read for lack of memory is tried again. */
#define CARRIER_RETRY (250 * G_TIME_SPAN_MILLISECOND)

typedef struct CarrierProbe CarrierProbe; /* carrier-state.c */

/* The local socket. */
typedef struct {
    Connection *connection; /* NULL once closed */
    gboolean ended;         /* it has no more data */
    gboolean broken;        /* nothing can be written any more */
    gint64 moved;           /* when it last took bytes that came on a leg */
    gsize left;        /* while the stream ends: what of ours it had not taken at the last look */
    gboolean given_up; /* its bytes have stood still for too long */
} CarrierLocal;

/* The leg. Its buffer holds one frame that is on its way out, and only while there is one. */
typedef struct {
    Connection *connection; /* NULL: there is none */
    WsDecoder decoder;
    WsMaskPool *masks;
    uint8_t *buffer, *out;
    size_t out_len;
    gboolean begun;   /* the peer has a part of the frame */
    gboolean deaf;    /* nothing can be written any more; what came before is still read */
    gboolean silent;  /* the peer gave no sign of life */
    gboolean talking; /* the other end's `r` has come on it, and the owner was told */
    gboolean spoke;   /* bytes have come at all */
    gboolean asked;   /* for a word, since the local side has left */
    gboolean close_received;
    guint16 close_code; /* what the closing handshake says; 0: as the reason wants */
    gboolean pong_wanted;
    uint8_t pong[WS_MAX_CONTROL];
    size_t pong_len;
    gint64 since;    /* when it came */
    gint64 moved;    /* when data last went, or the other end consumed some */
    gint64 heard;    /* when bytes last came */
    gint64 pinged;   /* when we last asked for some */
    gint64 said;     /* when we last sent some */
    gint64 unheard;  /* until when we had no ear for it */
    gint64 probed;   /* since when it has to prove that it lives; 0: it need not */
    gint64 prove;    /* until when, then */
    gboolean asking; /* then: the ping for it has gone */
    gint64 owing;    /* since when its kernel owes a sign of life; 0: it does not */
    gsize left;      /* as of the local socket */
    gboolean given_up;
} CarrierLeg;

/* What a stream that ends still does before it is over. */
typedef enum {
    CARRIER_SENDS = 1 << 0,    /* what was read from the local socket goes to the leg */
    CARRIER_DELIVERS = 1 << 1, /* what came on the leg goes to the local socket */
    CARRIER_TOLD = 1 << 2,     /* the other end knows: it said so itself */
    CARRIER_FINISH = 1 << 3,   /* the local socket gets FIN in any case, and misses nothing */
    CARRIER_LATE = 1 << 4,     /* somebody else has waited already for bytes that stand still */
} CarrierLast;

struct Carrier {
    atomic_uint references;
    Reactor *reactor;
    Queue *owner;
    CarrierEvents events; /* OWNER's thread, as DATA, and `done` */
    void *data;
    gboolean done;       /* the owner wants to hear nothing more */
    gboolean over;       /* OWNER's thread: the end was told, or it is frozen */
    CarrierProbe *probe; /* OWNER's thread: a question that is under way; NULL: none */
    atomic_int wanted;   /* the reason that carrier_end asks for */

    /* the reactor's from here on */
    gboolean device;
    Caps caps;
    RelayTimes times;
    ResumeBudget *budget;
    RelayMeter *meter;
    ResumeStream *stream;
    CarrierLocal local;
    CarrierLeg leg;
    Task again;
    Timer timer;
    gint64 due;        /* when the timer is to fire */
    gint64 since;      /* when it began, in whichever process */
    gint64 suspended;  /* since when; 0: it is not */
    gint64 completed;  /* since when both directions are consumed; 0: they are not */
    guint64 acked;     /* what the other end was known to have consumed at the last look */
    guint64 allowance; /* bytes that it may still carry */
    Reason reason;     /* set once: it ends */
    guint last;        /* CarrierLast, then */
    gint64 hurried;    /* since when it waits for bytes that may stand still; 0: it does not */
    gint64 close_by;   /* then: the leg's frame has until then; 0: no limit but that */
    gboolean finished;
    gboolean missed;      /* it completed, and then lost the leg without the other end's close */
    gboolean unsaid;      /* the leg was not told why, or (service) the other end may not know */
    gboolean parts;       /* `parted` will be told */
    atomic_bool advanced; /* the other end has consumed something, since the owner asked */
};

/* carrier.c */
Carrier *carrier_ref(Carrier *carrier);
void carrier_release(Carrier *carrier);
void carrier_wake_by(Carrier *carrier, gint64 delay); /* µs; the timer fires by then */
void carrier_run_again(Carrier *carrier);             /* on the next turn */
void carrier_start(Carrier *carrier);                 /* takes the local socket */
void carrier_pump(Carrier *carrier);

/* carrier-note.c: what is told to the owner, in order. */
void carrier_tell_talking(Carrier *carrier);
void carrier_tell_lost(Carrier *carrier, Reason reason, guint64 pending);
void carrier_tell_ended(Carrier *carrier); /* gives the reactor's reference back, later */
/* The last leg is closed. LOST: before all of the last word had arrived. */
void carrier_tell_parted(Carrier *carrier, gboolean lost);
/* TAKEN by the owner, or closed when it has let go. NULL: it cannot be. */
void carrier_tell_frozen(Carrier *carrier, CarrierFrozen frozen, Connection *local);

/* carrier-local.c */
/* Reads a piece. Returns how many bytes; 0: there are none now. */
size_t local_read(Carrier *carrier);
/* LEN bytes have come on the leg, in order. */
void local_arrived(Carrier *carrier, const uint8_t *data, size_t len);
/* Writes what is kept for it, and its FIN. */
void local_write(Carrier *carrier);
/* Finds a reset that is not read, and an app that has gone for good. */
void local_check(Carrier *carrier);
gsize local_waiting(const Carrier *carrier); /* bytes that wait for it */
void local_close(Carrier *carrier);

/* carrier-leg.c */
void leg_open(Carrier *carrier, Connection *connection);
void leg_drop(Carrier *carrier); /* closes it, without a word */
/* Reads what has come. TRUE when there may be more. */
gboolean leg_read(Carrier *carrier);
/* Sends what is to be sent: what was read from the local socket, words and signs of life. TRUE when
 * there may be more. */
gboolean leg_write(Carrier *carrier);
void leg_flush(Carrier *carrier);
void leg_say(Carrier *carrier, WsOpcode opcode, const void *payload, size_t len);
/* It is between two frames. */
gboolean leg_is_free(const Carrier *carrier);
guint64 leg_waiting(const Carrier *carrier); /* bytes that wait for it */
void leg_close(Carrier *carrier);            /* with the reason */

/* carrier-silence.c: pings a silent leg, and finds out that its peer is gone. When to look again,
 * in µs. */
void leg_probe(Carrier *carrier, gint64 limit); /* carrier_probe() */
gint64 leg_check(Carrier *carrier, gint64 now);

/* carrier-end.c */
/* The stream ends for REASON: remembers it, the first time. */
void carrier_ends(Carrier *carrier, Reason reason, guint last);
/* What it would still have done is left, and the local socket is closed now. */
void carrier_cut_short(Carrier *carrier, Reason reason);
/* The leg is gone. */
void carrier_lost(Carrier *carrier, Reason reason);
void carrier_broken(Carrier *carrier); /* the other end broke the protocol */
/* The other end says that the stream ends. */
void carrier_told(Carrier *carrier, Reason reason);
/* The hub closes the leg. */
void carrier_closed(Carrier *carrier, const WsEvent *event);
/* A word of the other end has come. */
void carrier_heard(Carrier *carrier);
/* The local socket is gone, otherwise than in order. */
void carrier_local_cut(Carrier *carrier);
/* It is over when it has a reason to end, and what is to be done before is done. */
void carrier_settle(Carrier *carrier);
/* Gives up what has stood still for too long. When to look again, in µs. */
gint64 carrier_end_check(Carrier *carrier, gint64 now);
/* carrier-limit.c: how many of LEN more bytes the stream may carry; fewer: the limit is reached. */
size_t carrier_limit_take(Carrier *carrier, size_t len);
/* Bytes that were taken from it, and then were not carried. */
void carrier_limit_give(Carrier *carrier, size_t len);
/* Ends it when a time of its limits has passed. */
void carrier_limit_check(Carrier *carrier, gint64 now);
/* µs until it has to be checked again; G_MAXINT64: never. */
gint64 carrier_limit_next(const Carrier *carrier, gint64 now);
