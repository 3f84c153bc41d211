/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a stream that survives its legs ends: by its application, its owner, the other end or the
 * hub, with a leg and without one (docs/wire-protocol.md, sections 4a and 8a). */
#include "tests/unit/daemon/carrier/pair-fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
first_is_over(const Pair *pair)
{
    return pair->ends[0].reason != REASON_NONE;
}

static gboolean
second_is_over(const Pair *pair)
{
    return pair->ends[1].reason != REASON_NONE;
}

static gboolean
both_apps_know(const Pair *pair)
{
    const PairApp *first = &pair->ends[0].app, *second = &pair->ends[1].app;

    return (first->saw_end || first->saw_reset || first->fd < 0) &&
           (second->saw_end || second->saw_reset || second->fd < 0);
}

static gboolean
all_is_read(const Pair *pair)
{
    return pair->ends[0].app.read == pair->ends[1].app.writes &&
           pair->ends[1].app.read == pair->ends[0].app.writes;
}

/* Both ends have talked. */
static Pair *
open_pair(const PairHosts *hosts, const RelayTimes times[2])
{
    Pair *pair = pair_new(hosts, times, 1);

    pair_connect(pair);
    pair_run(pair, both_talk);
    return pair;
}

static Pair *
suspended_pair(const PairHosts *hosts, const RelayTimes times[2])
{
    Pair *pair = open_pair(hosts, times);

    pair->holds = TRUE;
    pair_lose(pair, PAIR_RESETS_BOTH);
    pair_run(pair, both_lost);
    return pair;
}

static void
check_ends(Pair *pair, Reason first, Reason second)
{
    pair_run(pair, pair_is_over);
    g_assert_cmpint(pair->ends[0].reason, ==, first);
    g_assert_cmpint(pair->ends[1].reason, ==, second);
}

/* An application resets its connection: the other one gets what it wrote before, and then a reset.
 */
static void
test_local_reset(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = open_pair(hosts, NULL);

    pair->ends[0].app.writes = 100000;
    pair_run(pair, all_is_read);
    pair_reset_app(pair, 0);
    check_ends(pair, REASON_LOCAL_CUT, REASON_LOCAL_CUT);
    pair_run(pair, both_apps_know);
    g_assert_true(pair->ends[1].app.saw_reset);
}

static void
test_local_reset_suspended(PairHosts *hosts, gconstpointer data)
{
    for (int side = 0; side < 2; side++) {
        g_autoptr(Pair) pair = suspended_pair(hosts, NULL);

        pair_reset_app(pair, side);
        pair_run(pair, side ? second_is_over : first_is_over);
        g_assert_cmpint(pair->ends[side].reason, ==, REASON_LOCAL_CUT);
        g_assert_cmpint(pair->ends[1 - side].reason, ==, REASON_NONE);
        carrier_ended_there(pair->ends[1 - side].carrier, REASON_LOCAL_CUT);
        check_ends(pair, REASON_LOCAL_CUT, REASON_LOCAL_CUT);
        pair_run(pair, both_apps_know);
        g_assert_true(pair->ends[1 - side].app.saw_reset);
    }
}

/* What an application writes, and its FIN, wait for the next leg. */
static void
test_local_fin_suspended(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = suspended_pair(hosts, NULL);

    for (int i = 0; i < 2; i++) {
        pair->ends[i].app.writes = 1000 + (guint64)i;
        pair->ends[i].app.ends = TRUE;
    }
    while (!pair->ends[0].app.said_end || !pair->ends[1].app.said_end)
        pair_run(pair, both_lost);
    pair_connect(pair);
    check_ends(pair, REASON_COMPLETED, REASON_COMPLETED);
    g_assert_true(all_is_read(pair));
    g_assert_true(pair->ends[0].app.saw_end && pair->ends[1].app.saw_end);
}

/* Half of it ends, then the legs are lost, and then the other half: nothing is told twice. */
static void
test_half_ended(PairHosts *hosts, gconstpointer data)
{
    for (int side = 0; side < 2; side++) {
        g_autoptr(Pair) pair = open_pair(hosts, NULL);
        PairEnd *ends = pair->ends;

        ends[side].app.writes = 70000;
        ends[side].app.ends = TRUE;
        while (!ends[1 - side].app.saw_end)
            pair_run(pair, both_talk);
        pair->holds = TRUE;
        pair_lose(pair, PAIR_RESETS_BOTH);
        pair_run(pair, both_lost);
        pair_connect(pair);
        ends[1 - side].app.writes = 80000;
        ends[1 - side].app.ends = TRUE;
        check_ends(pair, REASON_COMPLETED, REASON_COMPLETED);
        g_assert_true(all_is_read(pair));
        g_assert_false(ends[0].app.wrong || ends[1].app.wrong);
    }
}

