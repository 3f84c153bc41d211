/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watchdog: a sign of life that only comes while the main loop and every reactor turn. Main thread.
 *
 * A reactor is woken at every look and has to have turned by the next one; one that stands still
 * withholds the sign of the whole process, so that the service manager ends it. */
#pragma once

#include "common/loop/reactor.h"

typedef struct Watchdog Watchdog;

/* ALIVE is called three times per LIMIT (µs; WATCHDOG_USEC of sd_watchdog_enabled(3)) on the
 * default main context. REACTORS outlives it. */
Watchdog *watchdog_new(ReactorPool *reactors, gint64 limit, void (*alive)(void *data), void *data);
void watchdog_free(Watchdog *watchdog); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watchdog, watchdog_free)
