/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/records.h"

#include "common/log/events.h"
#include "hub/records/chain.h"
#include "hub/records/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define BATCH_BYTES ((gsize)256 * 1024)
#define AGAIN G_TIME_SPAN_SECOND /* after a failure */
#define SYNC_EVERY G_TIME_SPAN_SECOND

typedef struct Item Item;

struct Item {
    Item *next;
    guint64 worth; /* how many records it stands for */
    gsize len;
    char text[];
};

struct Records {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;  /* the writer */
    pthread_cond_t ended; /* the writer has */
    /* Under the lock. */
    Item *head, **tail;
    guint waiting; /* in the queue, or with the writer and not written yet */
    guint64 worth; /* records that those stand for */
    guint64 lost;  /* not told in a record yet */
    gint64 lost_since;
    guint64 lost_total;
    guint64 size;
    guint files;
    gboolean stopping;
    gboolean is_ended;
    gboolean started; /* main thread only */
    /* The writer's. */
    RecordsFile *file;
    guint in_hand; /* items that it took, and that are not written */
    guint64 in_hand_worth;
    gboolean blocked;
    atomic_bool abandoned; /* nobody waits for it any more; the log may be gone */
    gboolean unsynced;
    gint64 synced; /* monotonic */
};

static Item *
item_new(const char *text, guint64 worth)
{
    gsize len = strlen(text);
    Item *item = g_malloc(sizeof *item + len);

    item->next = NULL;
    item->worth = worth;
    item->len = len;
    memcpy(item->text, text, len);
    return item;
}

/* Under the lock, as all up to the writer. */
static void
queue_push(Records *records, Item *item)
{
    *records->tail = item;
    records->tail = &item->next;
    records->waiting++;
    records->worth += item->worth;
}

static Item *
queue_pop(Records *records)
{
    Item *item = records->head;

    if (!item)
        return NULL;
    records->head = item->next;
    if (!records->head)
        records->tail = &records->head;
    return item;
}

static void
queue_push_lost(Records *records)
{
    g_autofree char *text =
        record_lost(g_get_real_time(), records->lost, records->lost_since);

    queue_push(records, item_new(text, records->lost));
    records->lost = 0;
}

static void
count_lost(Records *records)
{
    records->lost_total++;
    if (records->lost++ == 0)
        records->lost_since = g_get_real_time();
}

RecordsFigures
records_measure(Records *records)
{
    RecordsFigures figures = {.kept = records != NULL};

    if (!records)
        return figures;
    (void)pthread_mutex_lock(&records->lock);
    figures.waiting = records->waiting;
    figures.lost = records->lost_total;
    (void)pthread_mutex_unlock(&records->lock);
    return figures;
}

void
records_take(Records *records, char *record)
{
    g_autofree char *text = record;
    Item *item = records && strlen(text) <= CHAIN_RECORD_MAX ? item_new(text, 1) : NULL;

    if (!records)
        return;
    (void)pthread_mutex_lock(&records->lock);
    if (item && records->waiting + (records->lost > 0 ? 1 : 0) < RECORDS_QUEUE_MAX) {
        if (records->lost > 0)
            queue_push_lost(records);
        queue_push(records, g_steal_pointer(&item));
    } else {
        count_lost(records);
    }
    (void)pthread_cond_signal(&records->wake);
    (void)pthread_mutex_unlock(&records->lock);
    g_free(item);
}

void
records_invoke(Records *records, const RecordInvoke *invoke)
{
    if (records)
        records_take(records, record_invoke(g_get_real_time(), invoke));
}

void
records_end(Records *records, const RecordEnd *end)
{
    if (records)
        records_take(records, record_end(g_get_real_time(), end));
}

void
records_change(Records *records, const RecordChange *change)
{
    if (records)
        records_take(records, record_change(g_get_real_time(), change));
}

void
records_set_limits(Records *records, guint64 size, guint files)
{
    if (!records)
        return;
    (void)pthread_mutex_lock(&records->lock);
    records->size = size;
    records->files = files;
    (void)pthread_mutex_unlock(&records->lock);
}

static struct timespec
timespec_of(gint64 time)
{
    return (struct timespec){.tv_sec = (time_t)(time / G_USEC_PER_SEC),
                             .tv_nsec = (long)(time % G_USEC_PER_SEC * 1000)};
}

/* Under the lock. */
static void
writer_wait(Records *records, gint64 until)
{
    struct timespec when = timespec_of(until);

    (void)pthread_cond_timedwait(&records->wake, &records->lock, &when);
}

static void
tell_head(guint64 number, const char *hash)
{
    event_log(EVENT_RECORDS_HEAD, &(EventData){.count = number, .hash = hash});
}

/* At the beginning of the trouble, and at its end. */
static void
writer_tell(Records *records, const GError *error)
{
    if (error && !records->blocked)
        event_log(EVENT_RECORDS_BLOCKED, &(EventData){.detail = error->message});
    else if (!error && records->blocked)
        event_log(EVENT_RECORDS_RESUMED, &(EventData){0});
    records->blocked = error != NULL;
}

