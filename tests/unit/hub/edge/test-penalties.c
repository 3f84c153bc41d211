/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/penalties.h"

#define NOW G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND

typedef struct {
    Settings *settings;
    Penalties *penalties;
    AdmissionSource here, there;
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings = settings_new();
    f->penalties = penalties_new(f->settings);
    f->here = admission_source("192.0.2.1:1000");
    f->there = admission_source("[2001:db8::1]:1000");
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    penalties_free(f->penalties);
    settings_free(f->settings);
}

static gint64
failed(Fixture *f, const char *identity, gint64 now)
{
    return penalties_failed(f->penalties, &f->here, identity, now);
}

static gboolean
holds(Fixture *f, const char *identity, gint64 now)
{
    return penalties_hold(f->penalties, &f->here, identity, now);
}

/* 5 s, 10 s, 20 s, ... up to ten minutes. */
static void
test_doubles(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const gint64 seconds[] = {5, 10, 20, 40, 80, 160, 320, 600, 600, 600};
    gint64 now = NOW;

    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_assert_false(holds(f, "dev1", now));
        g_assert_cmpint(failed(f, "dev1", now), ==, 0);
        g_assert_true(holds(f, "dev1", now + seconds[i] * SECOND - 1));
        now += seconds[i] * SECOND;
    }
    g_assert_false(holds(f, "dev1", now));
}

/* Neither another identity nor another source bears it. */
static void
test_is_theirs(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    failed(f, "dev1", NOW);
    g_assert_true(holds(f, "dev1", NOW));
    g_assert_false(holds(f, "dev2", NOW));
    g_assert_false(holds(f, "", NOW));
    g_assert_false(penalties_hold(f->penalties, &f->there, "dev1", NOW));
}

static void
test_ends(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    failed(f, "dev1", NOW);
    failed(f, "dev2", NOW);
    failed(f, "dev3", NOW);
    penalties_passed(f->penalties, &f->here, "dev1");
    penalties_passed(f->penalties, &f->here, "nobody");
    g_assert_false(holds(f, "dev1", NOW));
    penalties_forgive(f->penalties, "dev2");
    g_assert_false(holds(f, "dev2", NOW));
    g_assert_true(holds(f, "dev3", NOW));
    /* What was long ago counts no more, and is not kept. */
    g_assert_cmpuint(penalties_size(f->penalties), ==, 1);
    failed(f, "dev4", NOW + G_TIME_SPAN_HOUR);
    g_assert_cmpuint(penalties_size(f->penalties), ==, 1);
    failed(f, "dev3", NOW + G_TIME_SPAN_HOUR);
    g_assert_false(holds(f, "dev3", NOW + G_TIME_SPAN_HOUR + 5 * SECOND));
}

/* Ten identities of one source: it is guessing. */
static void
test_widens(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 1; i <= 12; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);
        gint64 all = failed(f, identity, NOW);

        g_assert_cmpint(all, ==, i < 10 ? 0 : i * 5 * SECOND);
        g_assert_cmpint(penalties_failed(f->penalties, &f->there, "dev1", NOW), ==, 0);
    }
    failed(f, "dev1", NOW);
    for (guint i = 1; i <= 3; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);

        penalties_passed(f->penalties, &f->here, identity);
    }
    g_assert_cmpint(failed(f, "dev4", NOW), ==, 0);
}

static void
test_bounded(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings->penalty_identities = G_MAXUINT;
    for (guint i = 0; i < PENALTIES_MAX + 100; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);

        failed(f, identity, NOW);
    }
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_MAX);
    g_assert_false(holds(f, "dev99", NOW));
    g_assert_true(holds(f, "dev100", NOW));
}

static void
test_off(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings->penalty = 0;
    for (guint i = 0; i < 20; i++)
        g_assert_cmpint(failed(f, "dev1", NOW), ==, 0);
    g_assert_false(holds(f, "dev1", NOW));
    g_assert_cmpuint(penalties_size(f->penalties), ==, 0);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/penalties/doubles", test_doubles);
    ADD("/penalties/is-theirs", test_is_theirs);
    ADD("/penalties/ends", test_ends);
    ADD("/penalties/widens", test_widens);
    ADD("/penalties/bounded", test_bounded);
    ADD("/penalties/off", test_off);
    return g_test_run();
}
