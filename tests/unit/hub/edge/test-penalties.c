/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/auth.h"

#define NOW G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND
#define INVENTED 200000

typedef struct {
    Settings *settings;
    Penalties *penalties;
    Source here, there;
} Fixture;

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings = settings_new();
    f->penalties = penalties_new(f->settings);
    f->here = source_of_peer("192.0.2.1:1000");
    f->there = source_of_peer("[2001:db8::1]:1000");
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    penalties_free(f->penalties);
    settings_free(f->settings);
}

static void
failed(Fixture *f, const char *identity, gint64 now)
{
    penalties_failed(f->penalties, &f->here, identity, now);
}

static gint64
wait_of(Fixture *f, const char *identity, gint64 now)
{
    return penalties_wait(f->penalties, &f->here, identity, now);
}

/* 5 s, 10 s, 20 s, ... up to ten minutes. */
static void
test_doubles(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const gint64 seconds[] = {5, 10, 20, 40, 80, 160, 320, 600, 600, 600};
    gint64 now = NOW;

    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_assert_cmpint(wait_of(f, "dev1", now), ==, 0);
        failed(f, "dev1", now);
        g_assert_cmpint(wait_of(f, "dev1", now), ==, seconds[i] * SECOND);
        g_assert_cmpint(wait_of(f, "dev1", now + seconds[i] * SECOND - 1), ==, 1);
        now += seconds[i] * SECOND;
    }
    g_assert_cmpint(wait_of(f, "dev1", now), ==, 0);
}

/* Neither another identity nor another source bears it. */
static void
test_is_theirs(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    failed(f, "dev1", NOW);
    g_assert_cmpint(wait_of(f, "dev1", NOW), >, 0);
    g_assert_cmpint(wait_of(f, "dev2", NOW), ==, 0);
    g_assert_cmpint(wait_of(f, "", NOW), ==, 0);
    g_assert_cmpint(penalties_wait(f->penalties, &f->there, "dev1", NOW), ==, 0);
}

static void
test_ends(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    failed(f, "dev1", NOW);
    failed(f, "dev2", NOW);
    failed(f, "dev3", NOW);
    penalties_passed(f->penalties, &f->here, "dev1");
    penalties_passed(f->penalties, &f->here, "nobody");
    g_assert_cmpint(wait_of(f, "dev1", NOW), ==, 0);
    penalties_forgive(f->penalties, "dev2");
    g_assert_cmpint(wait_of(f, "dev2", NOW), ==, 0);
    g_assert_cmpint(wait_of(f, "dev3", NOW), >, 0);
    /* What was long ago counts no more, and is not kept. */
    g_assert_cmpuint(penalties_size(f->penalties), ==, 1);
    failed(f, "dev4", NOW + G_TIME_SPAN_HOUR);
    g_assert_cmpuint(penalties_size(f->penalties), ==, 1);
    failed(f, "dev3", NOW + G_TIME_SPAN_HOUR);
    g_assert_cmpint(wait_of(f, "dev3", NOW + G_TIME_SPAN_HOUR), ==, 5 * SECOND);
}

/* Of a source 16 identities are kept apart; the 17th and all further ones count as one. */
static void
test_apart(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 1; i <= PENALTIES_APART; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);

        failed(f, identity, NOW);
        g_assert_cmpuint(penalties_size(f->penalties), ==, i);
        g_assert_cmpint(wait_of(f, "other", NOW), ==, 0);
    }
    failed(f, "dev17", NOW);
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_APART + 1);
    g_assert_cmpint(wait_of(f, "other", NOW), ==, 5 * SECOND);
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *identity = g_strdup_printf("more%u", i);

        failed(f, identity, NOW);
    }
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_APART + 1);
    g_assert_cmpint(wait_of(f, "other", NOW), ==, f->settings->penalty_max);
    g_assert_cmpint(wait_of(f, "dev1", NOW), ==, 5 * SECOND);
    /* One that is apart stays so. */
    failed(f, "dev1", NOW + 5 * SECOND);
    g_assert_cmpint(wait_of(f, "dev1", NOW + 5 * SECOND), ==, 10 * SECOND);
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_APART + 1);
}

/* One identity that fails over and over is no more than one. */
static void
test_again_is_no_guess(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (gint64 i = 0; i < 50; i++)
        failed(f, "dev0", NOW + i * 10 * SECOND);
    g_assert_false(penalties_guesses(f->penalties, &f->here));
    for (guint i = 1; i < 9; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);

        failed(f, identity, NOW + 500 * SECOND);
    }
    g_assert_false(penalties_guesses(f->penalties, &f->here));
    failed(f, "dev9", NOW + 500 * SECOND);
    g_assert_true(penalties_guesses(f->penalties, &f->here));
}

static const struct {
    const char *peers; /* of which each fails once, as an identity of its own; %u counts */
    guint levels[SOURCE_LEVELS]; /* after so many it is guessing, at each level; 0: never */
} guessing[] = {
    {"192.0.2.1:%u", {10, 10, 10}},         {"192.0.2.%u:1", {0, 0, 0}},
    {"[2001:db8::%x]:1", {10, 10, 10}},     {"[2001:db8:0:%x::1]:1", {0, 10, 10}},
    {"[2001:db8:0:%x00::1]:1", {0, 0, 10}}, {"[2001:db8:%x::1]:1", {0, 0, 0}},
};

