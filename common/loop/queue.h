/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cross-thread queue: many senders, one receiver, an eventfd to wake it.
 *
 * Bounded by construction: a Message is embedded in its object (a connection, a link, a relay, a
 * request), is never copied, and can be queued once at a time. So a queue never holds more messages
 * than there are objects, and objects have limits of their own. Posting a message that is still
 * queued does nothing: a message only wakes the receiver, which then looks at the state of the
 * object. The sender keeps the object alive until the message has run. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

typedef struct Queue Queue;
typedef struct Message Message;

/* Runs on the receiver's thread, once per successful post. It may post the message again or free
 * the object that holds it. */
typedef void (*MessageFunc)(Message *message);

struct Message {
    MessageFunc func;   /* set before the first post, unchanged afterwards */
    Message *next;      /* the queue's */
    atomic_bool queued; /* the queue's */
};

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-G_STRUCT_OFFSET(type, member)))

Queue *queue_new(void);
void queue_free(Queue *queue); /* messages still queued do not run */

/* Any thread. FALSE when the message was queued already. */
gboolean queue_post(Queue *queue, Message *message);

/* A message of its own on the heap, for a command that belongs to no object: any thread. FUNC runs
 * once on the receiver's thread. */
void queue_call(Queue *queue, void (*func)(void *data), void *data);

/* Messages that wait now, without those of a run that has begun. Any thread. */
guint queue_length(Queue *queue);

/* Receiver only: readable while messages wait. */
int queue_fd(Queue *queue);

/* Receiver only: runs what was queued when it began (not what that posts); how many ran. */
guint queue_run(Queue *queue);

/* A GSource that runs the queue on a main context: makes the main loop a receiver. Caller attaches
 * it; the source does not own the queue. */
GSource *queue_source_new(Queue *queue);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Queue, queue_free)
