/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/leg.h"

#include "common/codec/ws-frame.h"

#include <errno.h>
#include <stdatomic.h>

typedef enum {
    LEG_COMING,  /* the 101 is being sent */
    LEG_IDLE,    /* its reactor has the connection */
    LEG_TAKING,  /* the connection is on its way to us */
    LEG_IN_HAND, /* we have it, or there is none any more */
} LegState;

/* The part that the reactor uses. Two references: ours and the reactor's. */
typedef struct {
    atomic_uint references;
    Connection *connection;
    Reactor *reactor;
    Queue *queue;
    gboolean told; /* on the reactor: has said that the peer is gone */
    Leg *leg;      /* on the main thread; NULL: nobody listens any more */
    guint16 code;
    char *text;
} IdleLeg;

struct Leg {
    LegState state;
    Queue *queue;
    const LegEvents *events; /* NULL: closed before the connection came */
    void *data;
    Handover handover;
    IdleLeg *idle;
    gboolean wanted; /* leg_take was called */
    guint16 code;
    char *text;
};

static void
idle_leg_unref(IdleLeg *idle)
{
    if (atomic_fetch_sub(&idle->references, 1) != 1)
        return;
    g_free(idle->text);
    g_free(idle);
}

static IdleLeg *
idle_leg_ref(IdleLeg *idle)
{
    atomic_fetch_add(&idle->references, 1);
    return idle;
}

static void
idle_leg_lost(void *data)
{
    IdleLeg *idle = data;
    Leg *leg = idle->leg;

    if (leg && leg->events)
        leg->events->lost(leg, leg->data);
    idle_leg_unref(idle);
}

static void
idle_leg_ready(Connection *connection, void *data)
{
    IdleLeg *idle = data;
    int r = connection_flush(connection); /* the 101 */

    if (idle->told || (!connection_hung_up(connection) && (r == 0 || r == -EAGAIN)))
        return;
    idle->told = TRUE;
    queue_call(idle->queue, idle_leg_lost, idle_leg_ref(idle));
}

static void
idle_leg_begin(void *data)
{
    IdleLeg *idle = data;

    if (connection_attach(idle->connection, idle->reactor, idle_leg_ready, idle) < 0) {
        idle->told = TRUE;
        queue_call(idle->queue, idle_leg_lost, idle_leg_ref(idle));
    }
}

/* Sends the close frame and lets the connection go, attached or not. */
static void
idle_leg_close(void *data)
{
    IdleLeg *idle = data;
    Connection *connection = idle->connection;
    guint8 frame[WS_MAX_CONTROL_FRAME];
    gsize len = ws_close_write(frame, idle->code, idle->text, NULL);

    if (!connection_reactor(connection) &&
        connection_attach(connection, idle->reactor, NULL, NULL) < 0) {
        connection_free(connection);
    } else {
        (void)connection_queue(connection, frame, len);
        connection_finish(connection);
    }
    idle_leg_unref(idle);
}

static void
leg_free(Leg *leg)
{
    g_free(leg->text);
    g_free(leg);
}

static IdleLeg *
idle_leg_new(Leg *leg)
{
    IdleLeg *idle = g_new0(IdleLeg, 1);

    atomic_init(&idle->references, 1);
    idle->connection = g_steal_pointer(&leg->handover.connection);
    idle->reactor = leg->handover.reactor;
    idle->queue = leg->queue;
    return idle;
}

/* Closes the connection, in hand or idle, and frees the leg. */
static void
leg_end(Leg *leg)
{
    IdleLeg *idle = leg->idle;

    if (!idle && leg->handover.connection)
        idle = idle_leg_new(leg);
    if (idle) {
        idle->leg = NULL;
        idle->code = leg->code;
        idle->text = g_steal_pointer(&leg->text);
        reactor_call(idle->reactor, idle_leg_close, idle);
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
leg_idle(Leg *leg)
{
    leg->state = LEG_IDLE;
    leg->idle = idle_leg_new(leg);
    leg->idle->leg = leg;
    reactor_call(leg->idle->reactor, idle_leg_begin, leg->idle);
}

static void
leg_upgraded(const Handover *handover, void *data)
{
    Leg *leg = data;

    leg->handover = *handover;
    slot_unref(g_steal_pointer(&leg->handover.slot)); /* the connection keeps it */
    if (leg->wanted || !leg->events) {
        leg_in_hand(leg);
    } else if (handover->connection) {
        leg_idle(leg);
    } else {
        leg->state = LEG_IN_HAND;
        leg->events->lost(leg, leg->data);
    }
}

Leg *
leg_new(Request *request, Queue *queue, const LegEvents *events, void *data)
{
    Leg *leg = g_new0(Leg, 1);

    leg->queue = queue;
    leg->events = events;
    leg->data = data;
    request_authenticated(request);
    request_upgrade(request, leg_upgraded, leg);
    return leg;
}

static void
idle_leg_taken(void *data)
{
    IdleLeg *idle = data;
    Leg *leg = idle->leg;

    leg->handover.connection = idle->connection;
    leg->idle = NULL;
    idle->leg = NULL;
    idle_leg_unref(idle);
    leg_in_hand(leg);
}

static void
idle_leg_give(void *data)
{
    IdleLeg *idle = data;

    connection_detach(idle->connection);
    queue_call(idle->queue, idle_leg_taken, idle);
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
    if (leg->state == LEG_IDLE) {
        leg->state = LEG_TAKING;
        reactor_call(leg->idle->reactor, idle_leg_give, leg->idle);
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
    if (leg->state == LEG_IDLE || leg->state == LEG_IN_HAND)
        leg_end(leg);
}
