/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a restart hands over: as it was, at each bound and one past it, and nothing that is cut. */
#include "common/resume/stored.h"

#include <string.h>

#define VERSION_AT 16 /* behind the magic */

static StoredStream *
add_stream(Stored *stored, guint64 id)
{
    StoredStream *stream = stored_add_stream(stored);

    stream->id = id;
    stream->descriptor = (guint32)id;
    stream->hub = g_strdup("hub-1");
    stream->device = g_strdup("gw-1/m");
    stream->name = g_strdup("ssh");
    stream->hub_id = g_strdup("0123-abc");
    stream->saved.limit = RESUME_FIRST;
    return stream;
}

static StoredTomb *
add_tomb(Stored *stored)
{
    StoredTomb *tomb = stored_add_tomb(stored);

    tomb->hub = g_strdup("hub-1");
    tomb->hub_id = g_strdup("4711");
    tomb->reason = REASON_COMPLETED;
    return tomb;
}

/* Every field has something. */
static Stored *
example(void)
{
    static const guint8 kept[3] = {7, 8, 9};
    Stored *stored = stored_new();
    StoredStream *stream = add_stream(stored, 5);
    StoredTomb *tomb = add_tomb(stored);

    stream->role = 1;
    stream->suspended_before = TRUE;
    stream->initiator = g_strdup("policy");
    stream->address = g_strdup("192.0.2.7:4711");
    stream->target = g_strdup("");
    stream->rule = g_strdup("7");
    stream->tunnel = 11;
    stream->place = 12;
    stream->owner_uid = 1000;
    stream->caps = 0x1ff;
    stream->requested_at = 13;
    stream->opened_at = 14;
    stream->suspended_at = 15;
    stream->suspended_for = REASON_SILENT;
    stream->resumes = 16;
    stream->attempt = 17;
    memset(stream->secret, 0xab, sizeof stream->secret);
    stream->time = 18;
    stream->time_left = 19;
    stream->elapsed = 20;
    stream->bytes[0] = 21;
    stream->bytes[1] = 22;
    stream->holds[0] = (StoredHold){g_strdup("rule 7"), {1, 2, 3, 4, 5, 6, 7, 8}};
    stream->saved = (ResumeSaved){100, 103, RESUME_FIRST + 100, TRUE, 51, 60, TRUE};
    stream->kept = kept;
    (void)add_stream(stored, 6);
    tomb->role = 1;
    memset(tomb->digest, 0xcd, sizeof tomb->digest);
    tomb->sent = 31;
    tomb->consumed = 32;
    tomb->fin_given = TRUE;
    tomb->time_left = 33;
    stored->next_stream = 41;
    stored->next_tunnel = 42;
    stored->other = g_bytes_new_static("more", 4);
    return stored;
}

/* Frees STORED. */
static GByteArray *
written(Stored *stored)
{
    gsize size = stored_size(stored);
    GByteArray *bytes = g_byte_array_new();

    g_assert_cmpuint(size, >, 0);
    g_byte_array_set_size(bytes, (guint)size);
    stored_write(stored, bytes->data, size);
    stored_free(stored);
    return bytes;
}

static StoredResult
result_of(const guint8 *data, gsize size)
{
    /* An exact copy, so that a look behind it is seen. */
    g_autofree guint8 *exact = g_memdup2(data, size);
    g_autoptr(Stored) stored = NULL;

    return stored_parse(exact, size, &stored);
}