/* Ten identities: of a source, of its /56, of its /48. */
static void
test_guesses(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint row = 0; row < G_N_ELEMENTS(guessing); row++) {
        g_autoptr(Penalties) penalties = penalties_new(f->settings);

        for (guint i = 1; i <= 12; i++) {
            g_autofree char *identity = g_strdup_printf("dev%u", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            g_autofree char *peer = g_strdup_printf(guessing[row].peers, i);
#pragma GCC diagnostic pop
            Source source = source_of_peer(peer);

            penalties_failed(penalties, &source, identity, NOW);
            for (guint level = 0; level < SOURCE_LEVELS; level++) {
                Source wider = source_at_level(&source, level);
                guint after = guessing[row].levels[level];

                g_assert_cmpint(penalties_guesses(penalties, &wider), ==, after && i >= after);
            }
        }
    }
}

static void
test_guesses_no_more(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < 10; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);

        failed(f, identity, NOW);
    }
    g_assert_true(penalties_guesses(f->penalties, &f->here));
    penalties_passed(f->penalties, &f->here, "dev3");
    g_assert_false(penalties_guesses(f->penalties, &f->here));
}

/* A pair from IPv6 sources that differ in what may differ: no two share a /64. */
static Source
invented(guint number)
{
    g_autofree char *peer =
        g_strdup_printf("[2001:%x:%x:%x::1]:1", number % 16, number / 256, number % 256);

    return source_of_peer(peer);
}

/* 200,000 invented pairs: within the bound, and the oldest penalty is in force still. */
static void
test_bounded(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Source last = invented(INVENTED), stranger = source_of_peer("[2a00::1]:1");

    failed(f, "old", NOW);
    for (guint i = 0; i < INVENTED; i++) {
        g_autofree char *identity = g_strdup_printf("dev%u", i);
        Source source = invented(i);

        penalties_failed(f->penalties, &source, identity, NOW + 1);
    }
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_MAX + 16);
    g_assert_cmpint(wait_of(f, "old", NOW + 1), >, 0);
    /* New ones bear what their /32 has done, and nobody else does. */
    g_assert_cmpint(penalties_wait(f->penalties, &last, "new", NOW + 1), ==,
                    f->settings->penalty_max);
    last = source_region(&last);
    g_assert_true(penalties_guesses(f->penalties, &last));
    g_assert_cmpint(penalties_wait(f->penalties, &stranger, "new", NOW + 1), ==, 0);
    /* What is in force no more makes room, though it is remembered. */
    penalties_failed(f->penalties, &stranger, "new", NOW + 6 * SECOND);
    g_assert_cmpuint(penalties_size(f->penalties), ==, PENALTIES_MAX + 16);
    g_assert_cmpint(penalties_wait(f->penalties, &stranger, "new", NOW + 6 * SECOND), ==,
                    5 * SECOND);
    /* `penalty-max` after its end nothing is remembered, of those that were shared neither. */
    failed(f, "late", NOW + 6 * SECOND + 2 * f->settings->penalty_max);
    g_assert_cmpuint(penalties_size(f->penalties), ==, 1);
}

/* Wrong ones that come too soon are told how long to wait, and extend nothing; a source that
 * guesses is slowed down where it guesses, and nowhere else. */
static void
test_refuse(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(Admission) here = NULL, elsewhere = NULL;
    guint taken = 0, left = 0;

    f->settings->connections_per_second = f->settings->connections_burst = 50;
    here = admission_new(f->settings);
    elsewhere = admission_new(f->settings);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpuint(auth_penalize(f->settings, f->penalties, here, &f->here, "0", NOW + i), ==,
                         i == 0 ? 0 : 5);
    for (guint i = 1; i < f->settings->penalty_identities; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        g_assert_false(penalties_guesses(f->penalties, &f->here));
        g_assert_cmpuint(auth_penalize(f->settings, f->penalties, here, &f->here, name, NOW), ==,
                         0);
    }
    for (guint i = 0; i < 50; i++) {
        Slot *slow = admission_take(here, -1, "192.0.2.1:1000", NOW, 0);
        Slot *other = admission_take(elsewhere, -1, "192.0.2.1:1000", NOW, 0);

        taken += slow != NULL;
        left += other != NULL;
        if (slow)
            slot_leave(slow, NOW);
        if (other)
            slot_leave(other, NOW);
        slot_unref(slow);
        slot_unref(other);
    }
    g_assert_cmpuint(taken, <=, f->settings->guessing_per_second);
    g_assert_cmpuint(left, ==, 50);
}

static void
test_off(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->settings->penalty = 0;
    for (guint i = 0; i < 20; i++)
        failed(f, "dev1", NOW);
    g_assert_cmpint(wait_of(f, "dev1", NOW), ==, 0);
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
    ADD("/penalties/apart", test_apart);
    ADD("/penalties/again-is-no-guess", test_again_is_no_guess);
    ADD("/penalties/guesses", test_guesses);
    ADD("/penalties/guesses-no-more", test_guesses_no_more);
    ADD("/penalties/bounded", test_bounded);
    ADD("/penalties/refuse", test_refuse);
    ADD("/penalties/off", test_off);
    return g_test_run();
}