/* Under the lock: takes a batch, unless the last one is not written yet. */
static void
writer_fill(Records *records)
{
    Item *item;

    records_file_set_limits(records->file, records->size, records->files);
    if (records->in_hand > 0)
        return;
    if (!records->head && records->lost > 0)
        queue_push_lost(records);
    while (records_file_pending(records->file) < BATCH_BYTES &&
           (records->in_hand == 0 || !records_file_is_full(records->file)) &&
           (item = queue_pop(records)) != NULL) {
        records_file_add(records->file, item->text, item->len);
        records->in_hand++;
        records->in_hand_worth += item->worth;
        g_free(item);
    }
}

static gboolean
writer_sync(Records *records, GError **error)
{
    gint64 now = g_get_monotonic_time();

    if (!records->unsynced || now < records->synced + SYNC_EVERY)
        return TRUE;
    records->unsynced = FALSE;
    records->synced = now;
    return records_file_sync(records->file, error);
}

/* One turn, with the lock released while it waits for the disk. FALSE: the disk takes nothing. */
static gboolean
writer_turn(Records *records)
{
    g_autoptr(GError) error = NULL;
    const char *hash = NULL;
    guint64 number = 0;
    gboolean written;

    (void)pthread_mutex_unlock(&records->lock);
    written = records_file_open(records->file, &error);
    (void)pthread_mutex_lock(&records->lock);
    if (written)
        writer_fill(records);
    (void)pthread_mutex_unlock(&records->lock);
    if (written && records_file_pending(records->file) > 0) {
        written = records_file_write(records->file, &error);
        records->unsynced = TRUE;
    }
    written = written && writer_sync(records, &error);
    if (!atomic_load(&records->abandoned))
        writer_tell(records, error);
    if (written && !atomic_load(&records->abandoned) &&
        records_file_take_head(records->file, &number, &hash))
        tell_head(number, hash);
    (void)pthread_mutex_lock(&records->lock);
    if (written) {
        records->waiting -= records->in_hand;
        records->worth -= records->in_hand_worth;
        records->in_hand = 0;
        records->in_hand_worth = 0;
    }
    return written;
}

/* Under the lock. */
static void
writer_run(Records *records)
{
    for (;;) {
        gboolean written = writer_turn(records);
        gint64 now = g_get_monotonic_time();

        if (records->stopping && (!written || (!records->head && records->lost == 0)))
            return;
        if (!written) {
            gint64 until = now + AGAIN;

            while (!records->stopping && g_get_monotonic_time() < until)
                writer_wait(records, until);
        } else if (!records->head && records->lost == 0 && records->unsynced) {
            writer_wait(records, records->synced + SYNC_EVERY);
        } else if (!records->head && records->lost == 0) {
            (void)pthread_cond_wait(&records->wake, &records->lock);
        }
    }
}

static void *
writer_main(void *data)
{
    Records *records = data;

    (void)pthread_mutex_lock(&records->lock);
    writer_run(records);
    (void)pthread_mutex_unlock(&records->lock);
    (void)records_file_sync(records->file, NULL);
    (void)pthread_mutex_lock(&records->lock);
    records->is_ended = TRUE;
    (void)pthread_cond_signal(&records->ended);
    (void)pthread_mutex_unlock(&records->lock);
    return NULL;
}

/* Waits on a condition of the monotonic clock. */
static void
cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

Records *
records_new(const char *folder, const char *version, guint64 size, guint files)
{
    Records *records = g_new0(Records, 1);

    (void)pthread_mutex_init(&records->lock, NULL);
    cond_init(&records->wake);
    cond_init(&records->ended);
    records->tail = &records->head;
    records->size = size;
    records->files = files;
    records->file = records_file_new(folder, version);
    records->is_ended = TRUE;
    return records;
}

void
records_start(Records *records)
{
    if (!records)
        return;
    records->is_ended = FALSE;
    if (pthread_create(&records->thread, NULL, writer_main, records) != 0)
        g_error("no thread for the records");
    records->started = TRUE;
}

/* TRUE: the writer has ended, within the time that it has. */
static gboolean
writer_stop(Records *records, guint64 *ret_lost)
{
    struct timespec when = timespec_of(g_get_monotonic_time() + RECORDS_STOP_WAIT);
    gboolean ended;

    (void)pthread_mutex_lock(&records->lock);
    records->stopping = TRUE;
    (void)pthread_cond_signal(&records->wake);
    while (!records->is_ended &&
           pthread_cond_timedwait(&records->ended, &records->lock, &when) == 0)
        ;
    ended = records->is_ended;
    *ret_lost = records->worth + records->lost;
    (void)pthread_mutex_unlock(&records->lock);
    return ended;
}

void
records_free(Records *records)
{
    guint64 lost = 0;
    gboolean ended;
    Item *item;

    if (!records)
        return;
    ended = writer_stop(records, &lost);
    if (lost > 0 && records->started)
        event_log(EVENT_RECORDS_LOST, &(EventData){.count = lost});
    /* A writer that is stuck in the disk cannot be waited for, and what it uses must stay. */
    atomic_store(&records->abandoned, !ended);
    if (!ended)
        return;
    if (records->started)
        (void)pthread_join(records->thread, NULL);
    if (records_file_count(records->file) > 0 && !records->blocked)
        tell_head(records_file_count(records->file), records_file_head(records->file));
    records_file_free(records->file);
    while ((item = queue_pop(records)) != NULL)
        g_free(item);
    (void)pthread_cond_destroy(&records->wake);
    (void)pthread_cond_destroy(&records->ended);
    (void)pthread_mutex_destroy(&records->lock);
    g_free(records);
}
