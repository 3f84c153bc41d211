/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces hub/base/clock.c: time passes when a test says so, and timers fire then. */
#pragma once

#include "hub/base/clock.h"

/* Lets SPAN µs pass. Timers that become due meanwhile fire in order. */
void clock_pass(Clock *clock, gint64 span);

gboolean clock_is_idle(Clock *clock); /* no timer is set */
