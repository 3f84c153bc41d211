/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be said in words beside the data that count: at each bound and one past it. */
#include "common/resume/allowance.h"

#define SECOND G_TIME_SPAN_SECOND

static void
test_rate(void)
{
    ResumeAllowance allowance;

    resume_allowance_init(&allowance, 0, 100);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1024, 0, 100), ==, 0);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1, 0, 100), ==, 1);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1025, 0, 100 + SECOND), ==, 1);
    /* a thousand times a thousandth of a second is a second */
    for (guint i = 1; i <= 1000; i++)
        g_assert_cmpuint(resume_allowance_take(&allowance, 0, 0, 100 + SECOND + i * 1000), ==, 0);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1030, 0, 100 + 2 * SECOND), >=, 6);
    /* time that goes back gives nothing */
    g_assert_cmpuint(resume_allowance_take(&allowance, 10, 0, 100), ==, 10);
    g_assert_cmpuint(resume_allowance_take(&allowance, 10, 0, 100 + 2 * SECOND), ==, 10);
}

static void
test_share(void)
{
    ResumeAllowance allowance;

    resume_allowance_init(&allowance, 5000, 0);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1024, 5000, 0), ==, 0);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1, 5099, 0), ==, 1);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1, 5100, 0), ==, 0);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1, 5100, 0), ==, 1);
    g_assert_cmpuint(resume_allowance_take(&allowance, 11, 6100, 0), ==, 1);
}

static void
test_most(void)
{
    ResumeAllowance allowance;

    resume_allowance_init(&allowance, 0, 0);
    g_assert_cmpuint(
        resume_allowance_take(&allowance, RESUME_ALLOWANCE_MAX + 1, G_MAXUINT64, G_MAXINT64), ==,
        1);
    resume_allowance_init(&allowance, G_MAXUINT64 - 1, G_MAXINT64 - 1);
    g_assert_cmpuint(resume_allowance_take(&allowance, 1025, G_MAXUINT64, G_MAXINT64), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/allowance/rate", test_rate);
    g_test_add_func("/allowance/share", test_share);
    g_test_add_func("/allowance/most", test_most);
    return g_test_run();
}
