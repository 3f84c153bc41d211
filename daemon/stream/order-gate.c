/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/order-gate.h"

typedef struct OrderTunnel {
    char *name;
    GHashTable *turns; /* &OrderTurn.seq -> OrderTurn, borrowed */
    guint64 passed;    /* the highest number that has left */
    GList link;
} OrderTunnel;

struct OrderGate {
    GHashTable *tunnels; /* name -> OrderTunnel, owned */
    GQueue used;         /* the same, the one entered last at the end */
};

static void
tunnel_free(gpointer data)
{
    OrderTunnel *tunnel = data;

    g_hash_table_unref(tunnel->turns);
    g_free(tunnel->name);
    g_free(tunnel);
}

OrderGate *
order_gate_new(void)
{
    OrderGate *gate = g_new0(OrderGate, 1);

    gate->tunnels = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, tunnel_free);
    g_queue_init(&gate->used);
    return gate;
}

void
order_gate_free(OrderGate *gate)
{
    if (!gate)
        return;
    g_hash_table_unref(gate->tunnels);
    g_free(gate);
}

/* Removes the tunnel that was used longest ago and has no turns. */
static gboolean
gate_make_room(OrderGate *gate)
{
    if (gate->used.length < ORDER_TUNNELS_MAX)
        return TRUE;
    for (GList *l = gate->used.head; l; l = l->next) {
        OrderTunnel *tunnel = l->data;

        if (g_hash_table_size(tunnel->turns) > 0)
            continue;
        g_queue_unlink(&gate->used, &tunnel->link);
        g_hash_table_remove(gate->tunnels, tunnel->name);
        return TRUE;
    }
    return FALSE;
}

static OrderTunnel *
gate_find(OrderGate *gate, const char *initiator, const StreamOrder *order)
{
    g_autofree char *name = g_strdup_printf("%s %s", order->tunnel, initiator ? initiator : "");
    OrderTunnel *tunnel = g_hash_table_lookup(gate->tunnels, name);

    if (tunnel) {
        g_queue_unlink(&gate->used, &tunnel->link);
    } else if (gate_make_room(gate)) {
        tunnel = g_new0(OrderTunnel, 1);
        tunnel->name = g_steal_pointer(&name);
        tunnel->turns = g_hash_table_new(g_int64_hash, g_int64_equal);
        tunnel->link.data = tunnel;
        g_hash_table_insert(gate->tunnels, tunnel->name, tunnel);
    } else {
        return NULL;
    }
    g_queue_push_tail_link(&gate->used, &tunnel->link);
    return tunnel;
}

void
order_gate_enter(OrderGate *gate, OrderTurn *turn, const char *initiator, const StreamOrder *order,
                 gint64 now)
{
    OrderTunnel *tunnel = gate_find(gate, initiator, order);

    if (!tunnel || g_hash_table_contains(tunnel->turns, &order->seq))
        return;
    turn->tunnel = tunnel;
    turn->seq = order->seq;
    turn->came = now;
    g_hash_table_insert(tunnel->turns, &turn->seq, turn);
}

gint64
order_gate_wait(const OrderTurn *turn, gint64 now)
{
    const OrderTunnel *tunnel = turn->tunnel;
    const guint64 before = turn->seq - 1;
    const OrderTurn *previous = tunnel ? g_hash_table_lookup(tunnel->turns, &before) : NULL;

    if (!tunnel || before == 0 || (!previous && before <= tunnel->passed))
        return 0;
    return MAX((previous ? previous->came : turn->came) + ORDER_PATIENCE - now, 0);
}

void
order_gate_leave(OrderTurn *turn)
{
    OrderTunnel *tunnel = g_steal_pointer(&turn->tunnel);
    const guint64 after = turn->seq + 1;
    OrderTurn *next;

    if (!tunnel)
        return;
    g_hash_table_remove(tunnel->turns, &turn->seq);
    tunnel->passed = MAX(tunnel->passed, turn->seq);
    next = g_hash_table_lookup(tunnel->turns, &after);
    if (next)
        next->ready(next->data);
}
