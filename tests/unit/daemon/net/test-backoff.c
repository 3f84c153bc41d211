/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/backoff.h"

#define ALMOST_ONE 0.999999

static void
test_grows(void)
{
    Backoff backoff = {0};

    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), <=, BACKOFF_FIRST);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_FIRST);
    for (guint i = 0; i < 100; i++) {
        gint64 delay = backoff_next(&backoff, FALSE, ALMOST_ONE);

        g_assert_cmpint(delay, >, BACKOFF_FIRST);
        g_assert_cmpint(delay, <=, BACKOFF_MAX);
    }
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_MAX / 2);
}

/* Requirement R31, attempt by attempt: the longest wait in seconds, when the hub is not there and
 * when it refuses us; after a connection that lasted it begins again. */
static void
test_table(void)
{
    static const guint lost[] = {1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60};
    static const guint refused[] = {1, 2, 4, 8, 16, 32, 60, 60, 60, 300, 300, 300};

    Backoff backoff = {0}, other = {0};

    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < G_N_ELEMENTS(lost); i++) {
            gint64 wait = backoff_next(&backoff, FALSE, ALMOST_ONE);
            gint64 wait_refused = backoff_next(&other, TRUE, ALMOST_ONE);

            g_assert_cmpint((wait + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND, ==, lost[i]);
            g_assert_cmpint((wait_refused + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND, ==,
                            refused[i]);
        }
        backoff_lasted(&backoff, BACKOFF_STABLE);
        backoff_lasted(&other, BACKOFF_STABLE);
    }
}

/* What is not there any more had not refused us: the count of refusals is of those in a row. */
static void
test_refusals_in_a_row(void)
{
    Backoff backoff = {0};

    for (guint i = 0; i < 40; i++)
        g_assert_cmpint(backoff_next(&backoff, i % BACKOFF_REFUSALS != 0, ALMOST_ONE), <=,
                        BACKOFF_MAX);
}

/* Full jitter: the waits fill the whole range evenly. */
static void
test_spread(void)
{
    guint quarters[4] = {0};

    for (guint i = 0; i < 4000; i++) {
        Backoff backoff = {.failures = 10};
        gint64 wait = backoff_next(&backoff, FALSE, i / 4000.0);

        quarters[MIN(wait * 4 / BACKOFF_MAX, 3)]++;
    }
    for (guint i = 0; i < 4; i++) {
        g_assert_cmpuint(quarters[i], >, 900);
        g_assert_cmpuint(quarters[i], <, 1100);
    }
}

/* Only the very first attempt may come at once. */
static void
test_low(void)
{
    Backoff backoff = {0};

    g_assert_cmpint(backoff_next(&backoff, FALSE, 0), ==, 0);
    for (guint i = 0; i < 100; i++)
        g_assert_cmpint(backoff_next(&backoff, FALSE, 0), ==, BACKOFF_MIN);
}

static void
test_refused(void)
{
    Backoff backoff = {0};
    gint64 most = 0;

    for (guint i = 0; i < 40; i++) {
        gint64 delay = backoff_next(&backoff, TRUE, ALMOST_ONE);

        most = MAX(most, delay);
    }
    g_assert_cmpint(most, >, BACKOFF_MAX);
    g_assert_cmpint(most, <=, BACKOFF_MAX_REFUSED);
}

static void
test_forgives(void)
{
    Backoff backoff = {0};

    for (guint i = 0; i < 10; i++)
        (void)backoff_next(&backoff, FALSE, ALMOST_ONE);
    backoff_lasted(&backoff, BACKOFF_SETTLED - 1);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_FIRST);
    backoff_lasted(&backoff, BACKOFF_STABLE);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), <=, BACKOFF_FIRST);
}

/* A connection that had settled and is lost again and again, as by a hub that is restarted: each
 * time the first attempt comes within a second, and those after it go on where they were. */
static void
test_settled(void)
{
    Backoff backoff = {0};

    for (guint i = 0; i < 10; i++)
        (void)backoff_next(&backoff, FALSE, ALMOST_ONE);
    for (guint i = 0; i < 3; i++) {
        backoff_lasted(&backoff, BACKOFF_SETTLED);
        g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), <=, BACKOFF_FIRST);
    }
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_MAX / 2);
    backoff_lasted(&backoff, BACKOFF_SETTLED - 1);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_MAX / 2);
}

/* Taken over: 5 s, doubled up to 5 min, and at least half of it; over after 10 min of peace. What
 * a long connection forgives does not end it. */
static void
test_disputed(void)
{
    Backoff backoff = {0};
    gint64 now = G_TIME_SPAN_HOUR, wanted = BACKOFF_DISPUTE;

    g_assert_cmpint(backoff_next_disputed(&backoff, now, ALMOST_ONE), ==, 0);
    for (guint i = 0; i < 40; i++) {
        backoff_dispute(&backoff, now);
        g_assert_cmpint(backoff_next_disputed(&backoff, now, 0), ==, wanted / 2);
        g_assert_cmpint(backoff_next_disputed(&backoff, now, ALMOST_ONE), <=, wanted);
        g_assert_cmpint(backoff_next_disputed(&backoff, now, ALMOST_ONE), >=, wanted - 1000);
        backoff_lasted(&backoff, BACKOFF_STABLE);
        wanted = MIN(wanted * 2, BACKOFF_DISPUTE_MAX);
    }
    g_assert_cmpint(backoff_next_disputed(&backoff, now + BACKOFF_PEACE, 0), >, 0);
    g_assert_cmpint(backoff_next_disputed(&backoff, now + BACKOFF_PEACE + 1, 0), ==, 0);
    backoff_dispute(&backoff, now + BACKOFF_PEACE + 1);
    g_assert_cmpint(backoff_next_disputed(&backoff, now + BACKOFF_PEACE + 1, 0), ==,
                    BACKOFF_DISPUTE / 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backoff/grows", test_grows);
    g_test_add_func("/backoff/low", test_low);
    g_test_add_func("/backoff/refused", test_refused);
    g_test_add_func("/backoff/forgives", test_forgives);
    g_test_add_func("/backoff/settled", test_settled);
    g_test_add_func("/backoff/disputed", test_disputed);
    g_test_add_func("/backoff/table", test_table);
    g_test_add_func("/backoff/refusals-in-a-row", test_refusals_in_a_row);
    g_test_add_func("/backoff/spread", test_spread);
    return g_test_run();
}
