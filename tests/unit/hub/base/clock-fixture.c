/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/base/clock-fixture.h"

struct Clock {
    TimerWheel *wheel;
};

static gint64 present = G_TIME_SPAN_HOUR;

Clock *
clock_new(void)
{
    Clock *clock = g_new0(Clock, 1);

    clock->wheel = timer_wheel_new(present);
    return clock;
}

void
clock_free(Clock *clock)
{
    timer_wheel_free(clock->wheel);
    g_free(clock);
}

void
clock_set(Clock *clock, Timer *timer, gint64 delay)
{
    timer_wheel_set(clock->wheel, timer, present + MAX(delay, 0));
}

void
clock_clear(Clock *clock, Timer *timer)
{
    timer_wheel_clear(clock->wheel, timer);
}

gint64
clock_now(void)
{
    return present;
}

void
clock_pass(Clock *clock, gint64 span)
{
    gint64 end = present + span;

    while (present < end) {
        gint64 next = timer_wheel_next(clock->wheel);

        present = next < 0 ? end : CLAMP(next, present + 1, end);
        timer_wheel_advance(clock->wheel, present);
    }
}

gboolean
clock_is_idle(Clock *clock)
{
    return timer_wheel_next(clock->wheel) < 0;
}
