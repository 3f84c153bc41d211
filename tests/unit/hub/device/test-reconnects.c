/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/reconnects.h"

#define SECOND G_TIME_SPAN_SECOND
#define MS G_TIME_SPAN_MILLISECOND
#define BEGIN (1000 * SECOND)

/* Nine at once are free; from the tenth on it doubles, to 5 s and not beyond; each who comes has
 * waited for the one before. */
static void
test_doubles(void)
{
    static const gint64 waits[] = {312500, 625000, 1250000, 2500000, 5000000, 5000000, 5000000};
    g_autoptr(Reconnects) reconnects = reconnects_new(10);
    gint64 now = BEGIN;

    for (guint i = 0; i < 9; i++)
        g_assert_cmpint(reconnects_note(reconnects, "dev1", now), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(waits); i++) {
        g_assert_cmpint(reconnects_note(reconnects, "dev1", now), ==, waits[i]);
        now += waits[i];
    }
}

/* One that always comes back at once stays at 5 s, twelve times a minute. */
static void
test_stays(void)
{
    g_autoptr(Reconnects) reconnects = reconnects_new(10);
    gint64 now = BEGIN, wait = 0;

    for (guint i = 0; i < 500; i++) {
        wait = reconnects_note(reconnects, "dev1", now);
        if (i >= 13)
            g_assert_cmpint(wait, ==, RECONNECTS_WAIT_MAX);
        now += wait;
    }
}

/* The tenth of a minute waits and the tenth of a minute and a bit does not: to the µs. */
static void
test_minute(void)
{
    for (guint late = 0; late < 2; late++) {
        g_autoptr(Reconnects) reconnects = reconnects_new(10);

        for (guint i = 0; i < 9; i++)
            g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN + i), ==, 0);
        g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN + 60 * SECOND - 1 + late), ==,
                        late ? 0 : RECONNECTS_WAIT);
    }
}

/* After a minute of quiet all is as at first; after less, it goes on where it was. */
static void
test_quiet(void)
{
    g_autoptr(Reconnects) reconnects = reconnects_new(10);
    gint64 now = BEGIN;

    for (guint i = 0; i < 11; i++)
        now += reconnects_note(reconnects, "dev1", now);
    now += 10 * SECOND;
    g_assert_cmpint(reconnects_note(reconnects, "dev1", now), ==, 1250 * MS);
    now += 1250 * MS + 60 * SECOND;
    for (guint i = 0; i < 9; i++)
        g_assert_cmpint(reconnects_note(reconnects, "dev1", now), ==, 0);
    g_assert_cmpint(reconnects_note(reconnects, "dev1", now), ==, RECONNECTS_WAIT);
}

/* Who comes while one waits, or after it gave up, waits for the rest, and no longer. */
static void
test_rest(void)
{
    g_autoptr(Reconnects) reconnects = reconnects_new(10);

    for (guint i = 0; i < 9; i++)
        (void)reconnects_note(reconnects, "dev1", BEGIN);
    g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN), ==, RECONNECTS_WAIT);
    g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN + 100 * MS), ==,
                    RECONNECTS_WAIT - 100 * MS);
    g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN + RECONNECTS_WAIT - 1), ==, 1);
    g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN + RECONNECTS_WAIT), ==,
                    2 * RECONNECTS_WAIT);
}

/* A client that gives up after 3 s gets in all the same. */
static void
test_impatient(void)
{
    g_autoptr(Reconnects) reconnects = reconnects_new(10);
    gint64 now = BEGIN;
    guint in = 0;

    for (guint i = 0; i < 100; i++) {
        gint64 wait = reconnects_note(reconnects, "dev1", now);

        in += wait <= 3 * SECOND ? 1 : 0;
        now += MIN(wait, 3 * SECOND);
    }
    g_assert_cmpuint(in, >, 40);
}

/* A device, its modules and others each count for themselves. */
static void
test_identities(void)
{
    static const char *const others[] = {"dev2", "dev1/m", "dev1/m2", "dev10"};
    g_autoptr(Reconnects) reconnects = reconnects_new(10);

    for (guint i = 0; i < 20; i++)
        (void)reconnects_note(reconnects, "dev1", BEGIN);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        for (guint n = 1; n <= 10; n++)
            g_assert_cmpint(reconnects_note(reconnects, others[i], BEGIN), ==,
                            n < 10 ? 0 : RECONNECTS_WAIT);
}

/* Of so many and of no more; and a minute after their last connection they go by themselves. */
static void
test_bounded(void)
{
    g_autoptr(Reconnects) reconnects = reconnects_new(2);

    for (guint i = 0; i <= RECONNECTS_MAX; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        g_assert_cmpint(reconnects_note(reconnects, id, BEGIN), ==, 0);
        g_assert_cmpuint(reconnects_known(reconnects), ==, MIN(i + 1, RECONNECTS_MAX));
    }
    g_assert_cmpint(reconnects_note(reconnects, "dev1", BEGIN), ==, RECONNECTS_WAIT);
    g_assert_cmpint(reconnects_note(reconnects, "dev0", BEGIN), ==, 0); /* it was the oldest */
    for (guint i = 0; i <= RECONNECTS_MAX / 4; i++)
        (void)reconnects_note(reconnects, "dev1", BEGIN + 60 * SECOND + 1);
    g_assert_cmpuint(reconnects_known(reconnects), ==, 1);
}

/* 0: nobody; 1: everybody. */
static void
test_ends(void)
{
    g_autoptr(Reconnects) never = reconnects_new(0), always = reconnects_new(1);

    for (guint i = 0; i < 100; i++)
        g_assert_cmpint(reconnects_note(never, "dev1", BEGIN), ==, 0);
    g_assert_cmpuint(reconnects_known(never), ==, 0);
    g_assert_cmpint(reconnects_note(always, "dev1", BEGIN), ==, RECONNECTS_WAIT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reconnects/doubles", test_doubles);
    g_test_add_func("/reconnects/stays", test_stays);
    g_test_add_func("/reconnects/minute", test_minute);
    g_test_add_func("/reconnects/quiet", test_quiet);
    g_test_add_func("/reconnects/rest", test_rest);
    g_test_add_func("/reconnects/impatient", test_impatient);
    g_test_add_func("/reconnects/identities", test_identities);
    g_test_add_func("/reconnects/bounded", test_bounded);
    g_test_add_func("/reconnects/ends", test_ends);
    return g_test_run();
}
