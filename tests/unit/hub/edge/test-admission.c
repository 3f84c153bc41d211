/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/edge/admission-fixture.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_per_source(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(take(f, 6, "192.0.2.1:1000", NOW), ==, 4);
    g_assert_cmpuint(take(f, 6, "192.0.2.2:1000", NOW), ==, 4);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 8);
    slot_authenticated(f->slots->pdata[0], NOW);
    slot_authenticated(f->slots->pdata[0], NOW);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 7);
    /* It is known now, and may have twice as many; three of its eight are taken. */
    g_assert_cmpuint(take(f, 6, "192.0.2.1:2000", NOW), ==, 5);
}

static const struct {
    const char *peers; /* %x counts */
    guint most;        /* that wait at once, of 40 */
} widths[] = {
    {"[2001:db8::%x]:1", 4},        /* one /64 */
    {"[2001:db8:0:%x::1]:1", 8},    /* a /56 */
    {"[2001:db8:0:%x00::1]:1", 16}, /* a /48 */
    {"[2001:db8:%x::1]:1", 40},     /* sites of their own */
    {"[::ffff:192.0.2.1]:%u", 4},   /* IPv4, however it came in */
};

static void
test_widths(Fixture *f, gconstpointer data)
{
    for (guint row = 0; row < G_N_ELEMENTS(widths); row++) {
        guint taken = 0;

        for (guint i = 0; i < 40; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            g_autofree char *peer = g_strdup_printf(widths[row].peers, i + 1);
#pragma GCC diagnostic pop
            taken += take(f, 1, peer, NOW);
        }
        g_assert_cmpuint(taken, ==, widths[row].most);
        g_ptr_array_set_size(f->slots, 0);
    }
}

static void
test_rate(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(take_and_go(f, 40, "192.0.2.1:1", NOW), ==, 20);
    g_assert_cmpuint(take_and_go(f, 40, "192.0.2.1:1", NOW + SECOND), ==, 10);
    g_assert_cmpuint(take_and_go(f, 40, "192.0.2.2:1", NOW + SECOND), ==, 20);
    make_known(f, "192.0.2.3:1", NOW);
    g_assert_cmpuint(take_and_go(f, 80, "192.0.2.3:1", NOW), ==, 40);
    g_assert_cmpuint(take_and_go(f, 80, "192.0.2.3:1", NOW + SECOND), ==, 20);
}

/* From half of the places on, those who have many are dropped more and more; nobody's first is. */
static void
test_early_drop(Fixture *f, gconstpointer data)
{
    guint taken = 0;

    for (guint i = 0; i < 64; i++) {
        g_autofree char *peer = g_strdup_printf("192.0.2.%u:1", i % 16);
        Slot *slot = admission_take(f->admission, -1, peer, NOW, 0);

        if (!slot)
            continue;
        g_ptr_array_add(f->slots, slot);
        taken++;
    }
    /* The 34th is the first that the lowest random number refuses. */
    g_assert_cmpuint(taken, ==, 33);
    g_ptr_array_add(f->slots, admission_take(f->admission, -1, "198.51.100.1:1", NOW, 0));
    g_assert_nonnull(f->slots->pdata[f->slots->len - 1]);
}

/* All places are taken by a few: whoever wants one gets it from him who has the most. */
static void
test_fair(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 16; i++) {
        g_autofree char *peer = g_strdup_printf("192.0.2.%u:1", i);

        g_assert_cmpuint(take(f, 4, peer, NOW), ==, 4);
    }
    g_assert_cmpuint(admission_waiting(f->admission), ==, 64);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *peer = g_strdup_printf("198.51.100.%u:1", i);

        g_assert_cmpuint(take(f, 1, peer, NOW), ==, 1);
        g_assert_cmpuint(admission_waiting(f->admission), ==, 64);
    }
    /* Each has one or two now: nobody has to give way to a stranger before its time. */
    g_assert_cmpuint(take(f, 4, "203.0.113.1:1", NOW), <=, 1);
    g_assert_cmpuint(take(f, 1, "203.0.113.2:1", NOW + SECOND), ==, 1);
}

