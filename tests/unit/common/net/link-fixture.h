/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a packet link in one process, on one reactor; the test's thread is the owner. */
#pragma once

#include "common/net/packet-link.h"

typedef struct {
    GMainContext *context;
    Queue *queue;
    GSource *source;
    Reactor *reactor;
    PacketLink *client, *server;
    GByteArray *got; /* the content of the packets that the server got */
    guint packets;
    gboolean closed;
    int error;
} Pair;

/* The largest first packet that the server's link accepts. For later packets it is PAIR_MAX. */
#define PAIR_FIRST_MAX 1024
#define PAIR_MAX (256 * 1024)

/* RET_RAW: the client's end as a socket instead of a link. IDLE_LIMIT is the server's. */
Pair *pair_new(gboolean framed, gint64 idle_limit, int *ret_raw);
void pair_free(Pair *pair);

/* Each runs the owner's queue: until the server has handed over PACKETS or is closed; until it is
 * closed; for DURATION µs, or until it is closed. */
void pair_wait(Pair *pair, guint packets);
void pair_wait_closed(Pair *pair);
void pair_run_for(Pair *pair, gint64 duration);

/* A PUBLISH with a fixed header of PACKET_HEAD bytes and LEN bytes FILL after it. */
#define PACKET_HEAD 4
GByteArray *packet_new(gsize len, guint8 fill);
