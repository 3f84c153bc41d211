/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two carriers with an application each, and between them a bridge that does what a hub does: it
 * passes frames on once both legs are there, and can lose legs at any message. The legs
 * are on TCP over loopback; the carriers have reactors of their own, the rest runs in the test's
 * thread. */
#pragma once

#include "common/codec/ws-frame.h"
#include "daemon/carrier/carrier.h"

enum { PAIR_SERVICE, PAIR_DEVICE };

/* An application: what it writes and reads, and what it saw. */
typedef struct {
    int fd;         /* -1: closed */
    guint64 writes; /* so many bytes in all, of pair_byte() */
    guint64 written;
    guint64 reads_after; /* it writes only when it has read so many */
    gboolean ends;       /* then it sends FIN */
    gboolean said_end;
    gboolean stopped; /* it reads nothing */
    guint64 read;
    gboolean wrong; /* bytes that are not those of the other one */
    gboolean saw_end, saw_reset;
} PairApp;

/* One end: its carrier, and what that told. */
typedef struct {
    Carrier *carrier;
    RelayTimes times;
    RelayMeter meter;
    PairApp app;
    guint talks, losses;
    Reason lost;     /* the last one */
    guint64 pending; /* then */
    Reason reason;   /* of the end; REASON_NONE: it goes on */
    ResumeFigures figures;
    guint parted;
    gboolean parted_lost;

    /* of a test that hands it on */
    gboolean frozen;
    Connection *thawed;
    ResumeSaved saved;
    GByteArray *kept;
    gint64 elapsed;
} PairEnd;

/* Two threads and the memory of two daemons, for any number of pairs. */
typedef struct {
    Reactor *reactors[2];
    ResumeBudget *budgets[2];
    gboolean local; /* applications have Unix sockets, not TCP */
} PairHosts;

void pair_hosts_init(PairHosts *hosts);
void pair_hosts_clear(PairHosts *hosts);

/* Which legs are lost, and how. */
typedef enum {
    PAIR_RESETS_FIRST,  /* that of the service; the hub closes the other one with 1011 */
    PAIR_RESETS_SECOND, /* that of the device */
    PAIR_RESETS_BOTH,
    PAIR_RESETS_UNSEEN, /* that of the service; the other one stays until the next one comes */
    PAIR_CUTS,
} PairCut;

typedef struct {
    const PairHosts *hosts;
    Queue *queue;
    PairEnd ends[2];
    int legs[2]; /* the bridge's; -1: there is none */
    GByteArray *in[2], *out[2];
    guint messages; /* that have come from either side: data and words */
    guint64 words;  /* those of them that are text, */
    guint64 word_bytes;
    guint cut_at; /* lose legs when so many have come; 0: never */
    PairCut how;
    gboolean swallows; /* the last one is not passed on */
    gboolean late;     /* the device's leg comes first */
    guint cuts;        /* so many are still to be done, each CUT_AT messages after the last one */
    gboolean holds;    /* no new legs come */
    gboolean mute;     /* the bridge neither reads nor writes */
    guint64 until;     /* of a test: what it waits for */
    guint64 seed;
} Pair;

/* TIMES: of each end; NULL: as usual. */
Pair *pair_new(const PairHosts *hosts, const RelayTimes times[2], guint64 seed);
void pair_free(Pair *pair);

/* A byte of the stream that SIDE writes. */
guint8 pair_byte(const Pair *pair, int side, guint64 offset);

/* New legs, as after a loss; or for the first time. */
void pair_connect(Pair *pair);
void pair_lose(Pair *pair, PairCut how);
void pair_bridge_says(Pair *pair, int side, guint16 code, const char *text); /* a close frame */
void pair_bridge_sends(Pair *pair, int side, WsOpcode opcode, const void *data, gsize len);

void pair_reset_app(Pair *pair, int side);

/* A carrier for this end, with LOCAL and what a former one had left. */
void pair_restore(Pair *pair, int side, Connection *local, ResumeStream *stream, gint64 elapsed);

/* Both have ended. */
gboolean pair_is_over(const Pair *pair);

/* Runs COUNT pairs until DONE says so of each of them; at least one step. */
void pairs_run(Pair *const *pairs, guint count, gboolean (*done)(const Pair *pair));
void pair_run(Pair *pair, gboolean (*done)(const Pair *pair));

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pair, pair_free)