/* Nobody reads what the application of SIDE writes before it closes its Unix socket. */
static Pair *
left_pair(PairHosts *hosts, const RelayTimes times[2], int side)
{
    Pair *pair;
    PairApp *app;

    hosts->local = TRUE;
    pair = open_pair(hosts, times);
    app = &pair->ends[side].app;
    pair->ends[1 - side].app.stopped = TRUE;
    app->writes = 300000; /* more than a socket takes, and less than that and a window */
    app->ends = TRUE;
    while (!app->said_end)
        pair_run(pair, both_talk);
    close(app->fd);
    app->fd = -1;
    return pair;
}

/* It has gone for good, and what it wrote last is taken by nobody: not without end. */
static void
test_left_stuck(PairHosts *hosts, gconstpointer data)
{
    const RelayTimes times[2] = {{.patience = G_TIME_SPAN_SECOND},
                                 {.patience = G_TIME_SPAN_SECOND}};

    for (int side = 0; side < 2; side++) {
        gint64 start = g_get_monotonic_time();
        g_autoptr(Pair) pair = left_pair(hosts, times, side);

        pair_run(pair, side ? second_is_over : first_is_over);
        g_assert_cmpint(pair->ends[side].reason, ==, REASON_CUT);
        g_assert_cmpint(g_get_monotonic_time() - start, >=, times[side].patience);
        pair->ends[1 - side].app.stopped = FALSE;
        check_ends(pair, REASON_CUT, REASON_CUT);
    }
}

/* The same with a reader who takes his time, but takes it. */
static void
test_left_read(PairHosts *hosts, gconstpointer data)
{
    for (int side = 0; side < 2; side++) {
        g_autoptr(Pair) pair = left_pair(hosts, NULL, side);
        const Reason reason = side == PAIR_DEVICE ? REASON_DEVICE_CLOSED : REASON_SERVICE_CLOSED;

        g_assert_cmpint(pair->ends[side].reason, ==, REASON_NONE);
        pair->ends[1 - side].app.stopped = FALSE;
        check_ends(pair, reason, reason);
        pair_run(pair, both_apps_know);
        g_assert_cmpuint(pair->ends[1 - side].app.read, ==, pair->ends[side].app.writes);
    }
}

/* On request: the other end is told by `c`, and both applications see a cut. */
static void
test_owner_ends(PairHosts *hosts, gconstpointer data)
{
    for (int side = 0; side < 2; side++) {
        g_autoptr(Pair) pair = open_pair(hosts, NULL);

        carrier_end(pair->ends[side].carrier, REASON_CLOSED_BY_USER);
        carrier_end(pair->ends[side].carrier, REASON_CUT); /* only the first one counts */
        check_ends(pair, REASON_CLOSED_BY_USER, REASON_CLOSED_BY_USER);
        pair_run(pair, both_apps_know);
        g_assert_true(pair->ends[0].app.saw_reset && pair->ends[1].app.saw_reset);
        g_assert_false(carrier_is_unsaid(pair->ends[0].carrier));
        g_assert_false(carrier_is_unsaid(pair->ends[1].carrier));
    }
}

static gboolean
first_has_parted(const Pair *pair)
{
    return pair->ends[0].parted > 0;
}

/* The service's last word has gone, and whether it arrived is known when its leg is closed. */
static void
test_last_word(PairHosts *hosts, gconstpointer data)
{
    /* The bridge leaves the last close to us, so that the wait is over first. */
    const RelayTimes brief = {RELAY_QUIET, RELAY_PING, RELAY_DEAD,
                              .wait = 300 * G_TIME_SPAN_MILLISECOND};
    const RelayTimes times[2] = {brief, brief};

    for (int lost = 0; lost < 2; lost++) {
        g_autoptr(Pair) pair = open_pair(hosts, times);
        const PairEnd *end = &pair->ends[0];

        pair->mute = lost;
        carrier_end(end->carrier, REASON_CLOSED_BY_USER);
        pair_run(pair, first_is_over);
        g_assert_false(carrier_is_unsaid(end->carrier));
        if (lost) {
            g_assert_true(carrier_is_parting(end->carrier));
            pair_lose(pair, PAIR_RESETS_BOTH);
        }
        pair_run(pair, first_has_parted);
        g_assert_cmpuint(end->parted, ==, 1);
        g_assert_cmpint(end->parted_lost, ==, lost);
        g_assert_cmpint(carrier_is_unsaid(end->carrier), ==, lost);
        g_assert_false(carrier_is_parting(end->carrier));
        g_assert_cmpuint(pair->ends[1].parted, ==, 0);
    }
}

