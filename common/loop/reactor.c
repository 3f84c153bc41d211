/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/reactor.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REACTOR_EVENTS 128
#define REACTOR_SPARE_BUFFERS 16
/* The longest sleep, so that the heartbeat moves at least this often. */
#define REACTOR_HEARTBEAT_MS 1000

struct Reactor {
    pthread_t thread;
    char name[16];
    int epoll;
    Queue *queue;
    TimerWheel *wheel;
    gint64 now;
    struct epoll_event events[REACTOR_EVENTS];
    int event_count, event_index; /* the batch being dispatched */
    Task *tasks_first, *tasks_last;
    guint64 turn;
    LingeringClose *lingering;
    guint patient_lingering, hasty_lingering;
    uint8_t *spare[REACTOR_SPARE_BUFFERS];
    guint spare_count;
    atomic_bool stopping;
    _Atomic guint64 heartbeat;
};

static int
reactor_wait_ms(Reactor *reactor)
{
    gint64 next;

    if (reactor->tasks_first)
        return 0;
    next = timer_wheel_next(reactor->wheel);
    if (next < 0)
        return REACTOR_HEARTBEAT_MS;
    return (int)CLAMP((next - g_get_monotonic_time() + 999) / 1000, 0, REACTOR_HEARTBEAT_MS);
}

static void
reactor_dispatch(Reactor *reactor)
{
    gboolean queued = FALSE;

    for (reactor->event_index = 0; reactor->event_index < reactor->event_count;
         reactor->event_index++) {
        struct epoll_event *event = &reactor->events[reactor->event_index];
        Watch *watch = event->data.ptr;

        if (watch == (Watch *)reactor)
            queued = TRUE;
        else if (watch)
            watch->ready(watch, event->events);
    }
    reactor->event_count = 0;
    if (queued)
        queue_run(reactor->queue);
}

/* Runs only what was deferred before this turn. A task that defers itself again waits until the
 * sockets were served. */
static void
reactor_run_tasks(Reactor *reactor)
{
    reactor->turn++;
    while (reactor->tasks_first && reactor->tasks_first->turn < reactor->turn) {
        Task *task = reactor->tasks_first;

        reactor_cancel(reactor, task);
        task->func(task);
    }
}

static void
reactor_turn(Reactor *reactor)
{
    int count =
        epoll_wait(reactor->epoll, reactor->events, REACTOR_EVENTS, reactor_wait_ms(reactor));

    if (count < 0 && errno != EINTR)
        g_error("epoll_wait: %s", g_strerror(errno));
    reactor->event_count = MAX(count, 0);
    reactor->now = g_get_monotonic_time();
    atomic_fetch_add(&reactor->heartbeat, 1);
    reactor_dispatch(reactor);
    reactor_run_tasks(reactor);
    timer_wheel_advance(reactor->wheel, reactor->now);
}

static void *
reactor_main(void *data)
{
    Reactor *reactor = data;

    pthread_setname_np(pthread_self(), reactor->name);
    while (!atomic_load(&reactor->stopping))
        reactor_turn(reactor);
    return NULL;
}

static void
reactor_wake(Message *message)
{
    g_free(message);
}

Reactor *
reactor_new(const char *name)
{
    Reactor *reactor = g_new0(Reactor, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reactor};

    g_strlcpy(reactor->name, name, sizeof reactor->name);
    reactor->now = g_get_monotonic_time();
    reactor->queue = queue_new();
    reactor->wheel = timer_wheel_new(reactor->now);
    reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (reactor->epoll < 0 ||
        epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, queue_fd(reactor->queue), &event) < 0)
        g_error("epoll: %s", g_strerror(errno));
    if (pthread_create(&reactor->thread, NULL, reactor_main, reactor) != 0)
        g_error("no thread for reactor %s", name);
    return reactor;
}

void
reactor_free(Reactor *reactor)
{
    if (!reactor)
        return;
    atomic_store(&reactor->stopping, TRUE);
    Message *wake = g_new0(Message, 1);
    wake->func = reactor_wake;
    queue_post(reactor->queue, wake);
    pthread_join(reactor->thread, NULL);
    queue_run(reactor->queue); /* commands posted meanwhile release their references */
    while (reactor->lingering)
        reactor->lingering->end(reactor->lingering);
    close(reactor->epoll);
    while (reactor->spare_count > 0)
        g_free(reactor->spare[--reactor->spare_count]);
    timer_wheel_free(reactor->wheel);
    queue_free(reactor->queue);
    g_free(reactor);
}

