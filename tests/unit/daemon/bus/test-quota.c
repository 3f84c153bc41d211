/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/quota.h"

#define ALICE 1000
#define BOB 1001
#define START (5 * G_TIME_SPAN_SECOND) /* of a clock that the tests turn themselves */

static guint
take_all(Quotas *quotas, uid_t uid, gint64 now)
{
    guint taken = 0;

    while (quotas_take_call(quotas, uid, now))
        taken++;
    return taken;
}

/* A burst at once, then so many in each second, and never more than a burst after a rest. */
static void
test_rate(void)
{
    g_autoptr(Quotas) quotas = quotas_new();
    gint64 second = G_TIME_SPAN_SECOND;

    g_assert_cmpuint(take_all(quotas, ALICE, START), ==, QUOTA_CALLS_BURST);
    g_assert_cmpuint(take_all(quotas, BOB, START), ==, QUOTA_CALLS_BURST);
    g_assert_cmpuint(take_all(quotas, ALICE, START + second), ==, QUOTA_CALLS_PER_SECOND);
    g_assert_cmpuint(take_all(quotas, ALICE, START + second), ==, 0);
    g_assert_cmpuint(take_all(quotas, ALICE, START + second + second / 2), ==,
                     QUOTA_CALLS_PER_SECOND / 2);
    g_assert_cmpuint(take_all(quotas, ALICE, START + 3600 * second), ==, QUOTA_CALLS_BURST);
}

/* What is refused takes nothing: whoever goes on asking is served again all the same. */
static void
test_refused_calls_take_nothing(void)
{
    g_autoptr(Quotas) quotas = quotas_new();
    gint64 step = G_TIME_SPAN_SECOND / QUOTA_CALLS_PER_SECOND;

    g_assert_cmpuint(take_all(quotas, ALICE, START), ==, QUOTA_CALLS_BURST);
    for (guint n = 0; n < 1000; n++)
        g_assert_false(quotas_take_call(quotas, ALICE, START + step - 1));
    g_assert_true(quotas_take_call(quotas, ALICE, START + step));
}

static void
test_pending(void)
{
    g_autoptr(Quotas) quotas = quotas_new();

    for (guint n = 0; n < QUOTA_PENDING_MAX; n++)
        g_assert_true(quotas_begin(quotas, ALICE));
    g_assert_false(quotas_begin(quotas, ALICE));
    g_assert_true(quotas_begin(quotas, BOB));
    quotas_end(quotas, ALICE);
    g_assert_true(quotas_begin(quotas, ALICE));
    g_assert_false(quotas_begin(quotas, ALICE));
}

/* Users come and go without a trace: but not while anything of theirs is out. */
static void
test_users_are_forgotten(void)
{
    g_autoptr(Quotas) quotas = quotas_new();

    for (uid_t uid = 2000; uid < 3000; uid++)
        g_assert_true(quotas_take_call(quotas, uid, START));
    g_assert_true(quotas_begin(quotas, ALICE));
    g_assert_true(quotas_take_call(quotas, BOB, g_get_monotonic_time() + START));
    g_assert_cmpuint(quotas_users(quotas), <=, 2);
    quotas_end(quotas, ALICE);
    g_assert_true(quotas_take_call(quotas, 1002, G_MAXINT64 / 2));
    g_assert_cmpuint(quotas_users(quotas), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus-quota/rate", test_rate);
    g_test_add_func("/bus-quota/refused", test_refused_calls_take_nothing);
    g_test_add_func("/bus-quota/pending", test_pending);
    g_test_add_func("/bus-quota/forgotten", test_users_are_forgotten);
    return g_test_run();
}
