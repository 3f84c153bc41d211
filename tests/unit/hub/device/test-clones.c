/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When two instances of an identity are two machines, and when they are one that was restarted. */
#include "hub/device/clones.h"

#define SECOND G_TIME_SPAN_SECOND
#define WINDOW (600 * SECOND)
#define START (1000 * SECOND)

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"

static Clones *clones;

static void
setup(void)
{
    clones = clones_new(WINDOW);
}

static void
teardown(void)
{
    g_clear_pointer(&clones, clones_free);
}

static gboolean
comes(const char *instance, gint64 at)
{
    return clones_connected(clones, "dev1", instance, NULL, START + at);
}

/* It came back this long after the other one had replaced it. */
static gboolean
comes_back_after(gint64 time)
{
    gboolean cloned;

    setup();
    g_assert_false(comes(A, 0));
    g_assert_false(comes(B, 7 * SECOND));
    cloned = comes(A, 7 * SECOND + time);
    teardown();
    return cloned;
}

static void
test_window(void)
{
    g_assert_true(comes_back_after(0));
    g_assert_true(comes_back_after(WINDOW));
    g_assert_false(comes_back_after(WINDOW + 1));
}

/* A restart is a new instance each time, and a flapping link is the same one. */
static void
test_no_clone(void)
{
    char instance[INSTANCE_LEN + 1];

    setup();
    for (guint i = 0; i < 1000; i++) {
        instance_make(instance);
        g_assert_false(comes(instance, i));
    }
    for (guint i = 0; i < 1000; i++)
        g_assert_false(comes(A, 2000 + i));
    g_assert_false(comes("", 4000));
    g_assert_false(comes(A, 4001));
    g_assert_false(comes("", 4002));
    g_assert_cmpuint(clones_count(clones, START + 4002), ==, 0);
    teardown();
}

/* A module is another identity than its device, and another device is, too. */
static void
test_identities(void)
{
    static const char *const ids[] = {"dev1", "dev1/m", "dev2"};

    setup();
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_false(clones_connected(clones, ids[i], A, NULL, START));
    g_assert_false(clones_connected(clones, "dev1/m", B, NULL, START + 1));
    g_assert_true(clones_connected(clones, "dev1/m", A, NULL, START + 2));
    g_assert_false(clones_connected(clones, "dev1", A, NULL, START + 3));
    g_assert_cmpuint(clones_count(clones, START + 3), ==, 1);
    teardown();
}

static void
test_report(void)
{
    CloneReport report = {0};

    setup();
    (void)comes(A, 0);
    (void)comes(B, 1);
    g_assert_false(clones_report(clones, "dev1", START + 1, &report));
    g_assert_true(comes(A, 2));
    g_assert_true(comes(B, 3));
    g_assert_true(comes(A, 4));
    g_assert_true(clones_report(clones, "dev1", START + 4 + WINDOW, &report));
    g_assert_cmpuint(report.times, ==, 3);
    g_assert_cmpint(report.last, >=, report.since);
    g_assert_cmpint(report.since, >, 0);
    g_assert_false(clones_report(clones, "dev1", START + 5 + WINDOW, &report));
    g_assert_false(clones_report(clones, "dev2", START, &report));
    /* The next time is the first one again. */
    (void)comes(B, 4 + 2 * WINDOW);
    g_assert_true(comes(A, 5 + 2 * WINDOW));
    g_assert_true(clones_report(clones, "dev1", START + 5 + 2 * WINDOW, &report));
    g_assert_cmpuint(report.times, ==, 1);
    clones_forget(clones, "dev1");
    g_assert_false(clones_report(clones, "dev1", START + 5 + 2 * WINDOW, &report));
    teardown();
}

/* Who was connected when another one came back is owed a word, once. */
static void
test_owed(void)
{
    setup();
    (void)comes(A, 0);
    (void)comes(B, 1);
    g_assert_false(clones_owes(clones, "dev1", A));
    (void)comes(A, 2);
    g_assert_false(clones_owes(clones, "dev1", A));
    g_assert_true(clones_owes(clones, "dev1", B));
    (void)comes(B, 3);
    g_assert_true(clones_owes(clones, "dev1", A));
    g_assert_true(clones_owes(clones, "dev1", B)); /* nobody has told it yet */
    clones_told(clones, "dev1", B);
    g_assert_false(clones_owes(clones, "dev1", B));
    g_assert_false(clones_owes(clones, "dev1", C));
    g_assert_false(clones_owes(clones, "dev2", A));
    teardown();
}