Queue *
reactor_queue(Reactor *reactor)
{
    return reactor->queue;
}

void
reactor_post(Reactor *reactor, Message *message)
{
    (void)queue_post(reactor->queue, message);
}

void
reactor_call(Reactor *reactor, void (*func)(void *data), void *data)
{
    queue_call(reactor->queue, func, data);
}

static int
reactor_control(Reactor *reactor, Watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    return epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

int
reactor_add(Reactor *reactor, Watch *watch)
{
    return reactor_control(reactor, watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int
reactor_add_shared(Reactor *reactor, Watch *watch)
{
    return reactor_control(reactor, watch, EPOLLIN | EPOLLEXCLUSIVE);
}

void
reactor_remove(Reactor *reactor, Watch *watch)
{
    (void)epoll_ctl(reactor->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = reactor->event_index + 1; i < reactor->event_count; i++)
        if (reactor->events[i].data.ptr == watch)
            reactor->events[i].data.ptr = NULL;
}

void
reactor_defer(Reactor *reactor, Task *task)
{
    if (task->deferred)
        return;
    task->deferred = TRUE;
    task->turn = reactor->turn;
    task->next = NULL;
    task->previous = reactor->tasks_last;
    if (reactor->tasks_last)
        reactor->tasks_last->next = task;
    else
        reactor->tasks_first = task;
    reactor->tasks_last = task;
}

void
reactor_cancel(Reactor *reactor, Task *task)
{
    if (!task->deferred)
        return;
    if (task->previous)
        task->previous->next = task->next;
    else
        reactor->tasks_first = task->next;
    if (task->next)
        task->next->previous = task->previous;
    else
        reactor->tasks_last = task->previous;
    task->next = task->previous = NULL;
    task->deferred = FALSE;
}

void
reactor_set_timer(Reactor *reactor, Timer *timer, gint64 delay_us)
{
    timer_wheel_set(reactor->wheel, timer, reactor->now + delay_us);
}

void
reactor_clear_timer(Reactor *reactor, Timer *timer)
{
    timer_wheel_clear(reactor->wheel, timer);
}

void
reactor_adopt(Reactor *reactor, LingeringClose *closing)
{
    closing->previous = NULL;
    closing->next = reactor->lingering;
    if (closing->next)
        closing->next->previous = closing;
    reactor->lingering = closing;
    reactor->patient_lingering += closing->patient ? 1 : 0;
    reactor->hasty_lingering += closing->patient ? 0 : 1;
}

void
reactor_disown(Reactor *reactor, LingeringClose *closing)
{
    if (closing->previous)
        closing->previous->next = closing->next;
    else
        reactor->lingering = closing->next;
    if (closing->next)
        closing->next->previous = closing->previous;
    reactor->patient_lingering -= closing->patient ? 1 : 0;
    reactor->hasty_lingering -= closing->patient ? 0 : 1;
}

guint
reactor_patient_lingering(const Reactor *reactor)
{
    return reactor->patient_lingering;
}

guint
reactor_hasty_lingering(const Reactor *reactor)
{
    return reactor->hasty_lingering;
}

gint64
reactor_now(Reactor *reactor)
{
    return reactor->now;
}

gboolean
reactor_is_current(Reactor *reactor)
{
    return pthread_equal(pthread_self(), reactor->thread) != 0;
}

guint64
reactor_heartbeat(Reactor *reactor)
{
    return atomic_load(&reactor->heartbeat);
}

uint8_t *
reactor_buffer_take(Reactor *reactor)
{
    if (reactor->spare_count > 0)
        return reactor->spare[--reactor->spare_count];
    return g_malloc(BUFFER_SIZE);
}

void
reactor_buffer_give(Reactor *reactor, uint8_t *buffer)
{
    if (buffer && reactor->spare_count < REACTOR_SPARE_BUFFERS)
        reactor->spare[reactor->spare_count++] = buffer;
    else
        g_free(buffer);
}
