/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet link: MQTT packets over a connection, either straight in TLS or in WebSocket messages
 * (docs/wire-protocol.md, section 1.1), between a reactor and the thread that decides.
 *
 * It hands over whole packets, several at a time. The connection is not read again until the owner
 * has taken them, so nothing accumulates. Output is bounded by CONNECTION_QUEUE_MAX. */
#pragma once

#include "common/net/connection.h"

typedef struct PacketLink PacketLink;

typedef struct {
    gboolean framed;   /* in WebSocket messages */
    gboolean client;   /* we are the client: we mask */
    gsize first_max;   /* bytes in the first packet, header included; 0: as the others */
    gsize max_packet;  /* bytes in a packet; a larger one ends the link before it is stored */
    gint64 idle_limit; /* µs without a whole packet from the peer before the link ends; 0: none */
} PacketLinkOptions;

typedef struct {
    /* A whole packet, fixed header included; valid during the call. On OWNER's thread. */
    void (*packet)(PacketLink *link, const guint8 *packet, gsize len, void *data);
    /* The link is over: ERROR is 0 for the peer's orderly end, else -errno; TEXT says what
     * happened. On OWNER's thread, once, the last call. */
    void (*closed)(PacketLink *link, int error, const char *text, void *data);
} PacketLinkEvents;

/* Any thread; takes CONNECTION (detached, or on REACTOR and this is its thread). EVENTS is kept by
 * reference. The caller holds the first reference. */
PacketLink *
packet_link_new(Connection *connection, Reactor *reactor, const PacketLinkOptions *options,
                Queue *owner, const PacketLinkEvents *events, void *data);

/* All of these: OWNER's thread. */
void packet_link_send(PacketLink *link, const guint8 *packet,
                      gsize len); /* too slow a peer ends the link */
void packet_link_set_idle_limit(PacketLink *link, gint64 idle_limit);

/* Checks whether the peer is alive, within LIMIT µs. With PING it must answer a WebSocket ping.
 * Without, and where packets are not framed, it is enough that its kernel acknowledges what was
 * sent. Otherwise the link ends with -ETIMEDOUT. A second probe waits for the first. */
void packet_link_probe(PacketLink *link, gint64 limit, gboolean ping);

/* Reads nothing for PAUSE µs after the present packet, or the next one, is taken. What the peer
 * sends meanwhile waits in the socket, and the pause does not count as the peer's silence. */
void packet_link_rest(PacketLink *link, gint64 pause);
void packet_link_close(
    PacketLink *link); /* sends what waits, then ends; closed is not called any more */
/* The same with another close code than 1000, and a text, which is static. Packets that are not
 * framed have no place for them. */
void packet_link_close_as(PacketLink *link, guint16 code, const char *text);

/* In `closed`: the text of the close frame that the peer sent, "" when there was none, and its
 * code, else 0. */
const char *packet_link_said(PacketLink *link, guint16 *ret_code);
const char *packet_link_peer(PacketLink *link);

/* Drops the caller's reference; implies close. */
void packet_link_unref(PacketLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketLink, packet_link_unref)
