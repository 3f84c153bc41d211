/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/push/push.h"

#include "common/base/error.h"
#include "common/base/escape.h"
#include "common/base/secret-file.h"
#include "common/base/secret.h"
#include "hub/base/state.h"
#include "hub/push/answer.h"
#include "hub/push/batch.h"
#include "hub/push/count.h"
#include "hub/push/post.h"
#include "hub/push/resume.h"
#include "hub/push/wait.h"

#include <string.h>
#include <unistd.h>

#define TOKEN_MAX ((gsize)4096)
#define CREDENTIAL "records-push-token" /* of the service: LoadCredential= */
#define REASON_MAX 200
#define LOOK_EVERY (5 * G_TIME_SPAN_SECOND)
#define ATTEMPTS_MAX 5 /* with one record that the receiver refuses */
#define STOP_TIME_S 5  /* that a request may still take */

typedef struct {
    const Settings *settings;
    const char *records;
    Position *position;
    LogCursor *cursor;
    Count *count;
    Batch *batch;
    Post *post;
    Waiter *waiter;
    GCancellable *stopping;
    gint64 since;                 /* when the oldest record of the batch was read */
    guint most;                   /* records at once, fewer after 413 */
    guint gaps;                   /* of the cursor, told so far */
    gboolean told_lost;           /* before the cursor came to the gap */
    guint64 inode;                /* of the file that is read */
    char first[LOG_HASH_LEN + 1]; /* hash of the first record in it; "": not known */
    guint refused;  /* attempts with the first record alone, that were its own fault */
    guint failures; /* in a row */
    gint64 failed;  /* when the first of these was */
    char *problem;  /* that was told last; NULL: none */
} Push;

static void
push_clear(Push *push)
{
    position_free(push->position);
    log_cursor_free(push->cursor);
    count_free(push->count);
    batch_free(push->batch);
    post_free(push->post);
    waiter_free(push->waiter);
    g_clear_object(&push->stopping);
    g_free(push->problem);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Push, push_clear)

/* Tells a problem once, until it is another one. */
static void
tell(Push *push, const char *text)
{
    if (g_strcmp0(push->problem, text) == 0)
        return;
    g_free(push->problem);
    push->problem = g_strdup(text);
    g_warning("%s", text);
}

static void
tell_recovered(Push *push)
{
    if (push->failures > 0)
        g_message("records are taken again, after %u attempts in %.0f s", push->failures,
                  (double)(g_get_monotonic_time() - push->failed) / G_USEC_PER_SEC);
    push->failures = 0;
    g_clear_pointer(&push->problem, g_free);
}

static void
save(Push *push)
{
    g_autoptr(GError) error = NULL;

    if (position_save(push->position, &error))
        return;
    g_warning("cannot save how far the records were sent, and a restart will send some again: %s",
              error->message);
}

/* GAP: there are such for sure. Each is told once. */
static void
tell_lost(Push *push, gboolean gap)
{
    guint64 lost = position_take_lost(push->position, push->records);

    if (lost > 0)
        g_warning("%" G_GUINT64_FORMAT " records were rotated away before they were sent", lost);
    else if (gap && !push->told_lost)
        g_warning("records were rotated away before they were sent; how many is not known");
    push->told_lost = lost > 0 && !gap;
    if (lost > 0)
        save(push);
}

/* A file was begun: what waits in it is read, and those between it and the last one are gone. */
static void
note_file(Push *push)
{
    LogFile file;

    if (log_cursor_gaps(push->cursor) != push->gaps) {
        push->gaps = log_cursor_gaps(push->cursor);
        tell_lost(push, TRUE);
    }
    if (!log_cursor_opened(push->cursor, &file) || (file.inode == push->inode && *push->first))
        return;
    push->inode = file.inode;
    (void)log_cursor_first(push->cursor, push->first);
    position_mark_read(push->position, push->first);
}

/* The first record of a file tells which was before it: not the one that was read before it, where
 * some are gone in between. */
static void
note_number(Push *push, const LogRecord *record)
{
    guint64 before = log_cursor_before(push->cursor), number = 0;

    if (before > 0 && log_record_is_file(record) && log_record_number(record, "number", &number) &&
        number != before)
        tell_lost(push, TRUE);
}

