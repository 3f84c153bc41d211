/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of hub/base/clock.c: time passes when a test says so, and timers fire then. */
#pragma once

#include "hub/base/clock.h"

/* After as many µs; timers that are due on the way fire in their order. */
void clock_pass(Clock *clock, gint64 span);

gboolean clock_is_idle(Clock *clock); /* no timer is set */