static void
check_stream(const StoredStream *found, const StoredStream *was)
{
    g_assert_cmpuint(found->id, ==, was->id);
    g_assert_cmpuint(found->role, ==, was->role);
    g_assert_cmpint(found->suspended_before, ==, was->suspended_before);
    g_assert_cmpstr(found->hub, ==, was->hub);
    g_assert_cmpstr(found->device, ==, was->device);
    g_assert_cmpstr(found->name, ==, was->name);
    g_assert_cmpstr(found->hub_id, ==, was->hub_id);
    g_assert_cmpstr(found->initiator, ==, was->initiator);
    g_assert_cmpstr(found->address, ==, was->address);
    g_assert_cmpstr(found->target, ==, was->target);
    g_assert_cmpstr(found->rule, ==, was->rule);
    g_assert_cmpuint(found->tunnel, ==, was->tunnel);
    g_assert_cmpuint(found->place, ==, was->place);
    g_assert_cmpuint(found->owner_uid, ==, was->owner_uid);
    g_assert_cmpuint(found->caps, ==, was->caps);
    g_assert_cmpuint(found->requested_at, ==, was->requested_at);
    g_assert_cmpuint(found->opened_at, ==, was->opened_at);
    g_assert_cmpuint(found->suspended_at, ==, was->suspended_at);
    g_assert_cmpint(found->suspended_for, ==, was->suspended_for);
    g_assert_cmpuint(found->resumes, ==, was->resumes);
    g_assert_cmpuint(found->attempt, ==, was->attempt);
    g_assert_true(memcmp(found->secret, was->secret, STORED_SECRET) == 0);
    g_assert_cmpuint(found->time, ==, was->time);
    g_assert_cmpuint(found->time_left, ==, was->time_left);
    g_assert_cmpuint(found->elapsed, ==, was->elapsed);
    g_assert_true(memcmp(found->bytes, was->bytes, sizeof was->bytes) == 0);
    g_assert_cmpuint(found->descriptor, ==, was->descriptor);
    for (guint i = 0; i < STORED_HOLDS; i++) {
        g_assert_cmpstr(found->holds[i].what, ==, was->holds[i].what);
        g_assert_true(
            memcmp(found->holds[i].limits, was->holds[i].limits, sizeof was->holds[i].limits) == 0);
    }
}

static void
check_saved(const StoredStream *found, const StoredStream *was)
{
    const ResumeSaved *a = &found->saved, *b = &was->saved;

    g_assert_cmpuint(a->kept_from, ==, b->kept_from);
    g_assert_cmpuint(a->kept_to, ==, b->kept_to);
    g_assert_cmpuint(a->limit, ==, b->limit);
    g_assert_cmpint(a->ended, ==, b->ended);
    g_assert_cmpuint(a->consumed, ==, b->consumed);
    g_assert_cmpuint(a->told_limit, ==, b->told_limit);
    g_assert_cmpint(a->peer_ended, ==, b->peer_ended);
    g_assert_null(found->live);
    if (b->kept_to > b->kept_from)
        g_assert_true(memcmp(found->kept, was->kept, (gsize)(b->kept_to - b->kept_from)) == 0);
}

static void
check_tomb(const StoredTomb *found, const StoredTomb *was)
{
    g_assert_cmpstr(found->hub, ==, was->hub);
    g_assert_cmpstr(found->hub_id, ==, was->hub_id);
    g_assert_cmpuint(found->role, ==, was->role);
    g_assert_true(memcmp(found->digest, was->digest, STORED_SECRET) == 0);
    g_assert_cmpint(found->reason, ==, was->reason);
    g_assert_cmpuint(found->sent, ==, was->sent);
    g_assert_cmpuint(found->consumed, ==, was->consumed);
    g_assert_cmpint(found->fin_given, ==, was->fin_given);
    g_assert_cmpuint(found->time_left, ==, was->time_left);
}

static void
test_round(void)
{
    g_autoptr(GByteArray) bytes = written(example());
    g_autoptr(Stored) found = NULL;
    g_autoptr(Stored) was = example();

    g_assert_cmpint(stored_parse(bytes->data, bytes->len, &found), ==, STORED_OK);
    g_assert_cmpuint(found->streams->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        check_stream(found->streams->pdata[i], was->streams->pdata[i]);
        check_saved(found->streams->pdata[i], was->streams->pdata[i]);
    }
    g_assert_cmpuint(found->tombs->len, ==, 1);
    check_tomb(found->tombs->pdata[0], was->tombs->pdata[0]);
    g_assert_cmpuint(found->next_stream, ==, 41);
    g_assert_cmpuint(found->next_tunnel, ==, 42);
    g_assert_true(g_bytes_equal(found->other, was->other));
}

static void
test_empty(void)
{
    g_autoptr(GByteArray) bytes = written(stored_new());
    g_autoptr(Stored) found = NULL;

    g_assert_cmpint(stored_parse(bytes->data, bytes->len, &found), ==, STORED_OK);
    g_assert_cmpuint(found->streams->len + found->tombs->len, ==, 0);
    g_assert_null(found->other);
}

