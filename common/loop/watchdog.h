/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watchdog: reports that the process is alive only while the main loop and every reactor run. Main
 * thread.
 *
 * Each check wakes every reactor, which must have run by the next check. If one has not, no report
 * is sent, and the service manager ends the process. */
#pragma once

#include "common/loop/reactor.h"

typedef struct Watchdog Watchdog;

/* ALIVE is called three times per LIMIT (µs; WATCHDOG_USEC of sd_watchdog_enabled(3)) on the
 * default main context. REACTORS outlives it. */
Watchdog *watchdog_new(ReactorPool *reactors, gint64 limit, void (*alive)(void *data), void *data);
void watchdog_free(Watchdog *watchdog); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watchdog, watchdog_free)