/* A known source's share is not for strangers. */
static void
test_reserve(Fixture *f, gconstpointer data)
{
    make_known(f, "203.0.113.9:1", NOW);
    for (guint i = 0; i < 64; i++) {
        g_autofree char *peer = g_strdup_printf("192.0.2.%u:1", i);

        g_assert_cmpuint(take(f, 1, peer, NOW), ==, 1);
    }
    g_assert_cmpuint(take(f, 1, "198.51.100.1:1", NOW), ==, 0);
    g_assert_cmpuint(take(f, 1, "203.0.113.9:1", NOW), ==, 1);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 64);
}

/* At its limit, the oldest one goes when it has had its time, at the bound and just before it. */
static void
test_oldest_goes(Fixture *f, gconstpointer data)
{
    struct pollfd other = {.events = POLLIN};
    int pair[2];
    Slot *first;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    other.fd = pair[1];
    first = admission_take(f->admission, pair[0], "192.0.2.1:1", NOW, NEVER);
    g_ptr_array_add(f->slots, first);
    g_assert_cmpuint(take(f, 3, "192.0.2.1:1", NOW), ==, 3);
    g_assert_cmpuint(take(f, 1, "192.0.2.1:1", NOW + SECOND - 1), ==, 0);
    g_assert_cmpint(poll(&other, 1, 0), ==, 0);
    g_assert_cmpuint(take(f, 1, "192.0.2.1:1", NOW + SECOND), ==, 1);
    g_assert_cmpint(poll(&other, 1, 0), ==, 1);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 4);
    /* It may still turn out to be good; it is counted as one connection all the same. */
    slot_authenticated(first, NOW + SECOND);
    g_assert_cmpuint(admission_total(f->admission), ==, 5);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* Two a second for who guesses, at whatever width; not for who was let in. */
static void
test_guessing(Fixture *f, gconstpointer data)
{
    gint64 until = NOW + G_TIME_SPAN_MINUTE;

    slow(f, "192.0.2.1:1", 0, until);
    g_assert_cmpuint(take_and_go(f, 20, "192.0.2.1:1", NOW), ==, 2);
    g_assert_cmpuint(take_and_go(f, 20, "192.0.2.1:1", NOW + SECOND), ==, 2);
    g_assert_cmpuint(take_and_go(f, 1, "192.0.2.2:1", NOW), ==, 1);
    g_assert_cmpuint(take_and_go(f, 30, "192.0.2.1:1", until + 2 * SECOND), ==, 20);

    make_known(f, "[2001:db8:0:7::1]:1", NOW);
    slow(f, "[2001:db8::1]:1", 2, until);
    g_assert_cmpuint(take_and_go(f, 20, "[2001:db8:0:8::1]:1", NOW), ==, 2);
    g_assert_cmpuint(take_and_go(f, 20, "[2001:db8:0:9::1]:1", NOW), ==, 0);
    g_assert_cmpuint(take_and_go(f, 20, "[2001:db8:0:7::1]:1", NOW), ==, 20);
    g_assert_cmpuint(take_and_go(f, 20, "[2001:db8:1:7::1]:1", NOW), ==, 20);
}

/* A day after the last connection, at the bound and just before it; never while one is there. */
static void
test_known_time(Fixture *f, gconstpointer data)
{
    gint64 day = f->settings->known_source_time;
    Slot *slot;

    g_assert_false(is_known(f, "192.0.2.1:1", NOW));
    make_known(f, "192.0.2.1:1", NOW);
    g_assert_true(is_known(f, "192.0.2.1:9", NOW + day - 1));
    g_assert_false(is_known(f, "192.0.2.1:9", NOW + day));
    slot = admission_take(f->admission, -1, "192.0.2.2:1", NOW, NEVER);
    slot_authenticated(slot, NOW);
    g_assert_true(is_known(f, "192.0.2.2:1", NOW + 10 * day));
    slot_leave(slot, NOW + 10 * day);
    slot_unref(slot);
    g_assert_true(is_known(f, "192.0.2.2:1", NOW + 11 * day - 1));
    g_assert_false(is_known(f, "192.0.2.2:1", NOW + 11 * day));
}

