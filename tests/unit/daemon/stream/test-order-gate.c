/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may go when, by a clock that is ours. */
#include "daemon/stream/order-gate.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

typedef struct {
    OrderTurn turn;
    guint ready;
} Waiter;

static void
on_ready(void *data)
{
    ((Waiter *)data)->ready++;
}

static void
enter(OrderGate *gate, Waiter *waiter, const char *who, const char *text, gint64 now)
{
    StreamOrder order;

    g_assert_true(stream_order_parse(text, strlen(text), &order));
    *waiter = (Waiter){.turn = {.ready = on_ready, .data = waiter}};
    order_gate_enter(gate, &waiter->turn, who, &order, now);
}

/* The one before is there: until it has left, or is 250 ms old, and not until one is 249 ms old. */
static void
test_in_order(void)
{
    g_autoptr(OrderGate) gate = order_gate_new();
    Waiter one, two, three;

    enter(gate, &one, "s", "t.1", 0);
    enter(gate, &two, "s", "t.2", 100 * MS);
    enter(gate, &three, "s", "t.3", 100 * MS);
    g_assert_cmpint(order_gate_wait(&one.turn, 0), ==, 0);
    g_assert_cmpint(order_gate_wait(&two.turn, 100 * MS), ==, 150 * MS);
    g_assert_cmpint(order_gate_wait(&two.turn, 249 * MS), ==, 1 * MS);
    g_assert_cmpint(order_gate_wait(&two.turn, 250 * MS - 1), ==, 1);
    g_assert_cmpint(order_gate_wait(&two.turn, 250 * MS), ==, 0);
    g_assert_cmpint(order_gate_wait(&three.turn, 349 * MS), ==, 1 * MS);
    g_assert_cmpint(order_gate_wait(&three.turn, 350 * MS), ==, 0);
    order_gate_leave(&one.turn);
    g_assert_cmpuint(two.ready, ==, 1);
    g_assert_cmpuint(three.ready, ==, 0);
    g_assert_cmpint(order_gate_wait(&two.turn, 100 * MS), ==, 0);
    g_assert_cmpint(order_gate_wait(&three.turn, 100 * MS), ==, 250 * MS);
    order_gate_leave(&two.turn);
    order_gate_leave(&two.turn); /* once is enough */
    g_assert_cmpuint(three.ready, ==, 1);
    g_assert_cmpint(order_gate_wait(&three.turn, 100 * MS), ==, 0);
    order_gate_leave(&three.turn);
}

/* The one before comes later, or never: for as long as we are 250 ms old ourselves. */
static void
test_out_of_order(void)
{
    g_autoptr(OrderGate) gate = order_gate_new();
    Waiter one, two, four;

    enter(gate, &two, "s", "t.2", 0);
    g_assert_cmpint(order_gate_wait(&two.turn, 249 * MS), ==, 1 * MS);
    g_assert_cmpint(order_gate_wait(&two.turn, 250 * MS), ==, 0);
    enter(gate, &one, "s", "t.1", 50 * MS);
    g_assert_cmpint(order_gate_wait(&one.turn, 50 * MS), ==, 0);
    g_assert_cmpint(order_gate_wait(&two.turn, 299 * MS), ==, 1 * MS);
    order_gate_leave(&one.turn);
    g_assert_cmpuint(two.ready, ==, 1);
    order_gate_leave(&two.turn);
    enter(gate, &four, "s", "t.4", 1000 * MS); /* 3 was never told to us */
    g_assert_cmpint(order_gate_wait(&four.turn, 1249 * MS), ==, 1 * MS);
    order_gate_leave(&four.turn);
    enter(gate, &two, "s", "t.3", 1300 * MS); /* it is late: nobody is before it any more */
    g_assert_cmpint(order_gate_wait(&two.turn, 1300 * MS), ==, 0);
    order_gate_leave(&two.turn);
    enter(gate, &two, "s", "t.5", 1300 * MS);
    g_assert_cmpint(order_gate_wait(&two.turn, 1300 * MS), ==, 0);
    order_gate_leave(&two.turn);
}

