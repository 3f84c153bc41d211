/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/records.h"

#include "common/base/error.h"
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
    Item *hand;  /* that it took, and that are not written */
    Item *next;  /* of these: the first that the file has not been given */
    guint given; /* how many it has been */
    gboolean blocked;
    gboolean unrotated;    /* the file is full, and stays */
    gint64 rotated;        /* monotonic: the last try that failed */
    atomic_bool abandoned; /* nobody waits for it any more; the log may be gone */
    gboolean unsynced;
    guint64 unsynced_worth; /* records that a sync that fails may cost */
    gint64 unsynced_since;
    gint64 synced;  /* monotonic */
    gboolean whole; /* all was written and synced at the end */
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

static void
items_free(Item *items)
{
    while (items) {
        Item *item = items;

        items = item->next;
        g_free(item);
    }
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

static void
queue_push_lost(Records *records)
{
    g_autofree char *text = record_lost(g_get_real_time(), records->lost, records->lost_since);

    queue_push(records, item_new(text, records->lost));
    records->lost = 0;
}

static void
count_lost(Records *records, guint64 count, gint64 since)
{
    records->lost_since = records->lost > 0 ? MIN(records->lost_since, since) : since;
    records->lost_total += count;
    records->lost += count;
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
        count_lost(records, 1, g_get_real_time());
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

static gboolean
is_abandoned(Records *records)
{
    return atomic_load(&records->abandoned);
}

/* At the beginning of the trouble, and at its end. */
static void
writer_tell(Records *records, const GError *error)
{
    if (is_abandoned(records))
        return;
    if (error && !records->blocked)
        event_log(EVENT_RECORDS_BLOCKED, &(EventData){.detail = error->message});
    else if (!error && records->blocked)
        event_log(EVENT_RECORDS_RESUMED, &(EventData){0});
    records->blocked = error != NULL;
}

/* The same of a file that grows. */
static void
writer_tell_rotation(Records *records, const GError *error)
{
    if (is_abandoned(records))
        return;
    if (error && !records->unrotated)
        event_log(EVENT_RECORDS_UNROTATED, &(EventData){.detail = error->message});
    else if (!error && records->unrotated)
        event_log(EVENT_RECORDS_ROTATED, &(EventData){0});
    records->unrotated = error != NULL;
}

/* Under the lock: takes all that is queued, unless what it took before is not written yet. */
static void
writer_take(Records *records)
{
    records_file_set_limits(records->file, records->size, records->files);
    if (records->hand)
        return;
    if (!records->head && records->lost > 0)
        queue_push_lost(records);
    if (!records->head)
        return;
    records->hand = records->next = records->head;
    records->head = NULL;
    records->tail = &records->head;
}

/* Gives the file a batch, unless the last one is not written yet. A record whose hash is to be told
 * is the last of one: it has to be on the disk then. */
static void
writer_fill(Records *records)
{
    RecordsFile *file = records->file;

    while (records->next && records_file_pending(file) < BATCH_BYTES &&
           !records_file_has_head(file) &&
           (records->given == 0 || records->unrotated || !records_file_is_full(file))) {
        records_file_add(file, records->next->text, records->next->len);
        records->next = records->next->next;
        records->given++;
    }
}

/* Forgets those in hand that are in the file: they are not lost any more. */
static void
writer_settle(Records *records)
{
    guint waiting = MIN(records_file_waiting(records->file), records->given);
    guint written = records->given - waiting;
    guint64 worth = 0;

    records->given = waiting;
    for (guint i = 0; i < written; i++) {
        Item *item = records->hand;

        records->hand = item->next;
        worth += item->worth;
        g_free(item);
    }
    if (worth > 0 && records->unsynced_worth == 0)
        records->unsynced_since = g_get_real_time();
    records->unsynced_worth += worth;
    (void)pthread_mutex_lock(&records->lock);
    records->waiting -= written;
    records->worth -= worth;
    (void)pthread_mutex_unlock(&records->lock);
}

/* Until a sync succeeds nothing is known of what was written since the last one that did. When one
 * has failed before it, the disk may have dropped that: it counts as lost, though it may be there.
 */
static gboolean
writer_sync(Records *records, gboolean now, GError **error)
{
    gint64 time = g_get_monotonic_time();

    if (!records->unsynced || (!now && time < records->synced + SYNC_EVERY))
        return TRUE;
    records->synced = time;
    if (!records_file_sync(records->file, error))
        return FALSE;
    if (records_file_take_unsure(records->file)) {
        (void)pthread_mutex_lock(&records->lock);
        if (records->unsynced_worth > 0)
            count_lost(records, records->unsynced_worth, records->unsynced_since);
        (void)pthread_mutex_unlock(&records->lock);
    }
    records->unsynced_worth = 0;
    records->unsynced = FALSE;
    return TRUE;
}

/* A file that cannot be rotated grows, and it is tried again with what is written a second later.
 * FALSE: it was rotated, and the next one cannot be written. */
static gboolean
writer_rotate(Records *records, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gint64 now = g_get_monotonic_time();

    if (!records_file_is_full(records->file)) {
        writer_tell_rotation(records, NULL);
        return TRUE;
    }
    if (records->unrotated && now < records->rotated + AGAIN)
        return TRUE;
    if (!writer_sync(records, TRUE, error))
        return FALSE;
    if (!records_file_rotate(records->file, &cause)) {
        records->rotated = now;
        writer_tell_rotation(records, cause);
        return TRUE;
    }
    writer_tell_rotation(records, NULL);
    records->unsynced = TRUE;
    return records_file_write(records->file, error);
}

static gboolean
writer_write(Records *records, GError **error)
{
    gboolean written;

    /* After a sync that failed, first of all: what is lost is counted before more is written. */
    if (records->blocked && !writer_sync(records, TRUE, error))
        return FALSE;
    if (!records_file_open(records->file, error))
        return FALSE;
    writer_fill(records);
    if (records_file_pending(records->file) == 0)
        return writer_sync(records, FALSE, error);
    written = records_file_write(records->file, error);
    records->unsynced = TRUE;
    writer_settle(records);
    return written && writer_sync(records, records_file_has_head(records->file), error) &&
           writer_rotate(records, error);
}

/* One turn, with the lock released while it computes hashes and waits for the disk. FALSE: the disk
 * takes nothing. */
static gboolean
writer_turn(Records *records)
{
    g_autoptr(GError) error = NULL;
    const char *hash = NULL;
    guint64 number = 0;
    gboolean written;

    writer_take(records);
    (void)pthread_mutex_unlock(&records->lock);
    written = writer_write(records, &error);
    writer_tell(records, error);
    if (written && !is_abandoned(records) && records_file_take_head(records->file, &number, &hash))
        tell_head(number, hash);
    (void)pthread_mutex_lock(&records->lock);
    return written;
}

/* Under the lock. */
static gboolean
is_idle(const Records *records)
{
    return !records->hand && !records->head && records->lost == 0;
}

/* Under the lock. */
static void
writer_run(Records *records)
{
    for (;;) {
        gboolean written = writer_turn(records);
        gint64 now = g_get_monotonic_time();

        if (records->stopping && (!written || is_idle(records)))
            return;
        if (!written) {
            gint64 until = now + AGAIN;

            while (!records->stopping && g_get_monotonic_time() < until)
                writer_wait(records, until);
        } else if (is_idle(records) && records->unsynced) {
            writer_wait(records, records->synced + SYNC_EVERY);
        } else if (is_idle(records)) {
            (void)pthread_cond_wait(&records->wake, &records->lock);
        }
    }
}

/* What a sync may have cost at the end no record tells any more, and so the log does. */
static void
writer_finish(Records *records)
{
    gboolean synced = writer_sync(records, TRUE, NULL);

    (void)pthread_mutex_lock(&records->lock);
    if (!synced)
        count_lost(records, records->unsynced_worth, records->unsynced_since);
    records->whole = synced && !records->blocked && is_idle(records);
    records->is_ended = TRUE;
    (void)pthread_cond_signal(&records->ended);
    (void)pthread_mutex_unlock(&records->lock);
}

static void *
writer_main(void *data)
{
    Records *records = data;

    (void)pthread_mutex_lock(&records->lock);
    writer_run(records);
    (void)pthread_mutex_unlock(&records->lock);
    writer_finish(records);
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

gboolean
records_start(Records *records, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!records)
        return TRUE;
    if (!records_file_lock(records->file, &cause) &&
        g_error_matches(cause, STREAMD_ERROR, STREAMD_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    records->is_ended = FALSE;
    if (pthread_create(&records->thread, NULL, writer_main, records) != 0)
        g_error("no thread for the records");
    records->started = TRUE;
    return TRUE;
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
    if (records_file_count(records->file) > 0 && records->whole)
        tell_head(records_file_count(records->file), records_file_head(records->file));
    records_file_free(records->file);
    items_free(records->hand);
    items_free(records->head);
    (void)pthread_cond_destroy(&records->wake);
    (void)pthread_cond_destroy(&records->ended);
    (void)pthread_mutex_destroy(&records->lock);
    g_free(records);
}
