/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Timer wheel: setting, moving and clearing a timer are O(1), whatever their number. One thread.
 *
 * Times are CLOCK_MONOTONIC microseconds. A timer fires up to TIMER_WHEEL_TICK after its time,
 * never before it. Timers further away than one turn of the wheel are looked at once a turn. */
#pragma once

#include <glib.h>

#define TIMER_WHEEL_TICK (50 * G_TIME_SPAN_MILLISECOND)
#define TIMER_WHEEL_SLOTS 1024

typedef struct TimerWheel TimerWheel;
typedef struct Timer Timer;

struct Timer {
    void (*func)(Timer *timer); /* may set or clear this or any timer, or free its owner */
    gint64 when;                /* 0 when not set; the wheel's */
    Timer *next, *previous;     /* the wheel's */
    guint slot;                 /* the wheel's */
};

TimerWheel *timer_wheel_new(gint64 now);
void timer_wheel_free(TimerWheel *wheel); /* timers still set do not fire */

void timer_wheel_set(TimerWheel *wheel, Timer *timer, gint64 when); /* moves it when already set */
void timer_wheel_clear(TimerWheel *wheel, Timer *timer);            /* nothing when not set */

/* Fires what is due. */
void timer_wheel_advance(TimerWheel *wheel, gint64 now);

/* When to call advance next: a time, or -1 when no timer is set. */
gint64 timer_wheel_next(const TimerWheel *wheel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TimerWheel, timer_wheel_free)
