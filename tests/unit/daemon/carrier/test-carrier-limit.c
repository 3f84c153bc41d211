/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream that survives its legs may use: the limits of its rule, and the memory of all such
 * streams; and that a process may hand it to the next one. */
#include "tests/unit/daemon/carrier/pair-fixture.h"

static void
set_up(PairHosts *hosts, gconstpointer data)
{
    pair_hosts_init(hosts);
}

static void
tear_down(PairHosts *hosts, gconstpointer data)
{
    pair_hosts_clear(hosts);
}

static gboolean
both_talk(const Pair *pair)
{
    return pair->ends[0].talks > 0 && pair->ends[1].talks > 0;
}

static gboolean
both_lost(const Pair *pair)
{
    return pair->ends[0].losses > 0 && pair->ends[1].losses > 0;
}

static gboolean
second_is_over(const Pair *pair)
{
    return pair->ends[1].reason != REASON_NONE;
}

static gboolean
one_is_over(const Pair *pair)
{
    return pair->ends[0].reason != REASON_NONE || pair->ends[1].reason != REASON_NONE;
}

static gboolean
all_is_read(const Pair *pair)
{
    return pair->ends[0].app.read == pair->ends[1].app.writes &&
           pair->ends[1].app.read == pair->ends[0].app.writes;
}

static gboolean
apps_know(const Pair *pair)
{
    const PairApp *first = &pair->ends[0].app, *second = &pair->ends[1].app;

    return (first->saw_end || first->saw_reset) && (second->saw_end || second->saw_reset);
}

/* Only the device has LIMITS. */
static Pair *
limited_pair(const PairHosts *hosts, const RelayLimits *limits)
{
    const RelayTimes times[2] = {
        {.ping = RELAY_PING, .dead = RELAY_DEAD, .wait = G_TIME_SPAN_SECOND},
        {.ping = RELAY_PING, .dead = RELAY_DEAD, .limits = *limits, .wait = G_TIME_SPAN_SECOND},
    };

    return pair_new(hosts, times, 1);
}

/* To the byte, in both directions together, and replays are not counted again. */
static void
test_bytes(PairHosts *hosts, gconstpointer data)
{
    for (int over = 0; over < 2; over++)
        for (int cuts = 0; cuts < 2; cuts++) {
            const RelayLimits limits = {.bytes = 300000 - (guint64)over};
            g_autoptr(Pair) pair = limited_pair(hosts, &limits);
            const RelayMeter *meter = &pair->ends[1].meter;
            Reason expected = over ? REASON_BYTE_LIMIT : REASON_COMPLETED;

            for (int i = 0; i < 2; i++) {
                pair->ends[i].app.writes = i ? 200000 : 100000;
                pair->ends[i].app.ends = TRUE;
            }
            pair->cuts = cuts ? 3 : 0;
            pair->cut_at = 5;
            pair_connect(pair);
            pair_run(pair, cuts ? one_is_over : pair_is_over);
            for (int i = 0; i < 2 && cuts; i++) /* the other one may be in between two legs */
                if (pair->ends[1 - i].reason != REASON_NONE)
                    carrier_ended_there(pair->ends[i].carrier, pair->ends[1 - i].reason);
            pair_run(pair, pair_is_over);
            g_assert_cmpint(pair->ends[0].reason, ==, expected);
            g_assert_cmpint(pair->ends[1].reason, ==, expected);
            g_assert_cmpuint(atomic_load(&meter->bytes[0]) + atomic_load(&meter->bytes[1]), ==,
                             limits.bytes);
            g_assert_false(pair->ends[0].app.wrong || pair->ends[1].app.wrong);
            if (!apps_know(pair))
                pair_run(pair, apps_know);
            for (int i = 0; i < 2; i++)
                g_assert_true(pair->ends[i].app.saw_reset ||
                              pair->ends[i].app.read == (i ? 100000 : 200000));
            g_assert_true(all_is_read(pair) == !over);
        }
}

