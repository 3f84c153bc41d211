/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/queue.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* pthread and C11 atomics, because ThreadSanitizer understands them: GLib's locks are not
 * instrumented in Debian's builds. */
struct Queue {
    pthread_mutex_t lock;
    Message *first, *last;
    guint length;
    int event;
};

Queue *
queue_new(void)
{
    Queue *queue = g_new0(Queue, 1);

    pthread_mutex_init(&queue->lock, NULL);
    queue->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->event < 0)
        g_error("eventfd: %s", g_strerror(errno));
    return queue;
}

void
queue_free(Queue *queue)
{
    if (!queue)
        return;
    close(queue->event);
    pthread_mutex_destroy(&queue->lock);
    g_free(queue);
}

gboolean
queue_post(Queue *queue, Message *message)
{
    const guint64 one = 1;
    gboolean was_empty;

    if (atomic_exchange(&message->queued, TRUE))
        return FALSE;
    message->next = NULL;
    pthread_mutex_lock(&queue->lock);
    was_empty = queue->first == NULL;
    if (was_empty)
        queue->first = message;
    else
        queue->last->next = message;
    queue->last = message;
    queue->length++;
    /* Inside the lock: a receiver that runs this message may free the last user of the queue. */
    if (was_empty && write(queue->event, &one, sizeof one) < 0)
        g_debug("eventfd write: %s", g_strerror(errno));
    pthread_mutex_unlock(&queue->lock);
    return TRUE;
}

typedef struct {
    Message message;
    void (*func)(void *data);
    void *data;
} Call;

static void
call_run(Message *message)
{
    Call *call = CONTAINER_OF(message, Call, message);
    void (*func)(void *data) = call->func;
    void *data = call->data;

    g_free(call);
    func(data);
}

void
queue_call(Queue *queue, void (*func)(void *data), void *data)
{
    Call *call = g_new0(Call, 1);

    call->message.func = call_run;
    call->func = func;
    call->data = data;
    (void)queue_post(queue, &call->message);
}

guint
queue_length(Queue *queue)
{
    guint length;

    pthread_mutex_lock(&queue->lock);
    length = queue->length;
    pthread_mutex_unlock(&queue->lock);
    return length;
}

int
queue_fd(Queue *queue)
{
    return queue->event;
}

static Message *
queue_take_all(Queue *queue)
{
    guint64 count;
    Message *first;

    pthread_mutex_lock(&queue->lock);
    if (queue->first && read(queue->event, &count, sizeof count) < 0)
        g_debug("eventfd read: %s", g_strerror(errno));
    first = queue->first;
    queue->first = queue->last = NULL;
    queue->length = 0;
    pthread_mutex_unlock(&queue->lock);
    return first;
}

guint
queue_run(Queue *queue)
{
    Message *next = queue_take_all(queue);
    guint count = 0;

    while (next) {
        Message *message = next;

        next = message->next;
        /* Cleared first: a post from here on runs the function again. */
        atomic_store(&message->queued, FALSE);
        message->func(message);
        count++;
    }
    return count;
}

typedef struct {
    GSource source;
    Queue *queue;
} QueueSource;

static gboolean
queue_source_dispatch(GSource *source, GSourceFunc callback G_GNUC_UNUSED,
                      gpointer data G_GNUC_UNUSED)
{
    queue_run(((QueueSource *)source)->queue);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs queue_source_funcs = {.dispatch = queue_source_dispatch};

GSource *
queue_source_new(Queue *queue)
{
    GSource *source = g_source_new(&queue_source_funcs, sizeof(QueueSource));

    ((QueueSource *)source)->queue = queue;
    g_source_add_unix_fd(source, queue->event, G_IO_IN);
    g_source_set_static_name(source, "queue");
    return source;
}
