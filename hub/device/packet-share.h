/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packet share: how much of the main thread the packets of one device may take (requirement R14).
 *
 * Every packet has a cost, counted in PUBLISHes. A connection may send publishes-burst at once,
 * then publishes-per-second. Beyond that it is not read for a pause of at most PACKET_PAUSE_MAX; it
 * is never closed for that. All connections that are over their share have
 * busy-publishes-per-second together, so that many of them cost the others no more than a few do.
 * The debt of a connection is remembered after it ends, so that connecting again does not help.
 * Main thread; NOW in monotonic µs. No I/O and no clock. */
#pragma once

#include "common/codec/mqtt-packet.h"
#include "hub/base/settings.h"

#define PACKET_PAUSE_MAX (250 * G_TIME_SPAN_MILLISECOND)

/* A device that is asked for a stream may exceed its rate by this many seconds, because its answer
 * is behind what it has sent already. */
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

/* Adds COST. Returns for how long (µs) the connection must not be read; 0: read on. URGENT: an
 * answer of the device is awaited. */
gint64 packet_shares_take(PacketShares *shares, PacketShare *share, double cost, gboolean urgent,
                          gint64 now);

/* Devices whose debt is remembered: for tests. */
guint packet_shares_debts(const PacketShares *shares);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketShares, packet_shares_free)