static void
test_owner_ends_suspended(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = suspended_pair(hosts, NULL);

    carrier_end(pair->ends[0].carrier, REASON_CUT);
    carrier_end(pair->ends[1].carrier, REASON_REVOKED);
    check_ends(pair, REASON_CUT, REASON_REVOKED);
    g_assert_false(carrier_is_unsaid(pair->ends[1].carrier));
    g_assert_true(carrier_is_unsaid(pair->ends[0].carrier)); /* it is led back to say so */
}

/* The other end says elsewhere that it has ended, in order: this is one only for who has all of it.
 */
static void
test_ended_there(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = suspended_pair(hosts, NULL);

    carrier_ended_there(pair->ends[0].carrier, REASON_COMPLETED);
    carrier_ended_there(pair->ends[1].carrier, REASON_POLICY);
    check_ends(pair, REASON_CUT, REASON_POLICY);
    pair_run(pair, both_apps_know);
    g_assert_true(pair->ends[0].app.saw_reset && pair->ends[1].app.saw_reset);
}

/* With its data delivered to their end, there is nothing to be cut. */
static void
test_ended_there_whole(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = open_pair(hosts, NULL);

    pair->ends[0].app.ends = TRUE;
    while (!pair->ends[1].app.saw_end)
        pair_run(pair, both_talk);
    pair->holds = TRUE;
    pair_lose(pair, PAIR_RESETS_BOTH);
    pair_run(pair, both_lost);
    carrier_ended_there(pair->ends[1].carrier, REASON_LOCAL_CUT);
    carrier_ended_there(pair->ends[0].carrier, REASON_LOCAL_CUT);
    check_ends(pair, REASON_LOCAL_CUT, REASON_LOCAL_CUT);
    g_assert_false(pair->ends[1].app.saw_reset);
    pair_run(pair, both_apps_know);
    g_assert_true(pair->ends[0].app.saw_reset);
}

/* What the hub's close frame means. */
static void
test_hub_closes(PairHosts *hosts, gconstpointer data)
{
    static const struct {
        guint16 code;
        const char *text;
        Reason ends, suspended;
    } cases[] = {
        {WS_CLOSE_POLICY, "revoked", REASON_REVOKED, REASON_NONE},
        {WS_CLOSE_POLICY, "byte-limit", REASON_BYTE_LIMIT, REASON_NONE},
        {WS_CLOSE_POLICY, NULL, REASON_REVOKED, REASON_NONE},
        {WS_CLOSE_PROTOCOL, NULL, REASON_PROTOCOL, REASON_NONE},
        {WS_CLOSE_GOING_AWAY, "hub-stopping", REASON_NONE, REASON_HUB_STOPPING},
        {WS_CLOSE_GOING_AWAY, NULL, REASON_NONE, REASON_HUB_STOPPING},
        {WS_CLOSE_ERROR, "cut", REASON_NONE, REASON_CUT},
        {WS_CLOSE_ERROR, "silent", REASON_NONE, REASON_SILENT},
        {WS_CLOSE_NORMAL, "completed", REASON_NONE, REASON_CUT},
        {WS_CLOSE_NONE, NULL, REASON_NONE, REASON_CUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Pair) pair = open_pair(hosts, NULL);
        const PairEnd *end = &pair->ends[0];

        pair->holds = TRUE;
        pair_bridge_says(pair, 0, cases[i].code, cases[i].text);
        while (end->reason == REASON_NONE && end->losses == 0)
            pair_run(pair, both_talk);
        g_assert_cmpint(end->reason, ==, cases[i].ends);
        g_assert_cmpint(end->lost, ==, cases[i].suspended);
    }
}

/* Before the other end's first word a loss is a failed opening. */
static void
test_lost_before_talk(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = pair_new(hosts, NULL, 1);

    pair->mute = TRUE;
    pair_connect(pair);
    pair_lose(pair, PAIR_RESETS_BOTH);
    check_ends(pair, REASON_CUT, REASON_CUT);
    g_assert_cmpuint(pair->ends[0].losses + pair->ends[1].losses, ==, 0);
    g_assert_true(pair->ends[0].talks == 0 && pair->ends[1].talks == 0);
}

/* What another end must not say ends the stream, here and there, and never with wrong bytes. */
static void
test_protocol(PairHosts *hosts, gconstpointer data)
{
    static const struct {
        WsOpcode opcode;
        const char *text;
    } cases[] = {
        {WS_OP_BINARY, ""},         {WS_OP_TEXT, "hello"},      {WS_OP_TEXT, "w 1 262144"},
        {WS_OP_TEXT, "r 0 262144"}, {WS_OP_TEXT, "e 99999999"}, {WS_OP_TEXT, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Pair) pair = open_pair(hosts, NULL);

        pair_bridge_sends(pair, 1, cases[i].opcode, cases[i].text, strlen(cases[i].text));
        check_ends(pair, REASON_PROTOCOL, REASON_PROTOCOL);
        pair_run(pair, both_apps_know);
        g_assert_cmpuint(pair->ends[1].app.read, ==, 0);
        g_assert_true(pair->ends[1].app.saw_reset && pair->ends[0].app.saw_reset);
    }
}