/* The duration goes on while it is suspended. */
static void
test_duration(PairHosts *hosts, gconstpointer data)
{
    const RelayLimits limits = {.duration = 500 * G_TIME_SPAN_MILLISECOND};
    g_autoptr(Pair) pair = limited_pair(hosts, &limits);
    gint64 start = g_get_monotonic_time();

    pair_connect(pair);
    pair_run(pair, both_talk);
    pair->holds = TRUE;
    pair_lose(pair, PAIR_RESETS_BOTH);
    pair_run(pair, both_lost);
    pair_run(pair, second_is_over);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, limits.duration);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_TIME_LIMIT);
    g_assert_cmpint(pair->ends[0].reason, ==, REASON_NONE);
}

/* Idleness is not measured while it is suspended. */
static void
test_idle(PairHosts *hosts, gconstpointer data)
{
    const RelayLimits limits = {.idle = 600 * G_TIME_SPAN_MILLISECOND};
    g_autoptr(Pair) pair = limited_pair(hosts, &limits);
    gint64 start;

    pair_connect(pair);
    pair_run(pair, both_talk);
    pair->holds = TRUE;
    pair_lose(pair, PAIR_RESETS_BOTH);
    pair_run(pair, both_lost);
    start = g_get_monotonic_time();
    while (g_get_monotonic_time() - start < 2 * limits.idle)
        pair_run(pair, both_talk);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_NONE);
    pair_connect(pair);
    pair_run(pair, pair_is_over);
    g_assert_cmpint(pair->ends[0].reason, ==, REASON_IDLE);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_IDLE);
}

/* Bytes that nobody takes, here and at the other end. */
static void
test_stall(PairHosts *hosts, gconstpointer data)
{
    const RelayLimits limits = {.stall = 500 * G_TIME_SPAN_MILLISECOND};

    for (int side = 0; side < 2; side++) {
        g_autoptr(Pair) pair = limited_pair(hosts, &limits);

        pair_connect(pair);
        pair->ends[side].app.writes = 100 * 1000 * 1000;
        pair->ends[1 - side].app.stopped = TRUE;
        pair_run(pair, pair_is_over);
        g_assert_cmpint(pair->ends[0].reason, ==, REASON_STALLED);
        g_assert_cmpint(pair->ends[1].reason, ==, REASON_STALLED);
    }
}

static gboolean
other_direction_is_done(const Pair *pair)
{
    return pair->ends[0].app.read == pair->ends[1].app.writes;
}

#define STREAMS 50

/* A reader that stops in one direction does not stop the other one, whose end comes, too; and what
 * fifty such streams hold is bounded. */
static void
test_stopped_readers(PairHosts *hosts, gconstpointer data)
{
    Pair *pairs[STREAMS];

    for (guint i = 0; i < STREAMS; i++) {
        pairs[i] = pair_new(hosts, NULL, i);
        pairs[i]->ends[0].app.writes = 1000 * 1000 * 1000;
        pairs[i]->ends[1].app.writes = 1000 * 1000;
        pairs[i]->ends[1].app.stopped = TRUE;
        pair_connect(pairs[i]);
    }
    pairs_run(pairs, STREAMS, other_direction_is_done);
    for (int side = 0; side < 2; side++) {
        ResumeUse use = resume_budget_use(hosts->budgets[side]);

        g_test_message("windows %" G_GUINT64_FORMAT " KiB, rings %" G_GUINT64_FORMAT " KiB",
                       use.windows / 1024, use.rings / 1024);
        g_assert_cmpuint(use.windows, <=, RESUME_BUDGET);
        g_assert_cmpuint(use.rings, <=, RESUME_BUDGET);
    }
    for (guint i = 0; i < STREAMS; i++) {
        g_assert_false(pairs[i]->ends[0].app.wrong);
        g_assert_cmpuint(pairs[i]->ends[0].losses, ==, 0);
        pair_free(pairs[i]);
    }
    for (int side = 0; side < 2; side++) /* the reactors let go of them, too */
        while (resume_budget_use(hosts->budgets[side]).rings > 0)
            g_usleep(1000);
}