/* Authenticated twice is once, and after it has left it is nothing. */
static void
test_known_once(Fixture *f, gconstpointer data)
{
    gint64 day = f->settings->known_source_time;
    Slot *slot = admission_take(f->admission, -1, "192.0.2.1:1", NOW, NEVER);

    slot_authenticated(slot, NOW);
    slot_authenticated(slot, NOW);
    slot_leave(slot, NOW);
    slot_leave(slot, NOW + day / 2);
    slot_unref(slot);
    g_assert_true(is_known(f, "192.0.2.1:1", NOW + day - 1));
    g_assert_false(is_known(f, "192.0.2.1:1", NOW + day));
    slot = admission_take(f->admission, -1, "192.0.2.2:1", NOW, NEVER);
    slot_leave(slot, NOW);
    slot_authenticated(slot, NOW);
    slot_unref(slot);
    g_assert_false(is_known(f, "192.0.2.2:1", NOW));
}

/* The most at once since it was last asked, and what there is now at the least. */
static void
test_most(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(admission_most(f->admission), ==, 0);
    g_assert_cmpuint(take(f, 3, "192.0.2.1:1", NOW), ==, 3);
    g_ptr_array_set_size(f->slots, 1);
    g_assert_cmpuint(admission_most(f->admission), ==, 3);
    g_assert_cmpuint(admission_most(f->admission), ==, 1);
    g_assert_cmpuint(take(f, 1, "192.0.2.1:1", NOW), ==, 1);
    g_ptr_array_set_size(f->slots, 0);
    g_assert_cmpuint(admission_most(f->admission), ==, 2);
    g_assert_cmpuint(admission_most(f->admission), ==, 0);
}

static void
test_total(Fixture *f, gconstpointer data)
{
    f->settings->connections_max = 2;
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpuint(take(f, 1, "unix", NOW), ==, 1);
        slot_authenticated(f->slots->pdata[i], NOW);
    }
    g_assert_cmpuint(take(f, 1, "unix", NOW), ==, 0);
}

static UserRoom
user_takes(Fixture *f, const char *user, gboolean force)
{
    g_assert_cmpuint(take(f, 1, "unix", NOW), ==, 1);
    slot_authenticated(f->slots->pdata[f->slots->len - 1], NOW);
    return slot_take_user(f->slots->pdata[f->slots->len - 1], user, force);
}

/* A quarter of 40: ten, of which five may idle. */
static void
test_user(Fixture *f, gconstpointer data)
{
    f->settings->connections_max = 40;
    for (guint i = 1; i <= 10; i++)
        g_assert_cmpint(user_takes(f, "anna", FALSE), ==, i <= 5 ? USER_HAS_ROOM : USER_IS_CROWDED);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_FULL);
    g_assert_cmpint(user_takes(f, "berta", FALSE), ==, USER_HAS_ROOM);
    g_assert_cmpint(user_takes(f, "anna", TRUE), ==, USER_IS_FULL);
    /* The second request of a connection counts no more than the first, whoever asks. */
    g_assert_cmpint(slot_take_user(f->slots->pdata[0], "anna", FALSE), ==, USER_IS_FULL);
    g_assert_cmpint(slot_take_user(f->slots->pdata[0], "berta", FALSE), ==, USER_HAS_ROOM);
    g_ptr_array_set_size(f->slots, 0);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_HAS_ROOM);
}

/* Who was refused is not counted, nor who changed to another user, nor who has left. */
static void
test_user_counts(Fixture *f, gconstpointer data)
{
    f->settings->connections_max = 40;
    for (guint i = 0; i < 10; i++)
        g_assert_cmpint(user_takes(f, "anna", FALSE), !=, USER_IS_FULL);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_FULL);
    g_assert_cmpint(slot_take_user(f->slots->pdata[0], "berta", FALSE), ==, USER_HAS_ROOM);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_CROWDED);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_FULL);
    slot_leave(f->slots->pdata[1], NOW);
    g_assert_cmpint(slot_take_user(f->slots->pdata[1], "anna", FALSE), ==, USER_IS_CROWDED);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_CROWDED);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_FULL);
    /* One that had no user yet and has left gets none. */
    g_ptr_array_set_size(f->slots, 0);
    for (guint i = 0; i < 10; i++) {
        g_assert_cmpuint(take(f, 1, "unix", NOW), ==, 1);
        slot_leave(f->slots->pdata[i], NOW);
        (void)slot_take_user(f->slots->pdata[i], "anna", TRUE);
    }
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_HAS_ROOM);
}