/* Data that nobody allowed. */
static void
test_beyond_limit(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = open_pair(hosts, NULL);
    g_autofree guint8 *piece = g_malloc0(60000);

    for (guint i = 0; i < 10; i++) /* the window is 256 KiB, and nobody reads */
        pair_bridge_sends(pair, 1, WS_OP_BINARY, piece, 60000);
    pair->ends[1].app.stopped = TRUE;
    pair_run(pair, second_is_over);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_PROTOCOL);
}

static RelayTimes quick[2] = {
    {.ping = 200 * G_TIME_SPAN_MILLISECOND, .dead = 600 * G_TIME_SPAN_MILLISECOND},
    {.ping = 200 * G_TIME_SPAN_MILLISECOND, .dead = 600 * G_TIME_SPAN_MILLISECOND}};

/* An idle stream stays, because both ends and the hub give signs of life; a mute one does not. */
static void
test_silent(PairHosts *hosts, gconstpointer data)
{
    g_autoptr(Pair) pair = open_pair(hosts, quick);
    gint64 start = g_get_monotonic_time();

    while (g_get_monotonic_time() - start < 3 * quick[0].dead)
        pair_run(pair, both_talk);
    g_assert_cmpuint(pair->ends[0].losses + pair->ends[1].losses, ==, 0);
    pair->mute = pair->holds = TRUE;
    pair_run(pair, both_lost);
    g_assert_cmpint(pair->ends[0].lost, ==, REASON_SILENT);
    g_assert_cmpint(pair->ends[1].lost, ==, REASON_SILENT);
    pair->mute = FALSE;
    pair_connect(pair);
    while (pair->ends[0].talks < 2 || pair->ends[1].talks < 2)
        pair_run(pair, both_talk);
}

/* A leg whose other end never comes. */
static void
test_unpaired(PairHosts *hosts, gconstpointer data)
{
    const RelayTimes times[2] = {
        {.ping = RELAY_PING, .dead = RELAY_DEAD},
        {.ping = RELAY_PING, .dead = RELAY_DEAD, .pair = 300 * G_TIME_SPAN_MILLISECOND}};
    g_autoptr(Pair) pair = pair_new(hosts, times, 1);

    pair->mute = TRUE;
    pair_connect(pair);
    pair_run(pair, second_is_over);
    g_assert_cmpint(pair->ends[1].reason, ==, REASON_NOT_PAIRED);
}

/* That time is the opening's: a later leg has a time of its own. */
static void
test_unpaired_later(PairHosts *hosts, gconstpointer data)
{
    const RelayTimes times[2] = {
        {.ping = RELAY_PING, .dead = RELAY_DEAD},
        {.ping = RELAY_PING, .dead = RELAY_DEAD, .pair = 300 * G_TIME_SPAN_MILLISECOND}};
    g_autoptr(Pair) pair = suspended_pair(hosts, times);
    gint64 start = g_get_monotonic_time();

    pair->mute = TRUE;
    pair_connect(pair);
    while (g_get_monotonic_time() - start < 3 * times[1].pair)
        pair_run(pair, both_talk);
    g_assert_cmpuint(pair->ends[1].losses, ==, 1);
    pair->mute = FALSE;
    while (pair->ends[0].talks < 2 || pair->ends[1].talks < 2)
        pair_run(pair, both_talk);
}

#define ADD(name, test) g_test_add(name, PairHosts, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/carrier-end/local-reset", test_local_reset);
    ADD("/carrier-end/local-reset-suspended", test_local_reset_suspended);
    ADD("/carrier-end/local-fin-suspended", test_local_fin_suspended);
    ADD("/carrier-end/half-ended", test_half_ended);
    ADD("/carrier-end/left-stuck", test_left_stuck);
    ADD("/carrier-end/left-read", test_left_read);
    ADD("/carrier-end/owner-ends", test_owner_ends);
    ADD("/carrier-end/last-word", test_last_word);
    ADD("/carrier-end/owner-ends-suspended", test_owner_ends_suspended);
    ADD("/carrier-end/ended-there", test_ended_there);
    ADD("/carrier-end/ended-there-whole", test_ended_there_whole);
    ADD("/carrier-end/hub-closes", test_hub_closes);
    ADD("/carrier-end/lost-before-talk", test_lost_before_talk);
    ADD("/carrier-end/protocol", test_protocol);
    ADD("/carrier-end/beyond-limit", test_beyond_limit);
    ADD("/carrier-end/silent", test_silent);
    ADD("/carrier-end/unpaired", test_unpaired);
    ADD("/carrier-end/unpaired-later", test_unpaired_later);
    return g_test_run();
}
