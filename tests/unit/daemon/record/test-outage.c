/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a lost hub is told of: the clock is the test's. */
#include "daemon/record/outage.h"

#define MINUTE G_TIME_SPAN_MINUTE

/* Days of attempts, one each minute and each with the same reason. */
static void
test_days(void)
{
    g_autoptr(Outage) outage = outage_new();
    guint told = 0;
    guint64 attempts;

    for (gint64 now = 0; now < 4 * G_TIME_SPAN_DAY; now += MINUTE) {
        outage_attempt(outage);
        if (outage_failed(outage, "refused", now)) {
            told++;
            g_assert_true(now == 0 || (now - OUTAGE_FIRST) % OUTAGE_THEN == 0);
        }
    }
    g_assert_cmpuint(told, ==, 1 + 4); /* at once, after 1 h, 25 h, 49 h, 73 h */
    g_assert_cmpuint(outage_attempts(outage), ==, 4 * 24 * 60);
    g_assert_cmpint(outage_end(outage, 4 * G_TIME_SPAN_DAY, &attempts), ==, 4 * G_TIME_SPAN_DAY);
    g_assert_cmpuint(attempts, ==, 4 * 24 * 60);
}

/* At the bound and one before it. */
static void
test_bounds(void)
{
    g_autoptr(Outage) outage = outage_new();

    g_assert_true(outage_failed(outage, "a", 7));
    g_assert_false(outage_failed(outage, "a", 7 + OUTAGE_FIRST - 1));
    g_assert_true(outage_failed(outage, "a", 7 + OUTAGE_FIRST));
    g_assert_false(outage_failed(outage, "a", 7 + OUTAGE_FIRST + OUTAGE_THEN - 1));
    g_assert_true(outage_failed(outage, "a", 7 + OUTAGE_FIRST + OUTAGE_THEN));
}

/* A new reason is told at once; those that alternate once each; and not more than so many. */
static void
test_reasons(void)
{
    g_autoptr(Outage) outage = outage_new();

    g_assert_true(outage_failed(outage, "a", 0));
    g_assert_true(outage_failed(outage, "b", 1));
    for (gint64 now = 2; now < 100; now++)
        g_assert_false(outage_failed(outage, now % 2 ? "a" : "b", now));
    for (guint i = 0; i < 2 * OUTAGE_REASONS; i++) {
        g_autofree char *reason = g_strdup_printf("reason %u", i);

        g_assert_cmpint(outage_failed(outage, reason, 100), ==, i < OUTAGE_REASONS - 2);
    }
    g_assert_true(outage_failed(outage, "one too many", OUTAGE_FIRST));
    g_assert_false(outage_failed(outage, "one too many", OUTAGE_FIRST + 1));
    g_assert_true(outage_failed(outage, "a", OUTAGE_FIRST + 1));
}

/* The next outage begins anew; without one there is no length. */
static void
test_again(void)
{
    g_autoptr(Outage) outage = outage_new();
    guint64 attempts;

    outage_attempt(outage);
    g_assert_cmpint(outage_end(outage, 5, &attempts), ==, 0);
    outage_attempt(outage);
    g_assert_true(outage_failed(outage, "a", 10));
    outage_attempt(outage);
    g_assert_cmpint(outage_end(outage, 30, &attempts), ==, 20);
    g_assert_cmpuint(attempts, ==, 2);
    g_assert_true(outage_failed(outage, "a", 40));
    g_assert_cmpint(outage_length(outage, 41), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outage/days", test_days);
    g_test_add_func("/outage/bounds", test_bounds);
    g_test_add_func("/outage/reasons", test_reasons);
    g_test_add_func("/outage/again", test_again);
    return g_test_run();
}
