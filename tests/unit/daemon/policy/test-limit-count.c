/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "daemon/policy/limit-count.h"

#define NOW (1000 * G_TIME_SPAN_SECOND)

static LimitHold *
take(LimitCounts *counts, const char *what, guint64 streams, guint64 rate, gint64 now)
{
    const Limits limits = {.of = {[LIMIT_STREAMS] = streams, [LIMIT_RATE] = rate}};
    g_autoptr(GError) error = NULL;
    LimitHold *hold = limit_counts_take(counts, what, &limits, now, &error);

    if (!hold)
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT);
    return hold;
}

static void
test_streams(void)
{
    g_autoptr(LimitCounts) counts = limit_counts_new();
    g_autoptr(LimitHold) first = take(counts, "rule 7", 2, 0, NOW);
    LimitHold *second = take(counts, "rule 7", 2, 0, NOW);
    g_autoptr(LimitHold) other = take(counts, "target 7", 1, 0, NOW);

    g_assert_nonnull(first);
    g_assert_nonnull(second);
    g_assert_nonnull(other);
    g_assert_null(take(counts, "rule 7", 2, 0, NOW));
    limit_hold_free(second);
    second = take(counts, "rule 7", 2, 0, NOW);
    g_assert_nonnull(second);
    limit_hold_free(second);
}

/* A limit that is set later counts those that are there. */
static void
test_limit_set_later(void)
{
    g_autoptr(LimitCounts) counts = limit_counts_new();
    g_autoptr(LimitHold) first = take(counts, "rule 7", 0, 0, NOW);
    g_autoptr(LimitHold) second = take(counts, "rule 7", 0, 0, NOW);

    g_assert_nonnull(first);
    g_assert_nonnull(second);
    g_assert_null(take(counts, "rule 7", 2, 0, NOW));
}

/* At most so many in any one minute, ended or not. */
static void
test_rate(void)
{
    g_autoptr(LimitCounts) counts = limit_counts_new();

    limit_hold_free(take(counts, "rule 7", 0, 2, NOW));
    limit_hold_free(take(counts, "rule 7", 0, 2, NOW + 50 * G_TIME_SPAN_SECOND));
    g_assert_null(take(counts, "rule 7", 0, 2, NOW + LIMIT_RATE_TIME - 1));
    limit_hold_free(take(counts, "rule 7", 0, 2, NOW + LIMIT_RATE_TIME));
    g_assert_null(take(counts, "rule 7", 0, 2, NOW + LIMIT_RATE_TIME));
    /* Those that were refused do not count. */
    limit_hold_free(take(counts, "rule 7", 0, 2, NOW + LIMIT_RATE_TIME + 50 * G_TIME_SPAN_SECOND));
}

/* Rules that are gone leave nothing behind; what still runs is not lost. */
static void
test_many(void)
{
    g_autoptr(LimitCounts) counts = limit_counts_new();
    g_autoptr(LimitHold) kept = take(counts, "rule 0", 1, 0, NOW);

    g_assert_nonnull(kept);
    for (guint i = 1; i < 5000; i++) {
        g_autofree char *what = g_strdup_printf("rule %u", i);

        limit_hold_free(take(counts, what, 1, 0, NOW));
    }
    g_assert_null(take(counts, "rule 0", 1, 0, NOW));
}

static void
test_hold_outlives(void)
{
    LimitCounts *counts = limit_counts_new();
    LimitHold *hold = take(counts, "rule 7", 1, 1, NOW);

    limit_counts_free(counts);
    limit_hold_free(hold);
    limit_hold_free(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limit-count/streams", test_streams);
    g_test_add_func("/limit-count/limit-set-later", test_limit_set_later);
    g_test_add_func("/limit-count/rate", test_rate);
    g_test_add_func("/limit-count/many", test_many);
    g_test_add_func("/limit-count/hold-outlives", test_hold_outlives);
    return g_test_run();
}