/* Straight from a stream that has bytes in several chunks. */
static void
test_live(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(RESUME_BUDGET, RESUME_BUDGET);
    g_autoptr(ResumeStream) live = resume_stream_new(budget);
    g_autoptr(ResumeStream) again = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(Stored) found = NULL;
    Stored *stored = stored_new();
    StoredStream *stream = add_stream(stored, 1);
    gsize len = 0, kept = 0;
    guint8 *room;

    while ((room = resume_stream_room(live, &len))) {
        /* The second time into another chunk. */
        len = MIN(len, kept == 0 ? RESUME_AHEAD - 1 : G_MAXSIZE);
        memset(room, 0x5a, len);
        resume_stream_filled(live, len, 1);
        kept += len;
    }
    resume_stream_save(live, &stream->saved);
    g_assert_cmpuint(stream->saved.kept_to, ==, kept);
    g_assert_cmpuint(kept, >, RESUME_CHUNK);
    stream->live = live;
    bytes = written(stored);
    g_assert_cmpint(stored_parse(bytes->data, bytes->len, &found), ==, STORED_OK);
    stream = found->streams->pdata[0];
    for (guint i = 0; i < kept; i++)
        g_assert_cmpuint(stream->kept[i], ==, 0x5a);
    again = resume_stream_restore(budget, &stream->saved, stream->kept);
    g_assert_cmpuint(resume_stream_figures(again).kept_to, ==, kept);
}

/* Any part of it, and it with more behind it. */
static void
test_cut(void)
{
    g_autoptr(GByteArray) bytes = written(example());

    for (guint len = 0; len < bytes->len; len++)
        g_assert_cmpint(result_of(bytes->data, len), ==, STORED_MALFORMED);
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    g_assert_cmpint(result_of(bytes->data, bytes->len), ==, STORED_MALFORMED);
}

/* One that is not known is told apart, whatever follows. */
static void
test_version(void)
{
    g_autoptr(GByteArray) bytes = written(example());

    bytes->data[VERSION_AT]++;
    g_assert_cmpint(result_of(bytes->data, bytes->len), ==, STORED_OTHER_VERSION);
    g_assert_cmpint(result_of(bytes->data, VERSION_AT + 4), ==, STORED_OTHER_VERSION);
    g_assert_cmpint(result_of(bytes->data, VERSION_AT + 3), ==, STORED_MALFORMED);
    bytes->data[0]++;
    g_assert_cmpint(result_of(bytes->data, bytes->len), ==, STORED_MALFORMED);
}

static void
test_texts(void)
{
    static const gsize lens[] = {STORED_TEXT_MAX, STORED_TEXT_MAX + 1, 65534, 65535, 65536, 200000};

    for (gsize i = 0; i < G_N_ELEMENTS(lens); i++) {
        g_autoptr(Stored) stored = stored_new();
        StoredStream *stream = add_stream(stored, 1);

        stream->rule = g_strnfill(lens[i], 'x');
        g_assert_cmpint(stored_size(stored) > 0, ==, lens[i] <= STORED_TEXT_MAX);
    }
    for (guint i = 0; i < 3; i++) {
        g_autoptr(Stored) stored = stored_new();
        StoredStream *stream = add_stream(stored, 1);

        if (i == 1)
            g_clear_pointer(&stream->hub_id, g_free); /* may not be NULL */
        if (i == 2)
            stream->target = g_strdup("\xff"); /* not UTF-8 */
        g_assert_cmpint(stored_size(stored) > 0, ==, i == 0);
    }
}

static void
test_counts(void)
{
    g_autoptr(Stored) stored = stored_new();

    for (guint i = 1; i <= STORED_STREAMS_MAX; i++)
        (void)add_stream(stored, i);
    for (guint i = 0; i < STORED_TOMBS_MAX; i++)
        (void)add_tomb(stored);
    g_assert_cmpuint(stored_size(stored), >, 0);
    (void)add_stream(stored, STORED_STREAMS_MAX + 1);
    g_assert_cmpuint(stored_size(stored), ==, 0);
    g_ptr_array_set_size(stored->streams, STORED_STREAMS_MAX);
    g_assert_cmpuint(stored_size(stored), >, 0);
    (void)add_tomb(stored);
    g_assert_cmpuint(stored_size(stored), ==, 0);
}

static void
test_other(void)
{
    g_autoptr(Stored) stored = stored_new();

    stored->other = g_bytes_new_take(g_malloc0(STORED_OTHER_MAX), STORED_OTHER_MAX);
    g_assert_cmpuint(stored_size(stored), >, STORED_OTHER_MAX);
    g_bytes_unref(stored->other);
    stored->other = g_bytes_new_take(g_malloc0(STORED_OTHER_MAX + 1), STORED_OTHER_MAX + 1);
    g_assert_cmpuint(stored_size(stored), ==, 0);
}

