/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/backoff.h"

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

    for (guint i = 0; i < 40; i++)
        most = MAX(most, backoff_next(&backoff, TRUE, ALMOST_ONE));
    g_assert_cmpint(most, >, BACKOFF_MAX);
    g_assert_cmpint(most, <=, BACKOFF_MAX_REFUSED);
}

static void
test_forgives(void)
{
    Backoff backoff = {0};

    for (guint i = 0; i < 10; i++)
        (void)backoff_next(&backoff, FALSE, ALMOST_ONE);
    backoff_lasted(&backoff, BACKOFF_STABLE - 1);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), >, BACKOFF_FIRST);
    backoff_lasted(&backoff, BACKOFF_STABLE);
    g_assert_cmpint(backoff_next(&backoff, FALSE, ALMOST_ONE), <=, BACKOFF_FIRST);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backoff/grows", test_grows);
    g_test_add_func("/backoff/low", test_low);
    g_test_add_func("/backoff/refused", test_refused);
    g_test_add_func("/backoff/forgives", test_forgives);
    return g_test_run();
}
