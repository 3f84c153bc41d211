/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clock: one timer wheel for all deadlines of the main thread, driven by one GSource, so that ten
 * thousand deadlines do not slow the main loop down. Main thread. */
#pragma once

#include "common/loop/timer-wheel.h"

typedef struct Clock Clock;

Clock *clock_new(void); /* on the default main context */
void clock_free(Clock *clock);

void
clock_set(Clock *clock, Timer *timer, gint64 delay); /* µs from now; moves it when already set */
void clock_clear(Clock *clock, Timer *timer);
gint64 clock_now(void); /* monotonic µs */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clock, clock_free)