/* A link of days was forgotten; that it was there is known from the connection that it has. */
static void
test_long_link(void)
{
    setup();
    (void)comes(A, 0);
    g_assert_false(clones_connected(clones, "dev2", A, NULL, START + 10 * WINDOW));
    g_assert_cmpuint(clones_known(clones), ==, 1);
    g_assert_false(clones_connected(clones, "dev1", B, A, START + 10 * WINDOW));
    g_assert_true(clones_connected(clones, "dev1", A, B, START + 10 * WINDOW + 1));
    teardown();
}

/* 2 s, then twice as long each time, up to 5 min; not for the one that is connected. */
static void
test_hold(void)
{
    gint64 at = 2, wanted = CLONES_HOLD;

    setup();
    (void)comes(A, 0);
    g_assert_cmpint(clones_hold(clones, "dev1", B, START), ==, 0);
    (void)comes(B, 1);
    g_assert_cmpint(clones_hold(clones, "dev1", A, START + 1), ==, 0);
    for (guint i = 0; i < 40; i++) {
        const char *now = i % 2 ? B : A, *other = i % 2 ? A : B;

        g_assert_true(comes(now, at));
        g_assert_cmpint(clones_hold(clones, "dev1", now, START + at), ==, 0);
        if (i < 2)
            g_assert_cmpint(clones_hold(clones, "dev1", other, START + at), ==, 0);
        clones_told(clones, "dev1", other);
        g_assert_cmpint(clones_hold(clones, "dev1", other, START + at), ==, wanted);
        g_assert_cmpint(clones_hold(clones, "dev1", C, START + at + wanted - 1), ==, 1);
        g_assert_cmpint(clones_hold(clones, "dev1", C, START + at + wanted), ==, 0);
        at += wanted;
        wanted = MIN(wanted * 2, CLONES_HOLD_MAX);
    }
    teardown();
}

/* Four instances are known of a device, so the fifth has put the first one out. */
static void
test_instances_bound(void)
{
    static const char *const names[] = {A, B, C, "dddddddddddddddd", "eeeeeeeeeeeeeeee"};

    for (guint count = CLONES_INSTANCES; count <= CLONES_INSTANCES + 1; count++) {
        setup();
        for (guint i = 0; i < count; i++)
            g_assert_false(comes(names[i], i));
        g_assert_cmpint(comes(A, 100), ==, count <= CLONES_INSTANCES);
        teardown();
    }
}

static void
test_devices_bound(void)
{
    setup();
    for (guint i = 0; i <= CLONES_DEVICES_MAX; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        g_assert_false(clones_connected(clones, id, A, NULL, START + i));
        g_assert_cmpuint(clones_known(clones), ==, MIN(i + 1, CLONES_DEVICES_MAX));
    }
    /* The first one is forgotten, the second one is not. */
    g_assert_false(clones_connected(clones, "dev1", B, NULL, START + CLONES_DEVICES_MAX + 1));
    g_assert_true(clones_connected(clones, "dev1", A, NULL, START + CLONES_DEVICES_MAX + 2));
    g_assert_false(clones_connected(clones, "dev0", B, NULL, START + CLONES_DEVICES_MAX + 3));
    g_assert_false(clones_connected(clones, "dev0", A, NULL, START + CLONES_DEVICES_MAX + 4));
    teardown();
}

/* Once the window is over the table is empty but for who came last. */
static void
test_purged(void)
{
    setup();
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        (void)clones_connected(clones, id, A, NULL, START);
    }
    (void)clones_connected(clones, "last", A, NULL, START + WINDOW);
    g_assert_cmpuint(clones_known(clones), ==, 1001);
    (void)clones_connected(clones, "last", A, NULL, START + WINDOW + 1);
    g_assert_cmpuint(clones_known(clones), ==, 1);
    teardown();
}

static void
test_switched_off(void)
{
    clones = clones_new(0);
    (void)comes(A, 0);
    (void)comes(B, 0);
    g_assert_false(comes(A, 0));
    g_assert_cmpuint(clones_known(clones), ==, 0);
    teardown();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clones/window", test_window);
    g_test_add_func("/clones/no-clone", test_no_clone);
    g_test_add_func("/clones/identities", test_identities);
    g_test_add_func("/clones/report", test_report);
    g_test_add_func("/clones/owed", test_owed);
    g_test_add_func("/clones/long-link", test_long_link);
    g_test_add_func("/clones/hold", test_hold);
    g_test_add_func("/clones/instances-bound", test_instances_bound);
    g_test_add_func("/clones/devices-bound", test_devices_bound);
    g_test_add_func("/clones/purged", test_purged);
    g_test_add_func("/clones/switched-off", test_switched_off);
    return g_test_run();
}