static void
take_line(Push *push, const LogLine *line)
{
    Place place = {.offset = line->offset, .line = line->line};
    LogRecord record;

    note_file(push);
    if (!log_record_parse(line->text, line->len, &record))
        return; /* cut off, or none: `streamhub log verify` tells that */
    note_number(push, &record);
    place.inode = push->inode;
    memcpy(place.hash, record.hash, sizeof place.hash);
    memcpy(place.first, push->first, sizeof place.first);
    if (batch_count(push->batch) == 0)
        push->since = g_get_monotonic_time();
    batch_add(push->batch, line->text, line->len, &place);
}

/* Reads what there is, up to a full batch. FALSE: the disk does not let it. */
static gboolean
read_more(Push *push)
{
    g_autoptr(GError) error = NULL;

    while (!batch_is_full(push->batch)) {
        LogLine line;
        LogStep step = log_cursor_next(push->cursor, &line, &error);

        if (step == LOG_STEP_FAILED) {
            g_autofree char *text = g_strdup_printf("cannot read records: %s", error->message);

            tell(push, text);
            return FALSE;
        }
        if (step == LOG_STEP_END)
            break;
        if (step == LOG_STEP_LINE)
            take_line(push, &line);
    }
    return TRUE;
}

static gboolean
token_is_good(const char *token)
{
    for (const char *p = token; *p; p++)
        if (*p <= ' ' || *p > '~')
            return FALSE;
    return *token != '\0';
}

/* Read for each request, so that a new one counts at once. FALSE with ERROR set: there has to be
 * one. *RET may be NULL: none is wanted. Free with secret_free. */
static gboolean
read_token(const Push *push, char **ret, GError **error)
{
    const char *file = push->settings->records_push_token_file;
    const char *given = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *credential = given ? g_build_filename(given, CREDENTIAL, NULL) : NULL;
    g_auto(SecretText) token = NULL;

    *ret = NULL;
    if (file)
        token = secret_file_read(file, TOKEN_MAX, error);
    else if (credential && g_file_test(credential, G_FILE_TEST_EXISTS))
        token = secret_file_read_credential(CREDENTIAL, TOKEN_MAX, error);
    else
        return TRUE;
    if (!token)
        return FALSE;
    if (!token_is_good(token)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "%s: a token is one line of printable ASCII without spaces",
                    file ? file : credential);
        return FALSE;
    }
    *ret = g_steal_pointer(&token);
    return TRUE;
}

static void
count_failure(Push *push, const char *text)
{
    if (push->failures++ == 0)
        push->failed = g_get_monotonic_time();
    tell(push, text);
}

/* Fewer at once where these are too many. TRUE: it is worth another attempt at once. */
static gboolean
halve(Push *push, guint count)
{
    push->most = MAX(count / 2, 1);
    return count > 1;
}

/* A part of what waits is counted. */
static CountStep
count_waiting(Push *push)
{
    CountStep step = count_step(push->count, push->position);

    position_mark_read(push->position, push->first); /* it is held open */
    if (step == COUNT_FILE)
        save(push);
    if (step != COUNT_MORE)
        tell_lost(push, FALSE);
    return step;
}

/* While nothing is sent, what waits may be rotated away: it is counted, and looked at again and
 * again. */
static void
wait_counting(Push *push, gint64 usec)
{
    gint64 until = g_get_monotonic_time() + usec, left = usec;

    while (left > 0 && !waiter_is_stopping(push->waiter)) {
        CountStep step = count_waiting(push);

        left = until - g_get_monotonic_time();
        waiter_wait(push->waiter, step == COUNT_OVER ? MIN(left, LOOK_EVERY) : 0, FALSE);
        left = until - g_get_monotonic_time();
    }
}

/* So that one record that is never taken does not keep back all others. */
static void
skip_record(Push *push, guint status)
{
    const Place *place = batch_place(push->batch, 1);

    g_warning("the record %s was left out: the receiver refused it %u times, with %u", place->hash,
              push->refused, status);
    position_set_place(push->position, place);
    batch_drop(push->batch, 1);
    push->refused = 0;
    save(push);
}

