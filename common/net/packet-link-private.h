/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of a packet link: its state, and what packet-link.c and packet-link-life.c say to each
 * other. All functions: on its reactor. */
#pragma once

#include "common/codec/ws-frame.h"
#include "common/net/packet-link.h"

#include <pthread.h>

struct PacketLink {
    atomic_uint references;
    Connection *connection; /* the reactor's; NULL once over */
    Reactor *reactor;
    Queue *owner;
    PacketLinkOptions options;
    const PacketLinkEvents *events;
    void *data;
    char peer[64];

    /* the reactor's */
    WsDecoder decoder;
    WsMaskPool *masks;
    WsEvent last; /* CLOSE or ERROR once it came: acted on when the packets before it are taken */
    Task again;
    GByteArray *in;   /* from the start of the present packet; the owner's while `handed` */
    gsize packet_len; /* of the packets that are handed over; then: of those that were taken */
    gboolean handed, first;
    gint64 heard;
    Timer idle;
    gint64 read_at; /* when bytes last came */
    Timer probe;
    gint64 probe_from;
    gboolean pinged; /* by the present probe */
    Timer rest;
    gboolean resting; /* nothing is read until it is over */
    guint pings;      /* of the peer in the second that began then */
    gint64 pings_since;
    guint16 said_code; /* of the peer's close frame, and its text, which is "" when there is none */
    char said[WS_MAX_CONTROL_FRAME];
    int error; /* how it ended, for the owner's closed event */
    char *text;

    /* between both, under the lock */
    pthread_mutex_t lock;
    GByteArray *out; /* NULL mostly */
    gboolean out_full, close_wanted;
    guint16 close_code;
    const char *close_text; /* static; NULL: none */
    gint64 idle_limit;
    gint64 probe_wanted; /* its limit; 0: none */
    gboolean ping_wanted;
    gint64 rest_wanted; /* after the next packet that is taken; 0: none */

    gboolean muted; /* the owner's: no more events */
    Message start, delivered, taken, kick, over;
};

/* packet-link.c */
void packet_link_control(PacketLink *link, WsOpcode opcode, const void *payload, size_t len);
void packet_link_end(PacketLink *link, int error, const char *text);
void packet_link_flush(PacketLink *link);
void packet_link_pump(PacketLink *link);

/* packet-link-life.c */
void packet_link_init_life(PacketLink *link);
void packet_link_set_timer(PacketLink *link);   /* as the idle limit wants it */
void packet_link_start_probe(PacketLink *link); /* the one that is wanted, if none runs */
void packet_link_start_rest(PacketLink *link);  /* the same */
void packet_link_bound_pings(PacketLink *link); /* after something was read */
