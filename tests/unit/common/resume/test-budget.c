/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each bound lets through, and one past it. */
#include "common/resume/budget.h"

#define ASIDE ((guint64)RESUME_SURE * RESUME_STREAMS)

static void
test_share(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE + 8000, 0);

    g_assert_cmpuint(resume_budget_take_window(budget, 999), ==, 999);
    resume_budget_give_window(budget, 999);
    g_assert_cmpuint(resume_budget_take_window(budget, 1000), ==, 1000);
    resume_budget_give_window(budget, 1000);
    g_assert_cmpuint(resume_budget_take_window(budget, 1001), ==, 1000);
    g_assert_cmpuint(resume_budget_take_window(budget, 1001), ==, 875);
    resume_budget_give_window(budget, 1875);
    g_assert_cmpuint(resume_budget_use(budget).windows, ==, 0);
}

/* Never more than there is, however often it is asked. */
static void
test_windows_end(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE + 8000, 0);
    guint64 sum = 0;

    for (guint i = 0; i < 1000; i++)
        sum += resume_budget_take_window(budget, RESUME_WINDOW_MAX);
    g_assert_cmpuint(sum, ==, resume_budget_use(budget).windows);
    g_assert_cmpuint(sum, <=, 8000);
    g_assert_cmpuint(sum, >, 8000 - 8);
}

/* The part set aside is there, whatever the setting says; a larger one counts. */
static void
test_least(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 0);

    g_assert_cmpuint(resume_budget_take_window(budget, 1), ==, 0);
    resume_budget_set(budget, ASIDE, 0);
    g_assert_cmpuint(resume_budget_take_window(budget, 1), ==, 0);
    resume_budget_set(budget, ASIDE + 8, 0);
    g_assert_cmpuint(resume_budget_take_window(budget, 2), ==, 1);
    /* Less than is in use: nothing more, and no wrap. */
    resume_budget_set(budget, ASIDE, 0);
    g_assert_cmpuint(resume_budget_take_window(budget, 1), ==, 0);
}

/* The streams beyond those for whom it was set aside take theirs from the growth. */
static void
test_many_streams(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE + 8 * RESUME_SURE, 0);

    for (guint i = 0; i < RESUME_STREAMS; i++)
        resume_budget_enter(budget);
    g_assert_cmpuint(resume_budget_take_window(budget, RESUME_SURE), ==, RESUME_SURE);
    resume_budget_give_window(budget, RESUME_SURE);
    for (guint i = 0; i < 8; i++)
        resume_budget_enter(budget);
    g_assert_cmpuint(resume_budget_take_window(budget, RESUME_SURE), ==, 0);
    resume_budget_leave(budget);
    g_assert_cmpuint(resume_budget_take_window(budget, RESUME_SURE), ==, RESUME_SURE / 8);
}

static void
test_owed(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(ASIDE + 8, 10);

    resume_budget_owe_window(budget, 1000);
    g_assert_cmpuint(resume_budget_take_window(budget, 1), ==, 0);
    resume_budget_give_window(budget, 1000);
    g_assert_cmpuint(resume_budget_take_window(budget, 1), ==, 1);
    resume_budget_owe_ring(budget, 11);
    g_assert_false(resume_budget_take_ring(budget, 0, 1));
    resume_budget_give_ring(budget, 11);
    g_assert_true(resume_budget_take_ring(budget, 0, 1));
}

static void
test_rings(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 100);

    g_assert_false(resume_budget_take_ring(budget, 0, 101));
    g_assert_true(resume_budget_take_ring(budget, 0, 100));
    g_assert_false(resume_budget_take_ring(budget, 0, 1));
    resume_budget_give_ring(budget, 1);
    g_assert_true(resume_budget_take_ring(budget, 0, 1));
    resume_budget_give_ring(budget, 100);
    g_assert_cmpuint(resume_budget_use(budget).rings, ==, 0);
    /* Less than what is asked for in all. */
    g_assert_false(resume_budget_take_ring(budget, 0, G_MAXSIZE));
}

/* One that holds much leaves to the others eight times as much. */
static void
test_ring_share(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 1000);

    g_assert_true(resume_budget_take_ring(budget, 0, 100));
    g_assert_false(resume_budget_take_ring(budget, 101, 93)); /* would leave 807 */
    g_assert_true(resume_budget_take_ring(budget, 101, 92));  /* leaves 808: eight times 101 */
    g_assert_false(resume_budget_take_ring(budget, 101, 1));
    g_assert_true(resume_budget_take_ring(budget, 100, 8));
}

/* The last one given back comes first; a bounded number is kept, and none without streams. */
static void
test_pool(void)
{
    g_autoptr(ResumeBudget) budget = resume_budget_new(0, 0);
    guint8 *chunks[RESUME_POOL + 1];

    resume_budget_enter(budget);
    for (guint i = 0; i <= RESUME_POOL; i++)
        chunks[i] = resume_budget_new_chunk(budget);
    for (guint i = 0; i <= RESUME_POOL; i++)
        resume_budget_free_chunk(budget, chunks[i]);
    g_assert_cmpuint(resume_budget_use(budget).pool, ==, RESUME_POOL);
    g_assert_true(resume_budget_new_chunk(budget) == chunks[RESUME_POOL - 1]);
    g_assert_cmpuint(resume_budget_use(budget).pool, ==, RESUME_POOL - 1);
    resume_budget_free_chunk(budget, chunks[RESUME_POOL - 1]);
    resume_budget_leave(budget);
    g_assert_cmpuint(resume_budget_use(budget).pool, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resume-budget/share", test_share);
    g_test_add_func("/resume-budget/windows-end", test_windows_end);
    g_test_add_func("/resume-budget/least", test_least);
    g_test_add_func("/resume-budget/many-streams", test_many_streams);
    g_test_add_func("/resume-budget/owed", test_owed);
    g_test_add_func("/resume-budget/rings", test_rings);
    g_test_add_func("/resume-budget/pool", test_pool);
    g_test_add_func("/resume-budget/ring-share", test_ring_share);
    return g_test_run();
}
