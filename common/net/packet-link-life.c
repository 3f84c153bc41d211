/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Liveness of a packet link's peer, and the limit on how much of the reactor it may use. */
#include "common/net/packet-link-private.h"

#include <errno.h>

/* WebSocket pings answered per second. A peer that sends more makes the link rest. */
#define PACKET_LINK_PINGS 1000
#define PACKET_LINK_PINGS_REST (250 * G_TIME_SPAN_MILLISECOND)

static gint64
packet_link_idle_limit(PacketLink *link)
{
    gint64 limit;

    pthread_mutex_lock(&link->lock);
    limit = link->idle_limit;
    pthread_mutex_unlock(&link->lock);
    return limit;
}

void
packet_link_set_timer(PacketLink *link)
{
    gint64 limit = packet_link_idle_limit(link);

    if (limit > 0)
        reactor_set_timer(link->reactor, &link->idle,
                          MAX(link->heard + limit - reactor_now(link->reactor), 0));
}

static void
packet_link_idle(Timer *timer)
{
    PacketLink *link = CONTAINER_OF(timer, PacketLink, idle);
    gint64 limit = packet_link_idle_limit(link);

    /* Time in which a packet waits for the owner, or the link rests, is not silence of the peer. */
    if (link->handed || link->resting)
        link->heard = reactor_now(link->reactor);
    if (limit > 0 && reactor_now(link->reactor) - link->heard >= limit)
        packet_link_end(link, -ETIMEDOUT,
                        "the peer was silent for longer than its keep-alive allows");
    else
        packet_link_set_timer(link);
}

void
packet_link_start_probe(PacketLink *link)
{
    gint64 limit;

    pthread_mutex_lock(&link->lock);
    limit = link->probe.when ? 0 : link->probe_wanted;
    link->pinged = limit > 0 ? link->ping_wanted && link->options.framed : link->pinged;
    if (limit > 0)
        link->probe_wanted = 0;
    pthread_mutex_unlock(&link->lock);
    if (limit == 0)
        return;
    link->probe_from = reactor_now(link->reactor);
    reactor_set_timer(link->reactor, &link->probe, limit);
    if (link->pinged)
        packet_link_control(link, WS_OP_PING, NULL, 0);
}

/* The limit is over. A packet that waits for the owner also counts as a sign of life, and so does
 * what made the link rest. */
static gboolean
packet_link_is_alive(PacketLink *link)
{
    gint64 silence = reactor_now(link->reactor) - link->probe_from;

    if (link->handed || link->resting || link->read_at >= link->probe_from)
        return TRUE;
    /* The kernel counts from when it last heard of the peer. If the peer is dead, that was before
     * the probe. */
    return !link->pinged && connection_unanswered(link->connection) < silence;
}

static void
packet_link_probed(Timer *timer)
{
    PacketLink *link = CONTAINER_OF(timer, PacketLink, probe);

    if (packet_link_is_alive(link)) {
        packet_link_start_probe(link);
        packet_link_flush(link);
    } else {
        packet_link_end(link, -ETIMEDOUT, "the peer does not answer any more");
    }
}

static void
packet_link_begin_rest(PacketLink *link, gint64 pause)
{
    link->resting = TRUE;
    reactor_set_timer(link->reactor, &link->rest, pause);
}

void
packet_link_start_rest(PacketLink *link)
{
    gint64 pause;

    pthread_mutex_lock(&link->lock);
    pause = link->rest_wanted;
    link->rest_wanted = 0;
    pthread_mutex_unlock(&link->lock);
    if (pause > 0)
        packet_link_begin_rest(link, pause);
}

/* The owner does not see pings, so they are counted here. */
void
packet_link_bound_pings(PacketLink *link)
{
    if (link->read_at - link->pings_since >= G_TIME_SPAN_SECOND) {
        link->pings_since = link->read_at;
        link->pings = 0;
    } else if (link->pings > PACKET_LINK_PINGS) {
        link->pings = 0;
        packet_link_begin_rest(link, PACKET_LINK_PINGS_REST);
    }
}

static void
packet_link_rested(Timer *timer)
{
    PacketLink *link = CONTAINER_OF(timer, PacketLink, rest);

    link->resting = FALSE;
    link->heard = reactor_now(link->reactor);
    packet_link_pump(link);
}

void
packet_link_init_life(PacketLink *link)
{
    link->idle.func = packet_link_idle;
    link->probe.func = packet_link_probed;
    link->rest.func = packet_link_rested;
}
