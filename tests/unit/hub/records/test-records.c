/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue and the thread of the records. The disk is blocked by a file that stands where the
 * folder is to be. */
#include "hub/records/records.h"

#include "common/base/error.h"
#include "common/log/events.h"
#include "hub/records/chain.h"
#include "hub/records/folder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE (20 * G_TIME_SPAN_SECOND)

typedef struct {
    char *root;
    char *folder;
    char *current;
} Self;

/* What the log was told, by event; guarded by the lock, as the writer tells it. */
typedef struct {
    EventKind kind;
    guint times;
    guint64 count; /* the last STREAMD_COUNT */
    guint late;    /* times that more was told than was synced */
} Told;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Told blocked = {.kind = EVENT_RECORDS_BLOCKED}, resumed = {.kind = EVENT_RECORDS_RESUMED},
            unrotated = {.kind = EVENT_RECORDS_UNROTATED},
            rotated = {.kind = EVENT_RECORDS_ROTATED}, lost = {.kind = EVENT_RECORDS_LOST},
            head = {.kind = EVENT_RECORDS_HEAD};
static Told *const all[] = {&blocked, &resumed, &unrotated, &rotated, &lost, &head};

/* The disk. */
static const char *watched; /* the file; NULL: none */
static guint64 synced;      /* records in it at the last sync */
static atomic_uint broken;  /* so many syncs fail */
static atomic_bool held;    /* syncs do not return */

static void
forget(void)
{
    (void)pthread_mutex_lock(&lock);
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        *all[i] = (Told){.kind = all[i]->kind};
    synced = 0;
    (void)pthread_mutex_unlock(&lock);
}

static guint
times(const Told *told)
{
    guint number;

    (void)pthread_mutex_lock(&lock);
    number = told->times;
    (void)pthread_mutex_unlock(&lock);
    return number;
}

static void
wait_until(const Told *told, guint number)
{
    gint64 until = g_get_monotonic_time() + PATIENCE;

    while (times(told) < number) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(10000);
    }
    g_assert_cmpuint(times(told), ==, number);
}

static const char *
field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, key) == 0)
            return fields[i].value;
    return "";
}

static GLogWriterOutput
remember(GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields, gsize n_fields,
         gpointer data G_GNUC_UNUSED)
{
    const char *id = field(fields, n_fields, "MESSAGE_ID");

    (void)pthread_mutex_lock(&lock);
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        if (strcmp(id, event_message_id(all[i]->kind)) != 0)
            continue;
        all[i]->times++;
        all[i]->count = g_ascii_strtoull(field(fields, n_fields, "STREAMD_COUNT"), NULL, 10);
        all[i]->late += watched && all[i]->count > synced ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&lock);
    return G_LOG_WRITER_HANDLED;
}

static guint64
lines_in_watched(void)
{
    g_autofree char *text = NULL;
    guint64 number = 0;

    if (watched && g_file_get_contents(watched, &text, NULL, NULL))
        for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
            number++;
    return number;
}

/* In the place of the system's. */
int
fdatasync(int fd)
{
    guint64 number = lines_in_watched();
    guint left = atomic_load(&broken);

    while (atomic_load(&held))
        g_usleep(1000);
    if (left > 0) {
        atomic_store(&broken, left - 1);
        errno = EIO;
        return -1;
    }
    (void)pthread_mutex_lock(&lock);
    synced = number;
    (void)pthread_mutex_unlock(&lock);
    return fsync(fd);
}

static void
set_up(Self *self, const void *data G_GNUC_UNUSED)
{
    forget();
    self->root = g_dir_make_tmp("records-XXXXXX", NULL);
    self->folder = g_build_filename(self->root, "records", NULL);
    self->current = records_folder_current(self->folder);
}

static void
tear_down(Self *self, const void *data G_GNUC_UNUSED)
{
    GDir *dir = g_dir_open(self->folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(self->folder, name, NULL);

        (void)g_remove(path);
    }
    g_clear_pointer(&dir, g_dir_close);
    (void)g_rmdir(self->folder);
    (void)g_unlink(self->folder);
    (void)g_rmdir(self->root);
    g_free(self->current);
    g_free(self->folder);
    g_free(self->root);
}

