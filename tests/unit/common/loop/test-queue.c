/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue between threads: order, kicks, and posts from many threads at once. */
#include "common/loop/queue.h"

#include <poll.h>

typedef struct {
    Message message;
    guint ran;
    Queue *queue;
    GArray *order;
} Item;

static void
item_ran(Message *message)
{
    Item *item = CONTAINER_OF(message, Item, message);

    item->ran++;
    if (item->order)
        g_array_append_val(item->order, item);
}

static gboolean
queue_is_ready(Queue *queue)
{
    struct pollfd poll_fd = {queue_fd(queue), POLLIN, 0};

    return poll(&poll_fd, 1, 0) == 1;
}

static void
test_order_and_kicks(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(Item *));
    Item one = {.message.func = item_ran, .order = order};
    Item two = {.message.func = item_ran, .order = order};

    g_assert_false(queue_is_ready(queue));
    g_assert_true(queue_post(queue, &one.message));
    g_assert_true(queue_post(queue, &two.message));
    g_assert_false(queue_post(queue, &one.message));
    g_assert_true(queue_is_ready(queue));
    g_assert_cmpuint(queue_run(queue), ==, 2);
    g_assert_false(queue_is_ready(queue));
    g_assert_true(g_array_index(order, Item *, 0) == &one);
    g_assert_true(g_array_index(order, Item *, 1) == &two);
    g_assert_true(queue_post(queue, &one.message));
    g_assert_cmpuint(queue_run(queue), ==, 1);
    g_assert_cmpuint(one.ran, ==, 2);
}

static void
item_posts_again(Message *message)
{
    Item *item = CONTAINER_OF(message, Item, message);

    item->ran++;
    g_assert_true(queue_post(item->queue, message));
}

/* What a message posts runs on the next turn: nobody can keep a receiver in its queue. */
static void
test_posting_from_a_message(void)
{
    g_autoptr(Queue) queue = queue_new();
    Item item = {.message.func = item_posts_again, .queue = queue};

    queue_post(queue, &item.message);
    g_assert_cmpuint(queue_run(queue), ==, 1);
    g_assert_true(queue_is_ready(queue));
    g_assert_cmpuint(queue_run(queue), ==, 1);
    g_assert_cmpuint(item.ran, ==, 2);
}

#define SENDERS 4
#define CALLS 5000

static void
count_call(void *data)
{
    (*(guint *)data)++;
}

typedef struct {
    Queue *queue;
    guint *count;
} Sender;

static void *
sender_run(void *data)
{
    Sender *sender = data;

    for (guint i = 0; i < CALLS; i++)
        queue_call(sender->queue, count_call, sender->count);
    return NULL;
}

static void
test_many_threads(void)
{
    g_autoptr(Queue) queue = queue_new();
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) source = queue_source_new(queue);
    GThread *threads[SENDERS];
    guint count = 0;
    Sender sender = {queue, &count};

    g_source_attach(source, context);
    for (guint i = 0; i < SENDERS; i++)
        threads[i] = g_thread_new("sender", sender_run, &sender);
    while (count < SENDERS * CALLS)
        g_main_context_iteration(context, TRUE);
    for (guint i = 0; i < SENDERS; i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(queue_run(queue), ==, 0);
    g_source_destroy(source);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/order-and-kicks", test_order_and_kicks);
    g_test_add_func("/queue/post-from-message", test_posting_from_a_message);
    g_test_add_func("/queue/many-threads", test_many_threads);
    return g_test_run();
}
