/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/door.h"

#include "common/base/descriptors.h"
#include "daemon/local/peer-uid.h"

#include <errno.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    Watch watch;
    Door *door;
} DoorSocket;

struct Door {
    Runtime *runtime;
    gboolean ask;
    DoorSocket sockets[LISTENER_SOCKETS_MAX];
    guint count;
    DoorArrived arrived; /* NULL: the door is closed */
    void *data;
    atomic_uint waiting; /* arrivals that the main thread has not taken yet */

    /* Reactor only. */
    Timer pause;
    gboolean watching;
    sem_t stopped;
};

/* One connection on its way to the main thread. */
typedef struct {
    Message message;
    Door *door;
    int fd, error;
    guint32 uid;
} Arrival;

static void
door_dispose(Door *door)
{
    sem_destroy(&door->stopped);
    g_free(door);
}

static void
reset_and_close(int fd)
{
    const struct linger reset = {.l_onoff = 1};

    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

/* Main thread. The last arrival of a closed door frees it. */
static void
arrival_told(Message *message)
{
    Arrival *arrival = CONTAINER_OF(message, Arrival, message);
    Door *door = arrival->door;

    if (door->arrived)
        door->arrived(arrival->fd, arrival->error, arrival->uid, door->data);
    else
        reset_and_close(arrival->fd);
    g_free(arrival);
    /* Only now does it no longer count: ARRIVED may close the door. */
    if (atomic_fetch_sub(&door->waiting, 1) == 1 && !door->arrived)
        door_dispose(door);
}

static void
door_tell(Door *door, int fd, int error, guint32 uid)
{
    Arrival *arrival = g_new0(Arrival, 1);

    *arrival = (Arrival){.message = {.func = arrival_told}, .door = door};
    arrival->fd = fd;
    arrival->error = error;
    arrival->uid = uid;
    atomic_fetch_add(&door->waiting, 1);
    queue_post(door->runtime->home, &arrival->message);
}

static void
door_unwatch(Door *door)
{
    for (guint i = 0; door->watching && i < door->count; i++)
        reactor_remove(door->runtime->door, &door->sockets[i].watch);
    door->watching = FALSE;
}

static void
door_watch(Door *door)
{
    door->watching = TRUE;
    for (guint i = 0; i < door->count; i++)
        (void)reactor_add_shared(door->runtime->door, &door->sockets[i].watch);
}

static void
door_resume(Timer *timer)
{
    door_watch(CONTAINER_OF(timer, Door, pause));
}

/* Requirement R26: do not spin while there are no free descriptors. */
static void
door_rest(Door *door, int error)
{
    if (error != 0)
        door_tell(door, -1, error, 0);
    door_unwatch(door);
    reactor_set_timer(door->runtime->door, &door->pause, DOOR_PAUSE);
}

static void
door_take(Door *door, int fd)
{
    guint32 uid = 0;
    int error = door->ask ? peer_uid_get(fd, &uid) : 0;

    door_tell(door, fd, error, uid);
}

static void
door_ready(Watch *watch, uint32_t events)
{
    Door *door = CONTAINER_OF(watch, DoorSocket, watch)->door;

    for (guint i = 0; i < DOOR_ACCEPTS_PER_TURN; i++) {
        int fd;

        if (atomic_load(&door->waiting) >= DOOR_ARRIVALS_MAX) {
            door_rest(door, 0);
            return;
        }
        fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0 && descriptors_are_scarce(fd)) {
            close(fd);
            door_rest(door, -EMFILE);
            return;
        } else if (fd >= 0) {
            door_take(door, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            door_rest(door, -errno);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return; /* EAGAIN */
        }
    }
}

static void
door_begin(void *data)
{
    door_watch(data);
}

static void
door_stop(void *data)
{
    Door *door = data;

    door_unwatch(door);
    reactor_clear_timer(door->runtime->door, &door->pause);
    (void)sem_post(&door->stopped);
}

Door *
door_new(Runtime *runtime, const Listener *listener, gboolean ask, DoorArrived arrived, void *data)
{
    Door *door = g_new0(Door, 1);

    door->runtime = runtime;
    door->ask = ask;
    door->arrived = arrived;
    door->data = data;
    door->pause.func = door_resume;
    sem_init(&door->stopped, 0, 0);
    door->count = listener_sockets(listener);
    for (guint i = 0; i < door->count; i++) {
        door->sockets[i].door = door;
        door->sockets[i].watch = (Watch){listener_fd(listener, i), door_ready};
    }
    reactor_call(runtime->door, door_begin, door);
    return door;
}

void
door_hold(Door *door)
{
    reactor_call(door->runtime->door, door_stop, door);
    while (sem_wait(&door->stopped) < 0 && errno == EINTR)
        ;
}

void
door_free(Door *door)
{
    if (!door)
        return;
    door->arrived = NULL;
    door_hold(door);
    if (atomic_load(&door->waiting) == 0)
        door_dispose(door);
}
