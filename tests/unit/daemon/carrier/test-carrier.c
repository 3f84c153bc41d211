/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream survives its legs, wherever they are lost: each border between two messages of a
 * conversation, on either side and both, with both orders of the new legs (docs/wire-protocol.md,
 * section 8a). No byte is lost, repeated or reordered, and the ends are told. */
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

/* A request, an answer, one more of each, and the ends: the service's first. */
static Pair *
talk_new(PairHosts *hosts, guint64 seed)
{
    Pair *pair = pair_new(hosts, NULL, seed);

    pair->ends[0].app.writes = 70000;
    pair->ends[0].app.ends = TRUE;
    pair->ends[1].app.writes = 150000;
    pair->ends[1].app.reads_after = 300;
    pair->ends[1].app.ends = TRUE;
    return pair;
}

static gboolean
apps_know(const Pair *pair)
{
    const PairApp *first = &pair->ends[0].app, *second = &pair->ends[1].app;

    return (first->saw_end || first->saw_reset) && (second->saw_end || second->saw_reset);
}

static void
check_whole(Pair *pair)
{
    if (!apps_know(pair))
        pair_run(pair, apps_know);
    for (int i = 0; i < 2; i++) {
        const PairApp *app = &pair->ends[i].app;

        g_assert_false(app->wrong);
        g_assert_cmpuint(app->read, ==, pair->ends[1 - i].app.writes);
        g_assert_true(app->saw_end);
        g_assert_false(app->saw_reset);
        g_assert_cmpuint(atomic_load(&pair->ends[i].meter.bytes[0]), ==, app->writes);
        g_assert_cmpuint(atomic_load(&pair->ends[i].meter.bytes[1]), ==, app->read);
    }
}

static void
test_talk(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = talk_new(hosts, 1);

    pair_connect(pair);
    pair_run(pair, pair_is_over);
    g_assert_cmpint(pair->ends[0].reason, ==, REASON_COMPLETED);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_COMPLETED);
    check_whole(pair);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpuint(pair->ends[i].talks, ==, 1);
        g_assert_cmpuint(pair->ends[i].losses, ==, 0);
        g_assert_cmpuint(resume_budget_use(hosts->budgets[i]).rings, ==, 0);
    }
}

/* How many messages the conversation has. */
static guint
count_messages(PairHosts *hosts)
{
    g_autoptr(Pair) pair = talk_new(hosts, 1);

    pair_connect(pair);
    pair_run(pair, pair_is_over);
    return pair->messages;
}

/* Over; or as over as it gets: a loss before both had the other's `r` ends one of them only, and
 * when the last word of the service is lost with its leg, the device cannot know. */
static gboolean
talk_is_over(const Pair *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair->ends[i].reason != REASON_NONE && pair->ends[1 - i].losses > 0)
            return TRUE;
    return pair_is_over(pair);
}

static void
check_talk(Pair *pair)
{
    const Reason first = pair->ends[0].reason, second = pair->ends[1].reason;

    g_assert_false(pair->ends[0].app.wrong || pair->ends[1].app.wrong);
    if (first == REASON_COMPLETED || second == REASON_COMPLETED) {
        int left = first == REASON_COMPLETED ? PAIR_DEVICE : PAIR_SERVICE;

        if (pair->ends[left].reason == REASON_NONE)
            carrier_ended_there(pair->ends[left].carrier, REASON_COMPLETED);
        pair_run(pair, pair_is_over);
        g_assert_cmpint(pair->ends[0].reason, ==, REASON_COMPLETED);
        g_assert_cmpint(pair->ends[1].reason, ==, REASON_COMPLETED);
        check_whole(pair);
        return;
    }
    /* A failed opening. */
    g_assert_cmpuint(pair->ends[0].talks + pair->ends[1].talks, <=, 1);
    for (int i = 0; i < 2; i++)
        if (pair->ends[i].reason == REASON_NONE)
            carrier_ended_there(pair->ends[i].carrier, REASON_CUT);
    pair_run(pair, pair_is_over);
    g_assert_cmpint(pair->ends[0].reason, ==, REASON_CUT);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_CUT);
}

