/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet share: how much of the main thread the packets of one device may take (requirement R14).
 *
 * Every packet has a cost, in PUBLISHes. A connection may bring publishes-burst at once, then
 * publishes-per-second; beyond that it is read again only after a pause of at most
 * PACKET_PAUSE_MAX, and never closed for it. Connections that are over their share have
 * busy-publishes-per-second in all, divided among them, so that many of them together cost the
 * others no more than a few. What a connection owes outlives it: to connect again buys nothing.
 * Main thread; NOW in monotonic µs. No I/O and no clock. */
#pragma once

#include "common/codec/mqtt-packet.h"
#include "hub/base/settings.h"

#define PACKET_PAUSE_MAX (250 * G_TIME_SPAN_MILLISECOND)

/* A device that is asked for a stream may run ahead by so many seconds of its rate: its answer
 * stands behind what it has sent already. */
#define PACKET_URGENT_SECONDS 10

/* Devices whose debt is remembered after their connection has ended; beyond them the oldest is
 * forgotten. */
#define PACKET_DEBTS_MAX 8192

typedef struct PacketShares PacketShares;

/* Of one connection. */
typedef struct {
    double credit;      /* packets that it may bring now; below 0: it is over its share */
    gint64 at;          /* when that was so */
    gint64 busy_second; /* when it was paused last, in whole seconds; 0: never */
} PacketShare;

PacketShares *packet_shares_new(const Settings *settings); /* kept by reference */
void packet_shares_free(PacketShares *shares);

/* For a connection that begins, and one that ends. */
PacketShare packet_shares_begin(PacketShares *shares, const char *client_id, gint64 now);
void packet_shares_end(PacketShares *shares, const char *client_id, PacketShare *share, gint64 now);

/* What a packet of that type and length costs. */
double packet_cost(MqttType type, gsize len);

/* Takes COST; for how long nothing is to be read from the connection (µs), 0: read on. URGENT: it
 * owes an answer. */
gint64 packet_shares_take(PacketShares *shares, PacketShare *share, double cost, gboolean urgent,
                          gint64 now);

/* Devices whose debt is remembered: for tests. */
guint packet_shares_debts(const PacketShares *shares);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketShares, packet_shares_free)
