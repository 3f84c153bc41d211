/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/traffic.h"

static gboolean
sees_all(guint32 uid, gpointer data)
{
    return TRUE;
}

static gboolean
sees_one(guint32 uid, gpointer data)
{
    return uid == GPOINTER_TO_UINT(data);
}

static void
test_by_hub_and_user(void)
{
    g_autoptr(Traffic) traffic = traffic_new();
    const TrafficCount one = {.opened = 1, .bytes_in = 10, .bytes_out = 100};
    const TrafficCount other = {.failed = 1};
    TrafficCount sum;

    traffic_add(traffic, "work", 1000, &one);
    traffic_add(traffic, "work", 1000, &one);
    traffic_add(traffic, "work", 1001, &other);
    traffic_add(traffic, "home", 1000, &one);
    sum = traffic_sum(traffic, "work", sees_all, NULL);
    g_assert_cmpuint(sum.opened, ==, 2);
    g_assert_cmpuint(sum.failed, ==, 1);
    g_assert_cmpuint(sum.bytes_in, ==, 20);
    g_assert_cmpuint(sum.bytes_out, ==, 200);
    sum = traffic_sum(traffic, "work", sees_one, GUINT_TO_POINTER(1001));
    g_assert_cmpuint(sum.opened, ==, 0);
    g_assert_cmpuint(sum.failed, ==, 1);
    g_assert_cmpuint(traffic_sum(traffic, "none", sees_all, NULL).opened, ==, 0);
}

static void
test_forget(void)
{
    g_autoptr(Traffic) traffic = traffic_new();
    const TrafficCount one = {.opened = 1};

    for (guint32 uid = 0; uid < 5; uid++) {
        traffic_add(traffic, "work", uid, &one);
        traffic_add(traffic, "home", uid, &one);
    }
    traffic_forget(traffic, "work");
    g_assert_cmpuint(traffic_sum(traffic, "work", sees_all, NULL).opened, ==, 0);
    g_assert_cmpuint(traffic_sum(traffic, "home", sees_all, NULL).opened, ==, 5);
}

static void
test_bounded(void)
{
    g_autoptr(Traffic) traffic = traffic_new();
    const TrafficCount one = {.opened = 1};

    for (guint32 uid = 0; uid < TRAFFIC_PAIRS_MAX + 10; uid++)
        traffic_add(traffic, "work", uid, &one);
    traffic_add(traffic, "work", 0, &one);
    g_assert_cmpuint(traffic_sum(traffic, "work", sees_all, NULL).opened, ==,
                     TRAFFIC_PAIRS_MAX + 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/traffic/by-hub-and-user", test_by_hub_and_user);
    g_test_add_func("/traffic/forget", test_forget);
    g_test_add_func("/traffic/bounded", test_bounded);
    return g_test_run();
}
