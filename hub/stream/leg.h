/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leg: the WebSocket of one side of a stream, from its 101 until the bridge takes it over.
 *
 * It is on its reactor and not read, so what the peer sends early stays in the socket's buffers. It
 * is still noticed when the peer goes away (docs/wire-protocol.md, section 4a). Main thread. */
#pragma once

#include "hub/edge/http-request.h"

typedef struct Leg Leg;

typedef struct {
    /* The peer has gone. Called once. The leg stays until leg_close, and a bridge may still take
     * it. */
    void (*lost)(Leg *leg, void *data);
    /* After leg_take: its connection is here. */
    void (*taken)(Leg *leg, void *data);
} LegEvents;

/* Answers REQUEST with 101. EVENTS is kept by reference. */
Leg *leg_new(Request *request, Queue *queue, const LegEvents *events, void *data);

/* Asks for the connection; `taken` follows, never from within. */
void leg_take(Leg *leg);

/* After `taken`: FALSE when it was lost before its 101. */
gboolean leg_has_connection(Leg *leg);

/* After `taken`: the connection, detached, now the caller's. */
Connection *leg_steal(Leg *leg);
Reactor *leg_reactor(Leg *leg); /* after `taken` */

/* Frees the leg; no event follows. A connection that it still has is closed with CODE and TEXT.
 * NULL is fine. */
void leg_close(Leg *leg, guint16 code, const char *text);
