/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/clock.h"

struct Clock {
    TimerWheel *wheel;
    GSource *source;
    gint64 due; /* the source's ready time; -1: none */
};

typedef struct {
    GSource source;
    Clock *clock;
} ClockSource;

static void
clock_arm(Clock *clock, gint64 due)
{
    if (due == clock->due)
        return;
    clock->due = due;
    g_source_set_ready_time(clock->source, due);
}

static gboolean
clock_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    Clock *clock = ((ClockSource *)source)->clock;

    timer_wheel_advance(clock->wheel, clock_now());
    clock->due = 0; /* a timer may have armed it for a time that is past */
    clock_arm(clock, timer_wheel_next(clock->wheel));
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs clock_funcs = {.dispatch = clock_dispatch};

Clock *
clock_new(void)
{
    Clock *clock = g_new0(Clock, 1);

    clock->wheel = timer_wheel_new(clock_now());
    clock->source = g_source_new(&clock_funcs, sizeof(ClockSource));
    ((ClockSource *)clock->source)->clock = clock;
    clock->due = -1;
    g_source_set_static_name(clock->source, "hub clock");
    g_source_attach(clock->source, NULL);
    return clock;
}

void
clock_free(Clock *clock)
{
    if (!clock)
        return;
    g_source_destroy(clock->source);
    g_source_unref(clock->source);
    timer_wheel_free(clock->wheel);
    g_free(clock);
}

void
clock_set(Clock *clock, Timer *timer, gint64 delay)
{
    timer_wheel_set(clock->wheel, timer, clock_now() + MAX(delay, 0));
    clock_arm(clock, timer_wheel_next(clock->wheel));
}

void
clock_clear(Clock *clock, Timer *timer)
{
    timer_wheel_clear(clock->wheel, timer);
}

gint64
clock_now(void)
{
    return g_get_monotonic_time();
}