static void
block(Self *self)
{
    g_assert_true(g_file_set_contents(self->folder, "", 0, NULL));
}

static Records *
begin(Self *self)
{
    Records *records = records_new(self->folder, "1.0", G_MAXUINT64, 1);

    g_assert_true(records_start(records, NULL));
    return records;
}

static char **
lines(Self *self)
{
    char *text = NULL;
    char **list;

    if (!g_file_get_contents(self->current, &text, NULL, NULL))
        return g_new0(char *, 1);
    list = g_strsplit(text, "\n", -1);
    g_free(text);
    return list;
}

static guint
count(Self *self, const char *what)
{
    g_auto(GStrv) list = lines(self);
    guint found = 0;

    for (char **line = list; *line; line++)
        found += strstr(*line, what) ? 1 : 0;
    return found;
}

static void
wait_for(Self *self, const char *what, guint number)
{
    gint64 until = g_get_monotonic_time() + PATIENCE;

    while (count(self, what) != number) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(10000);
    }
}

static void
put(Records *records, guint from, guint number)
{
    for (guint i = from; i < from + number; i++)
        records_take(records, g_strdup_printf("{\"n\":%u", i));
}

/* Written at once, and in order; the rest at the end. */
static void
test_order(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = begin(self);
    g_auto(GStrv) list = NULL;

    put(records, 0, 1);
    wait_for(self, "\"n\":", 1);
    put(records, 1, 3000);
    records_free(records);
    list = lines(self);
    g_assert_nonnull(strstr(list[0], "\"operationName\":\"start\""));
    for (guint i = 0; i <= 3000; i++) {
        g_autofree char *want = g_strdup_printf("{\"n\":%u,", i);

        g_assert_true(g_str_has_prefix(list[i + 1], want));
    }
    g_assert_cmpstr(list[3002], ==, "");
}

/* A full queue loses the newest, and says how many once it has room: at the bound none. */
static void
test_full(Self *self, const void *data)
{
    guint more = GPOINTER_TO_UINT(data);
    g_autofree char *line = g_strdup_printf("\"operationName\":\"lost\",\"category\":\"Hub\","
                                            "\"count\":%u,",
                                            more);
    Records *records;

    block(self);
    records = begin(self);
    put(records, 0, RECORDS_QUEUE_MAX + more);
    g_assert_cmpuint(records_measure(records).waiting, ==, RECORDS_QUEUE_MAX);
    g_assert_cmpuint(records_measure(records).lost, ==, more);
    (void)g_unlink(self->folder);
    wait_for(self, "\"n\":", RECORDS_QUEUE_MAX);
    if (more > 0)
        wait_for(self, line, 1);
    put(records, RECORDS_QUEUE_MAX + more, 1);
    wait_for(self, "\"n\":", RECORDS_QUEUE_MAX + 1);
    records_free(records);
    g_assert_cmpuint(count(self, "\"operationName\":\"lost\""), ==, more > 0 ? 1 : 0);
    g_assert_cmpuint(count(self, "\"n\":"), ==, RECORDS_QUEUE_MAX + 1);
}

/* One that fits in a line is written, one that is longer by a byte is lost. */
static void
test_long(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = begin(self);
    g_autofree char *at = g_strnfill(CHAIN_RECORD_MAX, 'x'),
                    *past = g_strnfill(CHAIN_RECORD_MAX + 1, 'y');
    g_auto(GStrv) list = NULL;

    records_take(records, g_strdup(at));
    records_take(records, g_strdup(past));
    records_free(records);
    g_assert_cmpuint(count(self, "yyy"), ==, 0);
    g_assert_cmpuint(count(self, "\"operationName\":\"lost\",\"category\":\"Hub\",\"count\":1,"),
                     ==, 1);
    list = lines(self);
    g_assert_cmpuint(strlen(list[1]) + 1, ==, RECORD_MAX);
}

