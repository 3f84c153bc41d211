/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reactor: a worker thread with one epoll loop. It owns sockets, TLS sessions, framing and relays.
 * The main thread takes the decisions and sends it messages.
 *
 * Watches are edge-triggered for input and output together, so no system call changes what is
 * watched. The owner of a descriptor remembers that it is ready until EAGAIN. Work beyond an
 * object's budget is deferred to the next turn as a Task, so that no stream starves another.
 *
 * Threads: reactor_new, _free, _queue, _post, _call: any. Everything else: on the reactor itself.
 */
#pragma once

#include "common/loop/queue.h"
#include "common/loop/timer-wheel.h"

#include <stdint.h>

typedef struct Reactor Reactor;
typedef struct Watch Watch;
typedef struct Task Task;

struct Watch {
    int fd;
    void (*ready)(Watch *watch,
                  uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR */
};

struct Task {
    void (*func)(Task *task); /* runs once on the next turn; may defer itself again */
    Task *next, *previous;    /* the reactor's */
    guint64 turn;             /* the reactor's */
    gboolean deferred;        /* the reactor's */
};

/* A socket that still has bytes to send after its owner is gone. */
typedef struct LingeringClose LingeringClose;
struct LingeringClose {
    void (*end)(LingeringClose *closing); /* frees it; it has to call reactor_disown */
    gboolean patient;                     /* it may stay for long: such are counted */
    LingeringClose *next, *previous;      /* the reactor's */
};

/* Starts the thread; NAME is shown by ps and top (at most 15 bytes). */
Reactor *reactor_new(const char *name);

/* Stops after the current turn and joins the thread. Watches that are still added are not called;
 * lingering closes are ended. */
void reactor_free(Reactor *reactor);

Queue *reactor_queue(Reactor *reactor);
void reactor_post(Reactor *reactor, Message *message); /* = queue_post on its queue */
void reactor_call(Reactor *reactor, void (*func)(void *data), void *data);

/* 0, or -errno (ENOSPC, ENOMEM). The first report of the present readiness comes next turn. */
int reactor_add(Reactor *reactor, Watch *watch);

/* For a listening socket that several reactors share: level-triggered, one of them is woken. */
int reactor_add_shared(Reactor *reactor, Watch *watch);

/* After it the watch is not called any more, even for events already fetched. */
void reactor_remove(Reactor *reactor, Watch *watch);

void reactor_defer(Reactor *reactor, Task *task); /* nothing when already deferred */
void reactor_cancel(Reactor *reactor, Task *task);

void reactor_set_timer(Reactor *reactor, Timer *timer, gint64 delay_us);
void reactor_clear_timer(Reactor *reactor, Timer *timer);

void reactor_adopt(Reactor *reactor, LingeringClose *closing);
void reactor_disown(Reactor *reactor, LingeringClose *closing);
guint reactor_patient_lingering(const Reactor *reactor);
guint reactor_hasty_lingering(const Reactor *reactor); /* those that are not patient */

gint64 reactor_now(Reactor *reactor); /* monotonic µs, taken once a turn */

gboolean reactor_is_current(Reactor *reactor); /* any thread; for assertions */

/* A count of turns, for a watchdog: moves on at least every second while the thread lives. Any
 * thread. */
guint64 reactor_heartbeat(Reactor *reactor);

/* A buffer of BUFFER_SIZE bytes from a small pool, and back to it (or to g_free). Never NULL. It
 * holds a WebSocket message of 64 KiB with room for a header in front of it, or the same as TLS
 * records (four of 16 KiB, each 22 bytes longer on the wire). */
#define BUFFER_HEADROOM 16
#define BUFFER_DATA 65536
#define BUFFER_SIZE (BUFFER_HEADROOM + BUFFER_DATA + 2032)
uint8_t *reactor_buffer_take(Reactor *reactor);
void reactor_buffer_give(Reactor *reactor, uint8_t *buffer); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reactor, reactor_free)

/* A fixed set of reactors. Any thread after creation. */
typedef struct ReactorPool ReactorPool;

ReactorPool *reactor_pool_new(guint count, const char *name); /* count 0: one per CPU, at most 64 */
void reactor_pool_free(ReactorPool *pool);
guint reactor_pool_size(ReactorPool *pool);
Reactor *reactor_pool_get(ReactorPool *pool, guint index);
Reactor *reactor_pool_pick(ReactorPool *pool); /* the next one, in turn */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReactorPool, reactor_pool_free)
