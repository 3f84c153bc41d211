/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/leg.h"

#include "common/codec/ws-frame.h"

#include <errno.h>
#include <stdatomic.h>

typedef enum {
    LEG_COMING,  /* the 101 is under way */
    LEG_PARKED,  /* its reactor has the connection */
    LEG_TAKING,  /* the connection is on its way to us */
    LEG_IN_HAND, /* we have it, or there is none any more */
} LegState;

/* What its reactor has. Two holds: ours and the reactor's. */
typedef struct {
    atomic_uint references;
    Connection *connection;
    Reactor *reactor;
    Queue *queue;
    gboolean told; /* the reactor's: that the peer has gone */
    Leg *leg;      /* the main thread's; NULL: nobody listens any more */
    guint16 code;
    char *text;
} Park;

struct Leg {
    LegState state;
    Queue *queue;
    Places *places;
    const LegEvents *events; /* NULL: closed before it was here */
    void *data;
    Handover handover;
    Park *park;
    gboolean wanted; /* leg_take was called */
    guint16 code;
    char *text;
};

static void
park_unref(Park *park)
{
    if (atomic_fetch_sub(&park->references, 1) != 1)
        return;
    g_free(park->text);
    g_free(park);
}

static Park *
park_ref(Park *park)
{
    atomic_fetch_add(&park->references, 1);
    return park;
}

static void
park_lost(void *data)
{
    Park *park = data;
    Leg *leg = park->leg;

    if (leg && leg->events)
        leg->events->lost(leg, leg->data);
    park_unref(park);
}

static void
park_ready(Connection *connection, void *data)
{
    Park *park = data;
    int r = connection_flush(connection); /* the 101 */

    if (park->told || (!connection_hung_up(connection) && (r == 0 || r == -EAGAIN)))
        return;
    park->told = TRUE;
    queue_call(park->queue, park_lost, park_ref(park));
}

static void
park_begin(void *data)
{
    Park *park = data;

    if (connection_attach(park->connection, park->reactor, park_ready, park) < 0) {
        park->told = TRUE;
        queue_call(park->queue, park_lost, park_ref(park));
    }
}

/* Attached or not: sends the close frame and lets go. */
static void
park_close(void *data)
{
    Park *park = data;
    Connection *connection = park->connection;
    guint8 frame[WS_MAX_CONTROL_FRAME];
    gsize len = ws_close_write(frame, park->code, park->text, NULL);

    if (!connection_reactor(connection) &&
        connection_attach(connection, park->reactor, NULL, NULL) < 0) {
        connection_free(connection);
    } else {
        (void)connection_queue(connection, frame, len);
        connection_finish(connection);
    }
    park_unref(park);
}

static void
leg_free(Leg *leg)
{
    g_free(leg->text);
    g_free(leg);
}

static Park *
park_new(Leg *leg)
{
    Park *park = g_new0(Park, 1);

    atomic_init(&park->references, 1);
    park->connection = g_steal_pointer(&leg->handover.connection);
    park->reactor = leg->handover.reactor;
    park->queue = leg->queue;
    return park;
}

/* Closes what is in hand or parked, and frees. */
static void
leg_end(Leg *leg)
{
    Park *park = leg->park;

    places_leave(leg->places, &leg->handover.place);
    if (!park && leg->handover.connection)
        park = park_new(leg);
    if (park) {
        park->leg = NULL;
        park->code = leg->code;
        park->text = g_steal_pointer(&leg->text);
        reactor_call(park->reactor, park_close, park);
    }
    leg_free(leg);
}

static void
leg_in_hand(Leg *leg)
{
    leg->state = LEG_IN_HAND;
    if (!leg->events)
        leg_end(leg);
    else
        leg->events->taken(leg, leg->data);
}

static void
leg_park(Leg *leg)
{
    leg->state = LEG_PARKED;
    leg->park = park_new(leg);
    leg->park->leg = leg;
    reactor_call(leg->park->reactor, park_begin, leg->park);
}

static void
leg_upgraded(const Handover *handover, void *data)
{
    Leg *leg = data;

    leg->handover = *handover;
    if (leg->wanted || !leg->events) {
        leg_in_hand(leg);
    } else if (handover->connection) {
        leg_park(leg);
    } else {
        leg->state = LEG_IN_HAND;
        leg->events->lost(leg, leg->data);
    }
}

Leg *
leg_new(Request *request, Queue *queue, Places *places, const LegEvents *events, void *data)
{
    Leg *leg = g_new0(Leg, 1);

    leg->queue = queue;
    leg->places = places;
    leg->events = events;
    leg->data = data;
    request_authenticated(request);
    request_upgrade(request, leg_upgraded, leg);
    return leg;
}

static void
park_taken(void *data)
{
    Park *park = data;
    Leg *leg = park->leg;

    leg->handover.connection = park->connection;
    leg->park = NULL;
    park->leg = NULL;
    park_unref(park);
    leg_in_hand(leg);
}

static void
park_give(void *data)
{
    Park *park = data;

    connection_detach(park->connection);
    queue_call(park->queue, park_taken, park);
}

static void
leg_told(void *data)
{
    leg_in_hand(data);
}

void
leg_take(Leg *leg)
{
    leg->wanted = TRUE;
    if (leg->state == LEG_PARKED) {
        leg->state = LEG_TAKING;
        reactor_call(leg->park->reactor, park_give, leg->park);
    } else if (leg->state == LEG_IN_HAND) {
        leg->state = LEG_TAKING;
        queue_call(leg->queue, leg_told, leg);
    }
}

gboolean
leg_has_connection(Leg *leg)
{
    return leg->handover.connection != NULL;
}

Connection *
leg_steal(Leg *leg)
{
    g_assert(leg->state == LEG_IN_HAND);
    return g_steal_pointer(&leg->handover.connection);
}

Reactor *
leg_reactor(Leg *leg)
{
    return leg->handover.reactor;
}

void
leg_close(Leg *leg, guint16 code, const char *text)
{
    if (!leg)
        return;
    leg->events = NULL;
    leg->code = code;
    leg->text = g_strdup(text);
    if (leg->state == LEG_PARKED || leg->state == LEG_IN_HAND)
        leg_end(leg);
}
