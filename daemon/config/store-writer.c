/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-writer.h"

#include "common/base/error.h"
#include "common/loop/queue.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

struct StoreWriter {
    Store *store; /* the thread's while BUSY is set */
    StoreWritten written;
    void *data;
    gboolean busy; /* main thread only: WRITTEN was not called yet */
    Queue *home;
    GSource *source;
    Message message;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Protected by LOCK. */
    StoreState *state; /* to be written */
    GError *error;     /* of the last write */
    gboolean ended;    /* the last write has ended */
    gboolean stop;
};

/* Waits for the next state. NULL: the thread has to end. */
static StoreState *
writer_next(StoreWriter *writer)
{
    StoreState *state;

    (void)pthread_mutex_lock(&writer->lock);
    while (!writer->state && !writer->stop)
        (void)pthread_cond_wait(&writer->changed, &writer->lock);
    state = g_steal_pointer(&writer->state);
    (void)pthread_mutex_unlock(&writer->lock);
    return state;
}

static void *
writer_main(void *data)
{
    StoreWriter *writer = data;
    StoreState *state;

    while ((state = writer_next(writer)) != NULL) {
        GError *error = NULL;

        (void)store_save(writer->store, state, &error);
        store_state_free(state);
        (void)pthread_mutex_lock(&writer->lock);
        writer->error = error;
        writer->ended = TRUE;
        (void)pthread_cond_broadcast(&writer->changed);
        (void)pthread_mutex_unlock(&writer->lock);
        (void)queue_post(writer->home, &writer->message);
    }
    return NULL;
}

/* After store_writer_wait, the message of that write arrives later; it has nothing to tell. */
static void
writer_tell(StoreWriter *writer)
{
    g_autoptr(GError) error = NULL;
    gboolean ended;

    (void)pthread_mutex_lock(&writer->lock);
    ended = writer->ended;
    writer->ended = FALSE;
    error = g_steal_pointer(&writer->error);
    (void)pthread_mutex_unlock(&writer->lock);
    if (!ended)
        return;
    writer->busy = FALSE;
    writer->written(error, writer->data);
}

static void
writer_on_message(Message *message)
{
    writer_tell(CONTAINER_OF(message, StoreWriter, message));
}

/* Only the main thread handles signals. */
static int
writer_start(StoreWriter *writer)
{
    sigset_t all, before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&writer->thread, NULL, writer_main, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        (void)pthread_setname_np(writer->thread, "state");
    return result;
}

static void
writer_dispose(StoreWriter *writer)
{
    g_source_destroy(writer->source);
    g_source_unref(writer->source);
    queue_free(writer->home);
    g_clear_error(&writer->error);
    (void)pthread_cond_destroy(&writer->changed);
    (void)pthread_mutex_destroy(&writer->lock);
    store_free(writer->store);
    g_free(writer);
}

StoreWriter *
store_writer_new(Store *store, StoreWritten written, void *data, GError **error)
{
    StoreWriter *writer = g_new0(StoreWriter, 1);
    pthread_condattr_t attributes;
    int result;

    writer->store = store;
    writer->written = written;
    writer->data = data;
    writer->home = queue_new();
    writer->source = queue_source_new(writer->home);
    writer->message.func = writer_on_message;
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&writer->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)g_source_attach(writer->source, NULL);
    result = writer_start(writer);
    if (result == 0)
        return writer;
    writer_dispose(writer);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT, "a thread for the state: %s",
                g_strerror(result));
    return NULL;
}

void
store_writer_write(StoreWriter *writer, StoreState *state)
{
    g_assert(!writer->busy);
    writer->busy = TRUE;
    (void)pthread_mutex_lock(&writer->lock);
    writer->state = state;
    (void)pthread_cond_broadcast(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

gboolean
store_writer_is_busy(const StoreWriter *writer)
{
    return writer->busy;
}

gboolean
store_writer_wait(StoreWriter *writer, gint64 timeout)
{
    const gint64 until = g_get_monotonic_time() + timeout;
    const struct timespec deadline = {.tv_sec = (time_t)(until / G_USEC_PER_SEC),
                                      .tv_nsec = (long)(until % G_USEC_PER_SEC) * 1000};
    int r = 0;

    if (!writer->busy)
        return TRUE;
    (void)pthread_mutex_lock(&writer->lock);
    while (!writer->ended && r == 0)
        r = pthread_cond_timedwait(&writer->changed, &writer->lock, &deadline);
    (void)pthread_mutex_unlock(&writer->lock);
    writer_tell(writer);
    return !writer->busy;
}

void
store_writer_free(StoreWriter *writer)
{
    gboolean writing;

    if (!writer)
        return;
    g_source_destroy(writer->source);
    (void)pthread_mutex_lock(&writer->lock);
    writing = writer->busy && !writer->ended;
    writer->stop = TRUE;
    (void)pthread_cond_broadcast(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
    if (writing) {
        (void)pthread_detach(writer->thread);
        return;
    }
    (void)pthread_join(writer->thread, NULL);
    writer_dispose(writer);
}