static void
take_answer(Push *push, guint count, const PostAnswer *answer)
{
    g_autofree char *reason = escape_text(answer->reason, REASON_MAX);
    g_autofree char *text =
        answer->status
            ? g_strdup_printf("the receiver does not take records: %u %s", answer->status, reason)
            : g_strdup_printf("the receiver cannot be reached: %s", reason);
    gboolean blamed = push_answer_blames_records(answer->status);
    gint64 after = push_answer_asks_to_wait(answer->status)
                       ? push_retry_after(answer->retry_after, g_get_real_time())
                       : 0;

    if (blamed && halve(push, count))
        return;
    count_failure(push, text);
    if (blamed && ++push->refused >= ATTEMPTS_MAX) {
        skip_record(push, answer->status);
        return; /* the next one may be better */
    }
    wait_counting(push, push_wait(push->failures, after, g_random_double()));
}

/* One attempt with what there is. */
static void
send_batch(Push *push)
{
    guint count = batch_share(push->batch, push->most);
    g_autoptr(GBytes) body = batch_text(push->batch, count);
    g_autoptr(GError) error = NULL;
    g_auto(SecretText) token = NULL;
    g_auto(PostAnswer) answer = {0};

    if (!read_token(push, &token, &error)) {
        count_failure(push, error->message);
        wait_counting(push, push_wait(push->failures, 0, g_random_double()));
        return;
    }
    answer = post_send(push->post, token, body, push->stopping);
    if (!push_answer_is_good(answer.status)) {
        if (!waiter_is_stopping(push->waiter))
            take_answer(push, count, &answer);
        return;
    }
    position_set_place(push->position, batch_place(push->batch, count));
    batch_drop(push->batch, count);
    push->since = g_get_monotonic_time(); /* what is left waits for no others */
    push->refused = 0;
    push->most = MIN(push->most * 2, BATCH_RECORDS);
    tell_recovered(push);
    save(push);
}

static void
turn(Push *push)
{
    gboolean read = read_more(push);
    gint64 left = push->since + PUSH_LINGER - g_get_monotonic_time();

    if (batch_count(push->batch) == 0)
        waiter_wait(push->waiter, LOOK_EVERY, read);
    else if (!batch_is_full(push->batch) && left > 0)
        waiter_wait(push->waiter, left, read);
    else
        send_batch(push);
}

static gboolean
on_stop_late(gpointer data)
{
    g_cancellable_cancel(data);
    return G_SOURCE_REMOVE;
}

static void
on_stop(void *data)
{
    Push *push = data;

    (void)g_timeout_add_seconds(STOP_TIME_S, on_stop_late, push->stopping);
}

/* *FOUND is FALSE where the record that was sent last is not where it was. */
static gboolean
push_begin(Push *push, const char *own, gboolean *found, GError **error)
{
    g_autoptr(GError) cause = NULL;

    push->position = position_load(own, error);
    if (!push->position)
        return FALSE;
    push->cursor = log_cursor_new(push->records);
    push->count = count_new(push->records);
    *found = push_resume(push->cursor, push->records, position_place(push->position), &cause) ||
             *position_place(push->position)->hash == '\0';
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    push->post = post_new(push->settings->records_push_url, push->settings->records_push_ca, error);
    return push->post != NULL;
}

/* All files may have to be read: the service has begun already, and can be stopped. */
static gboolean
search(Push *push)
{
    Search step = SEARCH_MORE;

    waiter_tell(push->waiter, "looking for the record that was sent last");
    while (step == SEARCH_MORE && !waiter_is_stopping(push->waiter)) {
        step = push_search(push->cursor, position_place(push->position));
        waiter_wait(push->waiter, 0, FALSE);
    }
    if (step == SEARCH_OVER) {
        log_cursor_free(push->cursor);
        push->cursor = log_cursor_new(push->records);
    }
    return step == SEARCH_FOUND;
}

gboolean
push_run(const Settings *settings, const char *records, const char *own, GError **error)
{
    int lock = state_lock(own, error);
    gboolean found = FALSE;
    g_auto(Push) push = {.settings = settings,
                         .records = records,
                         .batch = batch_new(),
                         .stopping = g_cancellable_new(),
                         .most = BATCH_RECORDS};

    if (lock < 0)
        return FALSE;
    push.waiter = waiter_new(records, on_stop, &push);
    if (!push_begin(&push, own, &found, error)) {
        close(lock);
        return FALSE;
    }
    g_message("sending the records in %s", records);
    waiter_ready(push.waiter);
    found = found || search(&push);
    if (!waiter_is_stopping(push.waiter))
        tell_lost(&push, !found);
    waiter_tell(push.waiter, "sending records");
    while (!waiter_is_stopping(push.waiter))
        turn(&push);
    close(lock);
    return TRUE;
}