/* What all of them keep: RESUME_RING_MAX each, STORED_KEPT_MAX together. */
static void
test_kept(void)
{
    g_autoptr(Stored) stored = stored_new();
    StoredStream *stream;

    for (guint i = 1; i <= STORED_KEPT_MAX / RESUME_RING_MAX; i++)
        add_stream(stored, i)->saved.kept_to = RESUME_RING_MAX;
    g_assert_cmpuint(stored_size(stored), >, STORED_KEPT_MAX);
    stream = add_stream(stored, 1000);
    stream->saved.kept_to = 1;
    g_assert_cmpuint(stored_size(stored), ==, 0);
    stream->saved.kept_to = 0;
    g_assert_cmpuint(stored_size(stored), >, 0);
    g_ptr_array_set_size(stored->streams, 1);
    stream = stored->streams->pdata[0];
    stream->saved.kept_to++;
    g_assert_cmpuint(stored_size(stored), ==, 0);
}

/* Nobody has an id or a descriptor twice, and no stream is 0. */
static void
test_twice(void)
{
    g_autoptr(Stored) stored = stored_new();
    StoredStream *stream = add_stream(stored, 1), *other = add_stream(stored, 2);

    g_assert_cmpuint(stored_size(stored), >, 0);
    other->descriptor = stream->descriptor;
    g_assert_cmpuint(stored_size(stored), ==, 0);
    other->descriptor = 9;
    other->id = stream->id;
    g_assert_cmpuint(stored_size(stored), ==, 0);
    other->id = 0;
    g_assert_cmpuint(stored_size(stored), ==, 0);
}

static void
test_sound(void)
{
    const ResumeSaved good = {10, 20, RESUME_FIRST, FALSE, 30, 30 + RESUME_WINDOW_MAX, FALSE};
    ResumeSaved saved[] = {good, good, good, good, good, good, good, good, good, good, good};
    const gboolean sound[] = {1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0};

    saved[1].kept_from = 21;
    saved[2].limit = RESUME_FIRST - 1;
    saved[3].consumed = saved[3].told_limit + 1;
    saved[4].told_limit++;
    saved[5].limit = RESUME_OFFSET_MAX + 1;
    saved[6].kept_from = saved[6].kept_to = RESUME_FIRST + 1; /* more than was allowed */
    saved[7].consumed = saved[7].told_limit + 1;              /* the end */
    saved[7].peer_ended = TRUE;
    saved[8].consumed = 0; /* an end that was not consumed */
    saved[8].peer_ended = TRUE;
    saved[9].kept_from = saved[9].kept_to = saved[9].limit = RESUME_OFFSET_MAX - 1;
    saved[10].kept_from = saved[10].kept_to = saved[10].limit = RESUME_OFFSET_MAX;
    for (gsize i = 0; i < G_N_ELEMENTS(saved); i++)
        g_assert_cmpint(resume_saved_is_sound(&saved[i]), ==, sound[i]);
}

/* A byte other than it was is another state that can be written, or none. */
static void
test_any_byte(void)
{
    g_autoptr(GByteArray) bytes = written(example());

    for (guint i = 0; i < bytes->len; i++)
        for (guint value = 0; value < 256; value += 15) {
            guint8 was = bytes->data[i];
            g_autoptr(Stored) found = NULL;

            bytes->data[i] = (guint8)value;
            if (stored_parse(bytes->data, bytes->len, &found) == STORED_OK) {
                g_autoptr(GByteArray) again = written(g_steal_pointer(&found));

                g_assert_cmpuint(again->len, ==, bytes->len);
                g_assert_true(memcmp(again->data, bytes->data, bytes->len) == 0);
            }
            bytes->data[i] = was;
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-stored/round", test_round);
    g_test_add_func("/resume-stored/empty", test_empty);
    g_test_add_func("/resume-stored/live", test_live);
    g_test_add_func("/resume-stored/cut", test_cut);
    g_test_add_func("/resume-stored/version", test_version);
    g_test_add_func("/resume-stored/texts", test_texts);
    g_test_add_func("/resume-stored/counts", test_counts);
    g_test_add_func("/resume-stored/other", test_other);
    g_test_add_func("/resume-stored/kept", test_kept);
    g_test_add_func("/resume-stored/twice", test_twice);
    g_test_add_func("/resume-stored/sound", test_sound);
    g_test_add_func("/resume-stored/any-byte", test_any_byte);
    return g_test_run();
}
