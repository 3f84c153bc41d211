/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer wheel against a clock of the test's own. */
#include "common/loop/timer-wheel.h"

#include "common/loop/queue.h"

#define TICK TIMER_WHEEL_TICK
#define START (1000 * TICK)

typedef struct {
    Timer timer;
    TimerWheel *wheel;
    gint64 now, fired_at;
    guint fired;
} Probe;

static void
probe_fired(Timer *timer)
{
    Probe *probe = CONTAINER_OF(timer, Probe, timer);

    probe->fired++;
    probe->fired_at = probe->now;
}

static void
advance(TimerWheel *wheel, Probe *probe, gint64 to)
{
    for (gint64 now = probe->now; now <= to; now += TICK / 2) {
        probe->now = now;
        timer_wheel_advance(wheel, now);
    }
}

static void
test_never_early_and_at_most_a_tick_late(void)
{
    for (gint64 delay = 0; delay < 40 * TICK; delay += TICK / 3) {
        g_autoptr(TimerWheel) wheel = timer_wheel_new(START);
        Probe probe = {.timer.func = probe_fired, .now = START};

        timer_wheel_set(wheel, &probe.timer, START + delay);
        advance(wheel, &probe, START + 60 * TICK);
        g_assert_cmpuint(probe.fired, ==, 1);
        g_assert_cmpint(probe.fired_at, >=, START + delay);
        g_assert_cmpint(probe.fired_at, <=, START + delay + 2 * TICK);
        g_assert_cmpint(timer_wheel_next(wheel), ==, -1);
    }
}

static void
test_further_than_a_turn(void)
{
    g_autoptr(TimerWheel) wheel = timer_wheel_new(START);
    Probe probe = {.timer.func = probe_fired, .now = START};
    gint64 when = START + 3 * TIMER_WHEEL_SLOTS * TICK + 7 * TICK;

    timer_wheel_set(wheel, &probe.timer, when);
    advance(wheel, &probe, when - TICK);
    g_assert_cmpuint(probe.fired, ==, 0);
    advance(wheel, &probe, when + 2 * TICK);
    g_assert_cmpuint(probe.fired, ==, 1);
}

static void
test_moving_and_clearing(void)
{
    g_autoptr(TimerWheel) wheel = timer_wheel_new(START);
    Probe probe = {.timer.func = probe_fired, .now = START};

    timer_wheel_set(wheel, &probe.timer, START + 2 * TICK);
    timer_wheel_set(wheel, &probe.timer, START + 20 * TICK);
    advance(wheel, &probe, START + 10 * TICK);
    g_assert_cmpuint(probe.fired, ==, 0);
    timer_wheel_clear(wheel, &probe.timer);
    timer_wheel_clear(wheel, &probe.timer);
    advance(wheel, &probe, START + 40 * TICK);
    g_assert_cmpuint(probe.fired, ==, 0);
}

static void
test_after_a_long_sleep(void)
{
    g_autoptr(TimerWheel) wheel = timer_wheel_new(START);
    Probe probe = {.timer.func = probe_fired, .now = START};

    timer_wheel_set(wheel, &probe.timer, START + 5 * TICK);
    probe.now = START + 100 * TIMER_WHEEL_SLOTS * TICK;
    timer_wheel_advance(wheel, probe.now);
    g_assert_cmpuint(probe.fired, ==, 1);
}

typedef struct {
    Probe first, second;
} Two;

static void
first_clears_second(Timer *timer)
{
    Two *two = CONTAINER_OF(timer, Two, first.timer);

    two->first.fired++;
    timer_wheel_clear(two->first.wheel, &two->second.timer);
    /* Due at once, but not in the slot that is being walked. */
    if (two->first.fired < 3)
        timer_wheel_set(two->first.wheel, &two->first.timer, two->first.now);
}

static void
test_changing_timers_while_they_fire(void)
{
    g_autoptr(TimerWheel) wheel = timer_wheel_new(START);
    Two two = {.first = {.timer.func = first_clears_second, .wheel = wheel, .now = START},
               .second = {.timer.func = probe_fired, .now = START}};

    timer_wheel_set(wheel, &two.second.timer, START + 3 * TICK);
    timer_wheel_set(wheel, &two.first.timer, START + 3 * TICK);
    advance(wheel, &two.first, START + 20 * TICK);
    g_assert_cmpuint(two.first.fired, ==, 3);
    g_assert_cmpuint(two.second.fired, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timer-wheel/on-time", test_never_early_and_at_most_a_tick_late);
    g_test_add_func("/timer-wheel/far", test_further_than_a_turn);
    g_test_add_func("/timer-wheel/move-and-clear", test_moving_and_clearing);
    g_test_add_func("/timer-wheel/long-sleep", test_after_a_long_sleep);
    g_test_add_func("/timer-wheel/change-while-firing", test_changing_timers_while_they_fire);
    return g_test_run();
}