/* At the end of a hub whose disk takes nothing, the log says what was lost; nobody waits long. */
static void
test_stop_blocked(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records;
    gint64 begun;

    block(self);
    records = begin(self);
    put(records, 0, 7);
    begun = g_get_monotonic_time();
    records_free(records);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 2 * RECORDS_STOP_WAIT);
    g_assert_cmpuint(times(&lost), ==, 1);
    g_assert_cmpuint(lost.count, ==, 7);
    g_assert_cmpuint(times(&head), ==, 0);
}

/* A hub that does not come up leaves nothing behind. */
static void
test_not_started(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = records_new(self->folder, "1.0", G_MAXUINT64, 1);

    put(records, 0, 3);
    records_free(records);
    g_assert_false(g_file_test(self->folder, G_FILE_TEST_EXISTS));
}

/* The file that cannot be rotated takes all the same, and the log says it once. */
static void
test_unrotated(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *first = records_folder_numbered(self->folder, 1);
    Records *records = begin(self);

    put(records, 0, 1);
    wait_for(self, "\"n\":", 1);
    g_assert_cmpint(g_mkdir(first, 0700), ==, 0);
    records_set_limits(records, 100, 3);
    for (guint i = 1; i <= 500; i++) {
        put(records, i, 1);
        if (i % 100 == 0)
            wait_for(self, "\"n\":", i + 1);
    }
    g_assert_cmpuint(times(&unrotated), ==, 1);
    g_assert_cmpuint(times(&blocked), ==, 0);
    g_assert_cmpuint(times(&rotated), ==, 0);
    g_assert_cmpint(g_rmdir(first), ==, 0);
    records_set_limits(records, 1 << 15, 3);
    g_usleep(G_USEC_PER_SEC);
    put(records, 501, 1);
    wait_until(&rotated, 1);
    records_free(records);
    g_assert_true(g_file_test(first, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(times(&lost), ==, 0);
}

/* Somebody moved the file away: the next one goes on, and nothing is blocked. */
static void
test_moved(Self *self, const void *data G_GNUC_UNUSED)
{
    g_autofree char *away = g_build_filename(self->folder, "away", NULL);
    Records *records = begin(self);

    put(records, 0, 1);
    wait_for(self, "\"n\":", 1);
    g_assert_cmpint(g_rename(self->current, away), ==, 0);
    put(records, 1, 5);
    wait_for(self, "\"n\":", 5);
    g_assert_cmpuint(count(self, "\"operationName\":\"file\""), ==, 1);
    records_free(records);
    g_assert_cmpuint(times(&blocked) + times(&lost) + times(&unrotated), ==, 0);
}

/* After a sync that failed, the next one says nothing of what was to be saved: it counts as lost,
 * once, before the log says that all is well. */
static void
test_unsynced(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = records_new(self->folder, "1.0", G_MAXUINT64, 1);

    put(records, 0, 5);
    atomic_store(&broken, 2);
    g_assert_true(records_start(records, NULL));
    wait_until(&blocked, 1);
    put(records, 5, 1);
    wait_until(&resumed, 1);
    wait_for(self, "\"n\":", 6);
    wait_for(self, "\"operationName\":\"lost\",\"category\":\"Hub\",\"count\":5,", 1);
    g_assert_cmpuint(records_measure(records).lost, ==, 5);
    records_free(records);
    g_assert_cmpuint(count(self, "\"operationName\":\"lost\""), ==, 1);
    g_assert_cmpuint(times(&lost), ==, 0);
    g_assert_cmpuint(times(&head), ==, 1);
}

/* The same at the end: the log says it, and does not tell a hash that may not be there. */
static void
test_unsynced_at_end(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = begin(self);

    put(records, 0, 1);
    wait_for(self, "\"n\":", 1);
    g_usleep(50000);
    atomic_store(&broken, 100);
    put(records, 1, 3);
    wait_for(self, "\"n\":", 4);
    records_free(records);
    atomic_store(&broken, 0);
    g_assert_cmpuint(times(&lost), ==, 1);
    g_assert_cmpuint(lost.count, ==, 3);
    g_assert_cmpuint(times(&head), ==, 0);
}

/* Each hash that the log is told, in the middle and at the end, is of what is on the disk. */
static void
test_heads(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records;

    watched = self->current;
    records = begin(self);
    put(records, 0, 1);
    wait_for(self, "\"n\":", 1);
    put(records, 1, 3200);
    wait_for(self, "\"n\":", 3201);
    records_free(records);
    watched = NULL;
    g_assert_cmpuint(times(&head), ==, 4);
    g_assert_cmpuint(head.count, ==, 3202);
    g_assert_cmpuint(head.late, ==, 0);
}

/* A disk that does not end its sync: what is in the file is not lost. */
static void
test_stop_slow(Self *self, const void *data G_GNUC_UNUSED)
{
    static Records *records; /* it stays behind, and so does its thread */

    records = records_new(self->folder, "1.0", G_MAXUINT64, 1);
    put(records, 0, 5);
    atomic_store(&held, TRUE);
    g_assert_true(records_start(records, NULL));
    wait_for(self, "\"n\":", 5);
    g_usleep(50000); /* it says so */
    records_free(records);
    g_assert_cmpuint(times(&lost), ==, 0);
}

/* Another hub has the folder. */
static void
test_two(Self *self, const void *data G_GNUC_UNUSED)
{
    Records *records = begin(self), *other = records_new(self->folder, "1.0", G_MAXUINT64, 1);
    g_autoptr(GError) error = NULL;

    g_assert_false(records_start(other, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    records_free(other);
    put(records, 0, 1);
    records_free(records);
    g_assert_cmpuint(count(self, "\"operationName\":\"start\""), ==, 1);
    other = begin(self);
    records_free(other);
    g_assert_cmpuint(count(self, "\"operationName\":\"start\""), ==, 2);
}

static void
test_none(Self *self G_GNUC_UNUSED, const void *data G_GNUC_UNUSED)
{
    records_invoke(NULL, &(RecordInvoke){0});
    records_end(NULL, &(RecordEnd){0});
    records_change(NULL, &(RecordChange){0});
    records_take(NULL, g_strdup("{"));
    records_set_limits(NULL, 1, 1);
    g_assert_true(records_start(NULL, NULL));
    records_free(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_writer_func(remember, NULL, NULL);
    g_test_add("/records/order", Self, NULL, set_up, test_order, tear_down);
    g_test_add("/records/full", Self, GUINT_TO_POINTER(0), set_up, test_full, tear_down);
    g_test_add("/records/full-and-one", Self, GUINT_TO_POINTER(1), set_up, test_full, tear_down);
    g_test_add("/records/full-and-more", Self, GUINT_TO_POINTER(500), set_up, test_full, tear_down);
    g_test_add("/records/long", Self, NULL, set_up, test_long, tear_down);
    g_test_add("/records/stop-blocked", Self, NULL, set_up, test_stop_blocked, tear_down);
    g_test_add("/records/not-started", Self, NULL, set_up, test_not_started, tear_down);
    g_test_add("/records/unrotated", Self, NULL, set_up, test_unrotated, tear_down);
    g_test_add("/records/moved", Self, NULL, set_up, test_moved, tear_down);
    g_test_add("/records/unsynced", Self, NULL, set_up, test_unsynced, tear_down);
    g_test_add("/records/unsynced-at-end", Self, NULL, set_up, test_unsynced_at_end, tear_down);
    g_test_add("/records/heads", Self, NULL, set_up, test_heads, tear_down);
    g_test_add("/records/two", Self, NULL, set_up, test_two, tear_down);
    g_test_add("/records/stop-slow", Self, NULL, set_up, test_stop_slow, tear_down);
    g_test_add("/records/none", Self, NULL, set_up, test_none, tear_down);
    return g_test_run();
}