/* Another initiator, another tunnel, the same place twice, no place at all. */
static void
test_strangers(void)
{
    g_autoptr(OrderGate) gate = order_gate_new();
    Waiter one, two, twice, other, nobody = {0};

    enter(gate, &one, "alice", "t.1", 0);
    enter(gate, &two, "alice", "t.2", 0);
    enter(gate, &twice, "alice", "t.2", 0);
    enter(gate, &other, "mallory", "t.3", 0);
    g_assert_cmpint(order_gate_wait(&twice.turn, 0), ==, 0);
    g_assert_cmpint(order_gate_wait(&nobody.turn, 0), ==, 0);
    order_gate_leave(&other.turn); /* as far as 3, but of mallory's */
    g_assert_cmpint(order_gate_wait(&two.turn, 0), ==, 250 * MS);
    order_gate_leave(&twice.turn);
    order_gate_leave(&nobody.turn);
    g_assert_cmpint(order_gate_wait(&two.turn, 0), ==, 250 * MS);
    order_gate_leave(&two.turn);
    order_gate_leave(&one.turn);
}

/* As many tunnels as are remembered, and one more: the one that was used the longest ago goes,
 * unless somebody is in it. */
static void
test_bound(void)
{
    g_autoptr(OrderGate) gate = order_gate_new();
    g_autofree Waiter *waiters = g_new0(Waiter, ORDER_TUNNELS_MAX + 1);
    Waiter late;

    for (guint i = 0; i <= ORDER_TUNNELS_MAX; i++) {
        g_autofree char *text = g_strdup_printf("t%u.2", i);

        enter(gate, &waiters[i], "s", text, 0);
    }
    g_assert_cmpint(order_gate_wait(&waiters[ORDER_TUNNELS_MAX - 1].turn, 0), ==, 250 * MS);
    g_assert_cmpint(order_gate_wait(&waiters[ORDER_TUNNELS_MAX].turn, 0), ==, 0);
    order_gate_leave(&waiters[7].turn);
    enter(gate, &late, "s", "more.2", 0);
    g_assert_cmpint(order_gate_wait(&late.turn, 0), ==, 250 * MS);
    order_gate_leave(&late.turn);
    enter(gate, &waiters[7], "s", "t7.3", 0); /* forgotten: 2 has not been seen */
    g_assert_cmpint(order_gate_wait(&waiters[7].turn, 0), ==, 250 * MS);
    for (guint i = 0; i <= ORDER_TUNNELS_MAX; i++)
        order_gate_leave(&waiters[i].turn);
}

static void
test_text(void)
{
    static const char *const good[] = {"t.1", "0123456789abcdef0123456789abcdef.9007199254740991"};
    static const char *const bad[] = {"",
                                      ".",
                                      "t",
                                      "t.",
                                      ".1",
                                      "t.0",
                                      "t.01",
                                      "t.-1",
                                      "t.1 ",
                                      " t.1",
                                      "t.1x",
                                      "t_.1",
                                      "t.1.2",
                                      "t\xc3\xa9.1",
                                      "t.9007199254740992",
                                      "t.10000000000000000",
                                      "0123456789abcdef0123456789abcdef0.1"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *again = NULL;
        StreamOrder order;

        g_assert_true(stream_order_parse(good[i], strlen(good[i]), &order));
        again = stream_order_format(&order);
        g_assert_cmpstr(again, ==, good[i]);
        g_assert_cmpuint(strlen(again), <=, STREAM_ORDER_MAX);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        StreamOrder order = {.seq = 42};

        g_assert_false(stream_order_parse(bad[i], strlen(bad[i]), &order));
        g_assert_cmpuint(order.seq, ==, 42);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/order-gate/in-order", test_in_order);
    g_test_add_func("/order-gate/out-of-order", test_out_of_order);
    g_test_add_func("/order-gate/strangers", test_strangers);
    g_test_add_func("/order-gate/bound", test_bound);
    g_test_add_func("/order-gate/text", test_text);
    return g_test_run();
}