/* Nor more than a quarter of the descriptors that there are. */
static void
test_user_descriptors(Fixture *f, gconstpointer data)
{
    struct rlimit usual, few;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &usual), ==, 0);
    few = (struct rlimit){.rlim_cur = 80, .rlim_max = usual.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    f->settings->connections_burst = 100;
    for (guint i = 1; i <= 18; i++) /* of 72 */
        g_assert_cmpint(user_takes(f, "anna", FALSE), !=, USER_IS_FULL);
    g_assert_cmpint(user_takes(f, "anna", FALSE), ==, USER_IS_FULL);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &usual), ==, 0);
}

/* A balancer's connections wait in a pool of its own, and then count for who is behind it. */
static void
test_greeted(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) waiting = g_ptr_array_new();
    guint named = 0;

    for (guint i = 0; i < ADMISSION_BALANCER_MAX; i++)
        g_ptr_array_add(waiting, admission_greet(f->admission, -1, "192.0.2.1:1", NOW));
    g_assert_false(g_ptr_array_find(waiting, NULL, NULL));
    g_assert_null(admission_greet(f->admission, -1, "192.0.2.1:1", NOW));
    g_ptr_array_add(f->slots, admission_greet(f->admission, -1, "192.0.2.2:1", NOW));
    g_assert_nonnull(f->slots->pdata[0]);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 0);
    g_assert_cmpuint(admission_total(f->admission), ==, 0);
    /* The oldest has had its second: it gives way, and is not let in any more. */
    g_ptr_array_add(f->slots, admission_greet(f->admission, -1, "192.0.2.1:1", NOW + SECOND));
    g_assert_nonnull(f->slots->pdata[1]);
    g_assert_false(slot_name(waiting->pdata[0], -1, "198.51.100.1:1", NOW + SECOND, NEVER));
    /* Four of one source, as without a balancer; and then others, at the same time. */
    for (guint i = 1; i < 20; i++)
        named += slot_name(waiting->pdata[i], -1, "198.51.100.1:1", NOW, NEVER) ? 1 : 0;
    g_assert_cmpuint(named, ==, 4);
    for (guint i = 20; i < 40; i++) {
        g_autofree char *peer = g_strdup_printf("198.51.101.%u:1", i);
        Source source = source_of_peer(peer), seen;

        g_assert_true(slot_name(waiting->pdata[i], -1, peer, NOW, NEVER));
        seen = slot_source(waiting->pdata[i]);
        g_assert_true(source_equal(&seen, &source));
    }
    g_assert_cmpuint(admission_total(f->admission), ==, 24);
    g_assert_cmpuint(admission_waiting(f->admission), ==, 24);
    slot_authenticated(waiting->pdata[20], NOW);
    g_assert_true(is_known(f, "198.51.101.20:9", NOW));
    g_assert_false(is_known(f, "192.0.2.1:1", NOW));
    /* Those that were named have left room for others of the balancer. */
    g_ptr_array_add(f->slots, admission_greet(f->admission, -1, "192.0.2.1:1", NOW));
    g_assert_nonnull(f->slots->pdata[2]);
    for (guint i = 0; i < waiting->len; i++) {
        slot_leave(waiting->pdata[i], NOW);
        slot_unref(waiting->pdata[i]);
    }
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/admission/per-source", test_per_source);
    ADD("/admission/widths", test_widths);
    ADD("/admission/rate", test_rate);
    ADD("/admission/early-drop", test_early_drop);
    ADD("/admission/fair", test_fair);
    ADD("/admission/reserve", test_reserve);
    ADD("/admission/oldest-goes", test_oldest_goes);
    ADD("/admission/greeted", test_greeted);
    ADD("/admission/guessing", test_guessing);
    ADD("/admission/known-time", test_known_time);
    ADD("/admission/known-once", test_known_once);
    ADD("/admission/most", test_most);
    ADD("/admission/total", test_total);
    ADD("/admission/user", test_user);
    ADD("/admission/user-counts", test_user_counts);
    ADD("/admission/user-descriptors", test_user_descriptors);
    return g_test_run();
}
