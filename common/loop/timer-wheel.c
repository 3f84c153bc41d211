/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/loop/timer-wheel.h"

struct TimerWheel {
    Timer *slots[TIMER_WHEEL_SLOTS];
    gint64 tick;   /* the wheel has advanced up to this tick */
    guint count;   /* timers set */
    Timer *cursor; /* the next timer of the slot being fired, so that any timer may be cleared
                      meanwhile */
};

/* Rounds up, so that a timer never fires early. */
static gint64
tick_of(gint64 when)
{
    return (when + TIMER_WHEEL_TICK - 1) / TIMER_WHEEL_TICK;
}

TimerWheel *
timer_wheel_new(gint64 now)
{
    TimerWheel *wheel = g_new0(TimerWheel, 1);

    wheel->tick = now / TIMER_WHEEL_TICK;
    return wheel;
}

void
timer_wheel_free(TimerWheel *wheel)
{
    g_free(wheel);
}

void
timer_wheel_clear(TimerWheel *wheel, Timer *timer)
{
    if (timer->when == 0)
        return;
    if (wheel->cursor == timer)
        wheel->cursor = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        wheel->slots[timer->slot] = timer->next;
    timer->next = timer->previous = NULL;
    timer->when = 0;
    wheel->count--;
}

void
timer_wheel_set(TimerWheel *wheel, Timer *timer, gint64 when)
{
    /* A timer that is already due fires on the next tick, never in the slot that is being fired. */
    gint64 tick = MAX(tick_of(when), wheel->tick + 1);

    timer_wheel_clear(wheel, timer);
    timer->when = MAX(when, 1);
    timer->slot = (guint)(tick % TIMER_WHEEL_SLOTS);
    timer->next = wheel->slots[timer->slot];
    if (timer->next)
        timer->next->previous = timer;
    wheel->slots[timer->slot] = timer;
    wheel->count++;
}

static void
timer_wheel_fire_slot(TimerWheel *wheel, guint slot, gint64 now)
{
    wheel->cursor = wheel->slots[slot];
    while (wheel->cursor) {
        Timer *timer = wheel->cursor;

        wheel->cursor = timer->next;
        if (timer->when > now)
            continue;
        timer_wheel_clear(wheel, timer);
        timer->func(timer);
    }
}

void
timer_wheel_advance(TimerWheel *wheel, gint64 now)
{
    gint64 last = now / TIMER_WHEEL_TICK;

    /* After a long sleep one turn visits every slot once; more visits would find nothing. */
    if (last - wheel->tick > TIMER_WHEEL_SLOTS)
        wheel->tick = last - TIMER_WHEEL_SLOTS;
    while (wheel->tick < last) {
        wheel->tick++;
        timer_wheel_fire_slot(wheel, (guint)(wheel->tick % TIMER_WHEEL_SLOTS), now);
    }
}

gint64
timer_wheel_next(const TimerWheel *wheel)
{
    if (wheel->count == 0)
        return -1;
    for (gint64 i = 1; i < TIMER_WHEEL_SLOTS; i++)
        if (wheel->slots[(wheel->tick + i) % TIMER_WHEEL_SLOTS])
            return (wheel->tick + i) * TIMER_WHEEL_TICK;
    return (wheel->tick + TIMER_WHEEL_SLOTS) * TIMER_WHEEL_TICK;
}