#define CHOICES (PAIR_CUTS * 4)

static void
test_every_border(PairHosts *hosts, gconstpointer data)
{
    const guint messages = count_messages(hosts);
    guint survived = 0;

    g_test_message("%u messages", messages);
    for (guint at = 1; at <= messages + 2; at++) {
        Pair *pairs[CHOICES];

        for (guint i = 0; i < CHOICES; i++) {
            pairs[i] = talk_new(hosts, at * 1000 + i);
            pairs[i]->cut_at = at;
            pairs[i]->cuts = 1;
            pairs[i]->how = (PairCut)(i % PAIR_CUTS);
            pairs[i]->swallows = i / PAIR_CUTS % 2 == 1;
            pairs[i]->late = i / PAIR_CUTS >= 2;
            pair_connect(pairs[i]);
        }
        pairs_run(pairs, CHOICES, talk_is_over);
        for (guint i = 0; i < CHOICES; i++) {
            check_talk(pairs[i]);
            survived += pairs[i]->ends[0].talks > 1;
            pair_free(pairs[i]);
        }
    }
    g_test_message("%u of %u went on with another leg", survived, (messages + 2) * CHOICES);
    g_assert_cmpuint(survived, >, messages * CHOICES / 2);
}

/* Many losses of one stream, each soon after the one before. */
static void
test_many_losses(PairHosts *hosts, gconstpointer data)
{
    Pair *pairs[PAIR_CUTS * 2];

    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        pairs[i] = pair_new(hosts, NULL, i);
        for (int side = 0; side < 2; side++) {
            pairs[i]->ends[side].app.writes = 3000000 + (guint64)side * 1234567;
            pairs[i]->ends[side].app.ends = TRUE;
        }
        pairs[i]->cut_at = 7 + i * 3;
        pairs[i]->cuts = 20;
        pairs[i]->how = (PairCut)(i % PAIR_CUTS);
        pairs[i]->swallows = i % 3 == 0;
        pairs[i]->late = i >= PAIR_CUTS;
        pair_connect(pairs[i]);
    }
    pairs_run(pairs, G_N_ELEMENTS(pairs), talk_is_over);
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        check_talk(pairs[i]);
        g_assert_cmpuint(pairs[i]->ends[0].talks, >=, 5);
        pair_free(pairs[i]);
    }
}

static gboolean
always(const Pair *pair)
{
    return TRUE;
}

/* A reader stops until nothing moves any more, and goes on: what waited for it comes in its place,
 * also when legs are lost meanwhile and what was received and not consumed is forgotten. */
static void
test_slow_reader(PairHosts *hosts, gconstpointer data)
{
    for (int loses = 0; loses < 2; loses++) {
        g_autoptr(Pair) pair = pair_new(hosts, NULL, 11);
        PairApp *writer = &pair->ends[0].app, *reader = &pair->ends[1].app;
        guint64 written = 0;

        writer->writes = 30 * 1000 * 1000;
        writer->ends = reader->ends = reader->stopped = TRUE;
        pair_connect(pair);
        for (guint quiet = 0; quiet < 200; quiet = writer->written == written ? quiet + 1 : 0) {
            written = writer->written;
            pair_run(pair, always);
        }
        g_assert_cmpuint(writer->written, <, writer->writes);
        if (loses)
            pair_lose(pair, PAIR_RESETS_FIRST);
        reader->stopped = FALSE;
        pair_run(pair, pair_is_over);
        g_assert_cmpuint(pair->ends[1].talks, ==, (guint)loses + 1);
        g_assert_cmpint(pair->ends[0].reason, ==, REASON_COMPLETED);
        g_assert_cmpint(pair->ends[1].reason, ==, REASON_COMPLETED);
        check_whole(pair);
    }
}

#define ADD(name, test) g_test_add(name, PairHosts, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/carrier/talk", test_talk);
    ADD("/carrier/every-border", test_every_border);
    ADD("/carrier/many-losses", test_many_losses);
    ADD("/carrier/slow-reader", test_slow_reader);
    return g_test_run();
}