static void
on_frozen(Carrier *carrier, Connection *local, const ResumeStream *stream, gint64 elapsed,
          void *data)
{
    PairEnd *end = data;

    end->frozen = TRUE;
    end->elapsed = elapsed;
    end->thawed = local;
    if (stream)
        resume_stream_save(stream, &end->saved);
    for (guint64 at = end->saved.kept_from; stream && at < end->saved.kept_to;) {
        gsize len;
        const uint8_t *bytes = resume_stream_kept(stream, at, &len);

        g_byte_array_append(end->kept, bytes, (guint)len);
        at += len;
    }
}

static gboolean
one_is_frozen(const Pair *pair)
{
    return pair->ends[0].frozen || pair->ends[1].frozen;
}

/* The next process has all that the former one had read and not delivered, and goes on. */
static void
freeze_and_thaw(Pair *pair, int side)
{
    PairEnd *end = &pair->ends[side];
    ResumeStream *stream;

    end->frozen = FALSE;
    end->kept = g_byte_array_new();
    carrier_freeze(end->carrier, on_frozen);
    pair_run(pair, one_is_frozen);
    end->frozen = FALSE;
    g_assert_nonnull(end->thawed);
    g_assert_cmpint(end->reason, ==, REASON_NONE);
    carrier_unref(end->carrier);
    stream = resume_stream_restore(pair->hosts->budgets[side], &end->saved, end->kept->data);
    g_assert_nonnull(stream);
    pair_restore(pair, side, g_steal_pointer(&end->thawed), stream, end->elapsed);
    g_byte_array_unref(end->kept);
}

static gboolean
half_is_read(const Pair *pair)
{
    return pair->ends[0].app.read >= pair->until && pair->ends[1].app.read >= pair->until;
}

/* A byte that it must not carry shows that the limit of bytes goes on, too. */
static void
test_freeze(PairHosts *hosts, gconstpointer data)
{
    for (guint i = 0; i < 4; i++) {
        const int side = i % 2 == 1, over = i / 2 == 1;
        const RelayLimits limits = {.bytes = 12000000 - (guint64)over};
        const Reason expected = over ? REASON_BYTE_LIMIT : REASON_COMPLETED;
        g_autoptr(Pair) pair = limited_pair(hosts, &limits);

        for (int k = 0; k < 2; k++) {
            pair->ends[k].app.writes = 6000000;
            pair->ends[k].app.ends = TRUE;
        }
        pair_connect(pair);
        for (guint k = 1; k <= 3; k++) {
            pair->until = k * 500000;
            pair_run(pair, half_is_read);
            freeze_and_thaw(pair, side);
        }
        pair_run(pair, pair_is_over);
        g_assert_cmpint(pair->ends[0].reason, ==, expected);
        g_assert_cmpint(pair->ends[1].reason, ==, expected);
        if (!apps_know(pair))
            pair_run(pair, apps_know);
        g_assert_true(all_is_read(pair) == !over);
        g_assert_false(pair->ends[0].app.wrong || pair->ends[1].app.wrong);
    }
}

/* One that cannot go on without this process ends. */
static void
test_freeze_too_early(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = pair_new(hosts, NULL, 7);
    PairEnd *end = &pair->ends[0];

    carrier_freeze(end->carrier, on_frozen);
    pair_run(pair, one_is_frozen);
    g_assert_null(end->thawed);
    while (end->reason == REASON_NONE)
        pair_run(pair, one_is_frozen);
    g_assert_cmpint(end->reason, ==, REASON_STOPPING);
}

#define ADD(name, test) g_test_add(name, PairHosts, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/carrier-limit/bytes", test_bytes);
    ADD("/carrier-limit/duration", test_duration);
    ADD("/carrier-limit/idle", test_idle);
    ADD("/carrier-limit/stall", test_stall);
    ADD("/carrier-limit/stopped-readers", test_stopped_readers);
    ADD("/carrier-limit/freeze", test_freeze);
    ADD("/carrier-limit/freeze-too-early", test_freeze_too_early);
    return g_test_run();
}
