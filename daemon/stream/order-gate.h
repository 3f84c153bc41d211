/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Order gate: streams of one tunnel reach their target in the order in which their connections came
 * to it (docs/wire-protocol.md, section 8). Main thread.
 *
 * A stream may go when the one before it is connected or refused, or is ORDER_PATIENCE old. If the
 * one before it has not come at all, it may go when it is itself that old. The initiator is part of
 * a tunnel's name here, so that nobody waits for a stream of somebody else. The caller passes the
 * times, in µs. */
#pragma once

#include "common/codec/stream-order.h"

typedef struct OrderGate OrderGate;

#define ORDER_PATIENCE (250 * G_TIME_SPAN_MILLISECOND)
#define ORDER_TUNNELS_MAX 256 /* remembered; streams of further ones do not wait */

/* A stream's place, embedded in it. Zeroed: it has none. */
typedef struct {
    void (*ready)(void *data); /* it may go: look at order_gate_wait again */
    void *data;
    struct OrderTunnel *tunnel; /* NULL: it has no place */
    guint64 seq;
    gint64 came;
} OrderTurn;

OrderGate *order_gate_new(void);
void order_gate_free(OrderGate *gate); /* all have left; NULL is fine */

/* The stream has come; READY and DATA are set. Does nothing when there is no room for it: then it
 * does not wait. */
void order_gate_enter(OrderGate *gate, OrderTurn *turn, const char *initiator,
                      const StreamOrder *order, gint64 now);

/* How much longer it has to wait, 0: it may go. */
gint64 order_gate_wait(const OrderTurn *turn, gint64 now);

/* The stream is connected or refused, or the next one must not wait for it any longer: calls READY
 * of the next one. Does nothing when it has no place. */
void order_gate_leave(OrderTurn *turn);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrderGate, order_gate_free)
