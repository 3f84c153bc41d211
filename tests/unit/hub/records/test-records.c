/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue and the thread of the records. The disk is blocked by a file that stands where the
 * folder is to be. */
#include "hub/records/records.h"

#include "hub/records/chain.h"
#include "hub/records/folder.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE (20 * G_TIME_SPAN_SECOND)

typedef struct {
    char *root;
    char *folder;
    char *current;
} Self;

static void
set_up(Self *self, const void *data G_GNUC_UNUSED)
{
    self->root = g_dir_make_tmp("records-XXXXXX", NULL);
    self->folder = g_build_filename(self->root, "records", NULL);
    self->current = records_folder_current(self->folder);
}

static void
tear_down(Self *self, const void *data G_GNUC_UNUSED)
{
    (void)g_unlink(self->current);
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

    records_start(records);
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
    g_autofree char *lost = g_strdup_printf("\"operationName\":\"lost\",\"category\":\"Hub\","
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
        wait_for(self, lost, 1);
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

static gboolean told;

static GLogWriterOutput
remember(GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields, gsize n_fields,
         gpointer data G_GNUC_UNUSED)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, "STREAMD_COUNT") == 0 && strcmp(fields[i].value, "7") == 0)
            told = TRUE;
    return G_LOG_WRITER_HANDLED;
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
    g_assert_true(told);
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

static void
test_none(Self *self G_GNUC_UNUSED, const void *data G_GNUC_UNUSED)
{
    records_invoke(NULL, &(RecordInvoke){0});
    records_end(NULL, &(RecordEnd){0});
    records_change(NULL, &(RecordChange){0});
    records_take(NULL, g_strdup("{"));
    records_set_limits(NULL, 1, 1);
    records_start(NULL);
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
    g_test_add("/records/none", Self, NULL, set_up, test_none, tear_down);
    return g_test_run();
}
